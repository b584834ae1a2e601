// What all parts of the page share: where the reader is, what is liked, what is said in passing.
import { computed, effect, signal } from "@preact/signals";
import { address, ApiError, ask, get, onReturn, post } from "./api";
import type { Status, Track } from "./types";

export interface Place {
  name: "home" | "search" | "track" | "artist" | "album" | "path" | "picked" | "playlists" | "playlist" | "library" | "queue";
  id: string;
}

const NAMES = ["search", "track", "artist", "album", "path", "picked", "playlists", "playlist", "library", "queue"];

function placeOf(hash: string): Place {
  const [name, ...rest] = hash.replace(/^#\/?/, "").split("/");
  const known = NAMES.includes(name) ? (name as Place["name"]) : "home";
  let id = rest.join("/");
  try {
    id = decodeURIComponent(id);
  } catch {
    // as it is
  }
  return { name: known, id };
}

export const place = signal<Place>(placeOf(location.hash));
addEventListener("hashchange", () => (place.value = placeOf(location.hash)));

export function go(name: Place["name"], id: string | number = "", replace = false): void {
  const hash = `#/${name === "home" ? "" : name}${id === "" ? "" : `/${encodeURIComponent(id)}`}`;
  if (replace) {
    history.replaceState(null, "", hash);
    place.value = placeOf(hash);
  } else if (location.hash !== hash) {
    location.hash = hash;
  }
}

export function href(name: Place["name"], id: string | number = ""): string {
  return `#/${name}${id === "" ? "" : `/${encodeURIComponent(id)}`}`;
}

// On a phone one pane is seen at a time: the map, or what the address names.
export const isMapShown = signal(true);

export type Theme = "auto" | "light" | "dark";
export const theme = signal<Theme>(stored("recsys.theme", "auto"));
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const systemTheme = signal(systemDark.matches);
systemDark.addEventListener("change", () => (systemTheme.value = systemDark.matches));
export const isDark = computed(() =>
  theme.value === "auto" ? systemTheme.value : theme.value === "dark",
);
effect(() => {
  const chosen = theme.value;
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  keep("recsys.theme", chosen);
});
export const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

export function stored<T extends string>(key: string, otherwise: T): T {
  try {
    return (localStorage.getItem(key) as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A full or forbidden storage loses nothing that is on the screen.
  }
}

export interface Remark {
  id: number;
  text: string;
  isBad: boolean;
  about: string;
}
export const remarks = signal<Remark[]>([]);
let lastRemark = 0;

/** Says something in passing, in place of what was said about the same before. */
export function say(text: string, isBad = false, about = text): void {
  const remark = { id: ++lastRemark, text, isBad, about };
  remarks.value = [...remarks.value.filter((one) => one.about !== about).slice(-1), remark];
  setTimeout(() => dismiss(remark.id), isBad ? 9000 : 4500);
}

export function dismiss(id: number): void {
  remarks.value = remarks.value.filter((one) => one.id !== id);
}

/** Says what went wrong, unless that is said elsewhere (no server, no secret) or nobody waits. */
export function complain(error: unknown): void {
  if (error instanceof ApiError) {
    if (error.status !== 401) say(error.message, true);
  } else if (error instanceof DOMException && error.name === "AbortError") {
    // given up on purpose
  } else if (error instanceof TypeError) {
    // no server: the banner says so
  } else {
    say(String(error), true);
  }
}

export const status = signal<Status | null>(null);
export const isEmpty = signal(false);
/** Whether the server is up, and has not opened its catalogue yet. */
export const isOpening = signal(false);
let opening: ReturnType<typeof setTimeout> | undefined;

export async function loadStatus(): Promise<void> {
  try {
    status.value = await get<Status>("status");
    isEmpty.value = status.value.analysed === 0;
    isOpening.value = false;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 503)) {
      complain(error);
      return;
    }
    const ready = await fetch(address("readyz"), { cache: "no-store" }).then((one) => one.json(), () => ({}));
    isEmpty.value = ready.status === "empty";
    isOpening.value = !isEmpty.value;
    // An index may have to be made, and music may come at any time.
    clearTimeout(opening);
    opening = setTimeout(() => void loadStatus(), isEmpty.value ? 8000 : 2500);
  }
}

export const liked = signal<ReadonlySet<number>>(new Set());
export const never = signal<ReadonlyMap<number, number>>(new Map());

export async function loadTaste(): Promise<void> {
  try {
    const events = await get<{ items: { kind: string; track_id: number }[] }>(
      "history?kind=like&kind=unlike&limit=1000",
    );
    const seen = new Set<number>();
    const found = new Set<number>();
    for (const event of events.items) {
      if (event.kind === "like" && !seen.has(event.track_id)) found.add(event.track_id);
      seen.add(event.track_id);
    }
    liked.value = found;
    const exclusions = await get<{ items: { id: number; kind: string; value: string }[] }>(
      "exclusions",
    );
    never.value = new Map(
      exclusions.items.flatMap((one) => (one.kind === "track" ? [[Number(one.value), one.id] as const] : [])),
    );
  } catch (error) {
    // Where there is no catalogue yet, the page says so itself.
    if (!(error instanceof ApiError && error.status === 503)) complain(error);
  }
}

export async function toggleLike(track: Track): Promise<void> {
  const isLiked = liked.value.has(track.id);
  try {
    await post("history", { kind: isLiked ? "unlike" : "like", track_id: track.id });
    const changed = new Set(liked.value);
    if (isLiked) changed.delete(track.id);
    else changed.add(track.id);
    liked.value = changed;
    say(isLiked ? "No longer liked." : "Liked.");
  } catch (error) {
    complain(error);
  }
}

export async function toggleNever(track: Track): Promise<void> {
  const known = never.value.get(track.id);
  const changed = new Map(never.value);
  try {
    if (known !== undefined) {
      await ask("DELETE", `exclusions/${known}`);
      changed.delete(track.id);
      say("It may be in lists again.");
    } else {
      const added = await post<{ exclusion: { id: number } }>("exclusions", {
        kind: "track",
        value: String(track.id),
      });
      changed.set(track.id, added.exclusion.id);
      say("Never again in mixes and radios.");
    }
    never.value = changed;
  } catch (error) {
    complain(error);
  }
}

onReturn(() => {
  void loadStatus();
  void loadTaste();
});
