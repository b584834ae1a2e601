import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { found as onMap } from "../map/state";
import { remember } from "../map/Tip";
import { Fault, Pane, Waiting } from "../parts/Pane";
import { TrackRow } from "../parts/TrackRow";
import { useAnswer } from "../parts/useAnswer";
import { playAll } from "../player";
import { complain, place } from "../store";
import { counted } from "../text";
import type { Track } from "../types";

interface Page {
  items: Track[];
  next: string | null;
}

const SHOWN = 50;

export function Search() {
  const words = place.value.id;
  const more = useSignal<{ words: string; items: Track[]; next: string | null } | null>(null);
  const answer = useAnswer<Page>(`search\n${words}`, (signal) =>
    words ? get<Page>(`search?q=${encodeURIComponent(words)}&limit=${SHOWN}`, signal) : Promise.resolve({ items: [], next: null }),
  );
  const extra = more.value?.words === words ? more.value : null;
  const items = [...(answer.value?.items ?? []), ...(extra?.items ?? [])];
  const next = extra ? extra.next : answer.value?.next;
  useEffect(() => {
    remember(items);
    onMap.value = items.slice(0, 300).map((one) => one.id);
  }, [answer.value, more.value]);
  const load = async () => {
    try {
      const offset = items.length;
      const page = await get<Page>(`search?q=${encodeURIComponent(words)}&limit=200&offset=${offset}`);
      more.value = { words, items: [...(extra?.items ?? []), ...page.items], next: page.next };
    } catch (error) {
      complain(error);
    }
  };
  return (
    <Pane title={words ? `Search: ${words}` : "Search"}>
      <h1 class="heading" dir="auto">{words ? <bdi>{words.slice(0, 120)}</bdi> : "Search"}</h1>
      <p class="quiet" role="status">
        {!words
          ? "Words of a title, an artist or an album."
          : answer.error
            ? ""
            : answer.value
              ? items.length
                ? `${next ? "The first " : ""}${counted(items.length, "track")}`
                : "No track has all of these words. Fewer words find more."
              : ""}
      </p>
      {answer.error && <Fault text={answer.error} />}
      {!answer.value && !answer.error && <Waiting />}
      <ul class="rows" data-results={items.length}>
        {items.map((track, at) => (
          <TrackRow key={track.id} track={track} onPlay={() => playAll(items, at, { kind: "list", name: `Search: ${words}` })} />
        ))}
      </ul>
      {next && <button class="button" onClick={() => void load()}>More</button>}
    </Pane>
  );
}
