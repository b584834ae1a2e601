// Keys that hold everywhere but where text is typed.
import * as player from "./player";
import { isHelpShown } from "./parts/Help";
import { go, isMapShown, place, toggleLike, toggleNever } from "./store";

export function listen(): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as HTMLElement;
    const isTyped = target.matches("input:not([type=range]), textarea, select");
    if (event.key === "Escape" && target.id === "search") {
      target.blur();
      return;
    }
    if (isTyped) {
      if (event.key === "ArrowDown" && target.id === "search" && step(1)) event.preventDefault();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && step(event.key === "ArrowDown" ? 1 : -1)) {
      event.preventDefault();
      return;
    }
    const isButton = target.matches("button, a, summary, input");
    if (act(event.key, isButton)) event.preventDefault();
  });
}

function act(key: string, isButton: boolean): boolean {
  const track = player.current.value;
  switch (key) {
    case "/":
      isMapShown.value = false;
      document.getElementById("search")?.focus();
      (document.getElementById("search") as HTMLInputElement | null)?.select();
      return true;
    case " ":
      if (isButton) return false;
      player.toggle();
      return true;
    case "j":
      player.next();
      return true;
    case "k":
      player.previous();
      return true;
    case "ArrowLeft":
    case "ArrowRight":
      if (document.activeElement?.matches("input[type=range]")) return false;
      player.seek(player.at.value + (key === "ArrowLeft" ? -5 : 5));
      return true;
    case "[":
    case "]":
      player.volume.value = Math.min(Math.max(player.volume.value + (key === "[" ? -0.06 : 0.06), 0), 1);
      return true;
    case "m":
      player.isMuted.value = !player.isMuted.value;
      return true;
    case "l":
      if (track) void toggleLike(track);
      return true;
    case "n":
      if (track) {
        void toggleNever(track);
        player.next();
      }
      return true;
    case "r":
      if (track) void player.radio(track);
      return true;
    case "o":
      if (track) go("track", track.id);
      return true;
    case "q":
      go(place.value.name === "queue" ? "home" : "queue");
      return true;
    case "g":
      isMapShown.value = true;
      document.querySelector<HTMLElement>(".map canvas[tabindex]")?.focus();
      return true;
    case "Escape":
      if (place.value.name !== "home") go("home");
      return true;
    case "?":
      isHelpShown.value = true;
      return true;
    default:
      return false;
  }
}

/** Moves the focus among the rows of the list; whether there is one. */
function step(by: number): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>(".pane .row-play")];
  const active = document.activeElement;
  if (active?.matches(".map canvas, input[type=range]")) return false;
  const at = rows.findIndex((one) => one.closest("li") === active?.closest("li"));
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
  if (at === 0 && by < 0) document.getElementById("search")?.focus();
  else next?.focus();
  return rows.length > 0;
}
