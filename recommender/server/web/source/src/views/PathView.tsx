import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get, post } from "../api";
import { aim, shownWay } from "../map/state";
import { remember, trackOf } from "../map/Tip";
import { Icon } from "../parts/icons";
import { Fault, Pane, Waiting } from "../parts/Pane";
import { saveAsPlaylist } from "../parts/SaveDialog";
import { TrackRow } from "../parts/TrackRow";
import { useAnswer } from "../parts/useAnswer";
import { index, playAll, source } from "../player";
import { complain, go, isMapShown, place } from "../store";
import { counted } from "../text";
import type { Mix, Track } from "../types";
import { Likeness } from "./TrackView";

/** Asks where a path is to lead. */
export function PathPicker({ start }: { start: Track }) {
  const words = useSignal("");
  const found = useSignal<Track[]>([]);
  const look = async (typed: string) => {
    words.value = typed;
    if (!typed.trim()) {
      found.value = [];
      return;
    }
    try {
      const page = await get<{ items: Track[] }>(`search?q=${encodeURIComponent(typed.slice(0, 500))}&limit=8`);
      if (words.value === typed) found.value = page.items.filter((one) => one.id !== start.id);
    } catch (error) {
      complain(error);
    }
  };
  return (
    <div class="picker">
      <label class="field">
        <span>Lead in small steps to</span>
        <input type="search" dir="auto" autoFocus maxLength={500} placeholder="A title or an artist" onInput={(event) => void look(event.currentTarget.value)} />
      </label>
      <ul class="choices">
        {found.value.map((one) => (
          <li key={one.id}>
            <button class="choice" onClick={() => go("path", `${start.id}-${one.id}`)}>
              <bdi>{one.title}</bdi> <span class="quiet"><bdi>{one.artist ?? ""}</bdi></span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function PathView() {
  const steps = useSignal(8);
  const [from, to] = place.value.id.split("-").map(Number);
  const ends = useAnswer(`ends\n${from}-${to}`, async () => [await trackOf(from), await trackOf(to)]);
  const answer = useAnswer<Mix>(`path\n${from}-${to}-${steps.value}`, (signal) =>
    post<Mix>("path", { start: from, end: to, steps: steps.value }, signal),
  );
  const tracks = answer.value?.items.map((one) => one.track) ?? [];
  const ids = tracks.map((one) => one.id);
  const isPlayed = source.value.kind === "path" && source.value.name === place.value.id;
  useEffect(() => {
    remember(tracks);
    shownWay.value = ids.length ? { ids, now: isPlayed ? index.value : ids.length } : null;
    if (ids.length) aim.value = { ids };
  }, [answer.value]);
  useEffect(() => {
    if (ids.length) shownWay.value = { ids, now: isPlayed ? index.value : ids.length };
  }, [isPlayed, index.value]);
  const [first, last] = ends.value ?? [];
  return (
    <Pane title="Path" over="Path">
      <h1 class="heading clamp">
        <bdi>{first?.title ?? "…"}</bdi> <span class="arrow">to</span> <bdi>{last?.title ?? "…"}</bdi>
      </h1>
      <div class="buttons">
        <button class="button is-main" disabled={!tracks.length} onClick={() => playAll(tracks, 0, { kind: "path", name: place.value.id })}>
          <Icon name="play" /> Play
        </button>
        <button class="button" disabled={!tracks.length} onClick={() => saveAsPlaylist(ids, `${first?.title ?? ""} to ${last?.title ?? ""}`)}>
          <Icon name="save" /> Save
        </button>
        <button class="button only-phone" onClick={() => (isMapShown.value = true)}><Icon name="map" /> Map</button>
        <label class="inline">
          <span>Steps</span>
          <input type="number" min={1} max={60} value={steps.value} onChange={(event) => (steps.value = Math.min(Math.max(Number(event.currentTarget.value) || 8, 1), 60))} />
        </label>
      </div>
      {answer.error && <Fault text={answer.error} />}
      {answer.isAsking && !answer.value && <Waiting what="Finding the way" />}
      {answer.value?.notes.map((note) => <p key={note} class="quiet">{note}</p>)}
      {answer.value && <p class="quiet">{counted(tracks.length, "track")}, {counted(Math.round(answer.value.minutes), "minute")}. The figure is how like the one before it is.</p>}
      <ol class="rows">
        {answer.value?.items.map((one, at) => (
          <TrackRow
            key={one.track.id}
            track={one.track}
            lead={at ? <Likeness value={one.similarity} /> : <span class="likeness" />}
            onPlay={() => playAll(tracks, at, { kind: "path", name: place.value.id })}
          />
        ))}
      </ol>
    </Pane>
  );
}
