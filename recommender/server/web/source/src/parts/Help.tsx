import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export const isHelpShown = signal(false);

const KEYS: [string, string][] = [
  ["/", "Search"],
  ["Space", "Play, pause"],
  ["j  k", "Next, previous"],
  ["← →", "Back, forward by five seconds"],
  ["↑ ↓", "In a list: the row above, below"],
  ["[ ]", "Softer, louder"],
  ["m", "Mute"],
  ["l", "Like what plays"],
  ["n", "Never in mixes, and next"],
  ["r", "Radio from what plays"],
  ["o", "Open what plays"],
  ["q", "Queue"],
  ["g", "Map: go to it; then arrows, + − 0, Enter"],
  ["Esc", "Back"],
  ["?", "This list"],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isHelpShown.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isHelpShown.value]);
  return (
    <dialog ref={dialog} class="dialog" aria-label="Keys" onClose={() => (isHelpShown.value = false)}>
      <h2>Keys</h2>
      <dl class="keys">
        {KEYS.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}
      </dl>
      <div class="buttons"><button class="button" onClick={() => (isHelpShown.value = false)}>Close</button></div>
    </dialog>
  );
}
