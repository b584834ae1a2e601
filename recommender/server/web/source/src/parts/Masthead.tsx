// The name, the search and the way to the other parts.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { go, isMapShown, place, theme, type Theme } from "../store";
import { Icon } from "./icons";

const THEMES: Record<Theme, [Theme, string, string]> = {
  auto: ["light", "half", "Theme: as the system"],
  light: ["dark", "sun", "Theme: light"],
  dark: ["auto", "moon", "Theme: dark"],
};

export function Masthead() {
  const input = useRef<HTMLInputElement>(null);
  const words = useSignal(place.value.name === "search" ? place.value.id : "");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (document.activeElement === input.current) return;
    words.value = place.value.name === "search" ? place.value.id : "";
  }, [place.value]);
  const look = (now: boolean) => {
    clearTimeout(timer.current);
    const isThere = place.value.name === "search";
    timer.current = setTimeout(
      () => {
        isMapShown.value = false;
        if (words.value.trim() || isThere) go("search", words.value.trim().slice(0, 500), isThere);
      },
      now ? 0 : 90,
    );
  };
  const [next, icon, label] = THEMES[theme.value];
  return (
    <header class="masthead">
      <a class="wordmark" href="#/" onClick={() => (isMapShown.value = true)} aria-label="recsys, start">recsys</a>
      <form
        class="search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          look(true);
          setTimeout(() => document.querySelector<HTMLElement>(".pane .row-play")?.focus(), 250);
        }}
      >
        <Icon name="search" />
        <input
          ref={input}
          id="search"
          type="search"
          dir="auto"
          value={words.value}
          maxLength={500}
          placeholder="Title, artist, album"
          aria-label="Search the library"
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            words.value = event.currentTarget.value;
            look(false);
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </form>
      <Navigation />
      <button class="tool theme" onClick={() => (theme.value = next)} aria-label={label} title={label}>
        <Icon name={icon} />
      </button>
    </header>
  );
}

const PARTS = [
  ["map", "Map", "map"],
  ["search", "Search", "search"],
  ["playlists", "Playlists", "list"],
  ["library", "Library", "library"],
  ["queue", "Queue", "queue"],
] as const;

function Navigation() {
  const { name } = place.value;
  const isOn = (part: string) => {
    if (part === "map") return isMapShown.value && (name === "home" || innerWidth < 700);
    if (isMapShown.value && innerWidth < 700) return false;
    return name === part || (part === "playlists" && name === "playlist");
  };
  return (
    <nav class="parts" aria-label="Parts of the page">
      {PARTS.map(([part, label, icon]) => (
        <a
          key={part}
          class={`part part-${part}`}
          href={part === "map" ? "#/" : `#/${part}`}
          aria-current={isOn(part) ? "page" : undefined}
          onClick={(event) => {
            isMapShown.value = part === "map";
            // On a phone the map is seen with what it shows.
            if (part === "map" && innerWidth < 700) event.preventDefault();
            if (part === "search") setTimeout(() => document.getElementById("search")?.focus(), 50);
          }}
        >
          <Icon name={icon} />
          <span>{label}</span>
        </a>
      ))}
    </nav>
  );
}
