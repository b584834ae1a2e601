import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ask, get, post } from "../api";
import { aim, shownWay } from "../map/state";
import { remember } from "../map/Tip";
import { Icon } from "../parts/icons";
import { Fault, Pane, Section, Waiting } from "../parts/Pane";
import { saveAsPlaylist } from "../parts/SaveDialog";
import { TrackRow } from "../parts/TrackRow";
import { useAnswer } from "../parts/useAnswer";
import { enqueue, index, playAll, queue, source } from "../player";
import { complain, go, href, place, say } from "../store";
import { counted, span, when } from "../text";
import type { Mix, Playlist, Track } from "../types";
import { RowTools, dragging } from "./Queue";

const changes = signal(0);

export function Playlists() {
  const answer = useAnswer(`playlists\n${changes.value}`, (signal) =>
    get<{ items: Playlist[]; total: number }>("playlists?limit=1000", signal),
  );
  const items = answer.value?.items ?? [];
  return (
    <Pane title="Playlists" over="Playlists">
      <h1 class="heading">{answer.value ? (items.length ? counted(items.length, "playlist") : "No playlist yet") : "Playlists"}</h1>
      {answer.value && !items.length && (
        <p class="lede">Save the queue, a radio, a path, or what you draw around on the map, and it is listed here.</p>
      )}
      <div class="buttons">
        <button class="button" disabled={!queue.value.length} onClick={() => saveAsPlaylist(queue.value.map((one) => one.id), "Queue")}>
          <Icon name="save" /> Save the queue
        </button>
      </div>
      {answer.error && <Fault text={answer.error} />}
      {!answer.value && !answer.error && <Waiting what="Reading" />}
      <ul class="cards">
        {items.map((one) => (
          <li key={one.id} class="card">
            <a href={href("playlist", one.id)}>
              <bdi class="card-title">{one.name}</bdi>
              <span class="quiet">
                {counted(one.track_ids.length, "track")}
                {one.recipe ? (one.run_at ? ` · made anew ${when(one.run_at)}` : " · has a recipe") : ` · changed ${when(one.changed_at)}`}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </Pane>
  );
}

export function PlaylistView() {
  const id = place.value.id;
  const fresh = useAnswer(`playlist\n${id}\n${changes.value}`, (signal) =>
    get<{ playlist: Playlist; tracks: Track[] }>(`playlists/${id}`, signal),
  );
  if (fresh.error) return <Pane title="Playlist"><Fault text={fresh.error} /></Pane>;
  if (!fresh.value) return <Pane title="Playlist"><Waiting what="Reading" /></Pane>;
  return <Edited key={`${id}-${fresh.value.playlist.changed_at}`} playlist={fresh.value.playlist} stored={fresh.value.tracks} />;
}

function Edited({ playlist, stored }: { playlist: Playlist; stored: Track[] }) {
  const tracks = useSignal(stored);
  const isBusy = useSignal(false);
  const grown = useSignal<Mix | null>(null);
  const dragged = useSignal<number | null>(null);
  const ids = tracks.value.map((one) => one.id);
  const from = { kind: "playlist" as const, name: playlist.name };
  const isPlayed = source.value.kind === "playlist" && source.value.name === playlist.name;
  useEffect(() => {
    remember(tracks.value);
    shownWay.value = ids.length > 1 ? { ids: ids.slice(0, 400), now: isPlayed ? index.value : ids.length } : null;
  }, [tracks.value, isPlayed, index.value]);
  useEffect(() => {
    aim.value = { ids };
  }, []);

  const attempt = async (work: () => Promise<void>) => {
    isBusy.value = true;
    try {
      await work();
    } catch (error) {
      complain(error);
    }
    isBusy.value = false;
  };
  const set = (changed: Track[], said?: string) =>
    attempt(async () => {
      const before = tracks.value;
      tracks.value = changed;
      try {
        await ask("PUT", `playlists/${playlist.id}/tracks`, { track_ids: changed.map((one) => one.id) });
        if (said) say(said);
      } catch (error) {
        tracks.value = before;
        throw error;
      }
    });
  const move = (at: number, to: number) => void set(tracks.value.toSpliced(at, 1).toSpliced(to, 0, tracks.value[at]));
  const order = () =>
    attempt(async () => {
      const mix = await post<Mix>("order", { track_ids: ids.slice(0, 1000) });
      await set(mix.items.map((one) => one.track), "In its smoothest order.");
    });
  const grow = () =>
    attempt(async () => {
      grown.value = await post<Mix>("grow", { seeds: { like: ids.slice(0, 1000) }, length: { tracks: 10 } });
    });
  const run = () =>
    attempt(async () => {
      await post(`playlists/${playlist.id}/run`, {});
      say("Made anew from its recipe.");
      changes.value++;
    });
  const remove = () =>
    attempt(async () => {
      if (!confirm(`Delete the playlist “${playlist.name.slice(0, 80)}”? Its tracks stay.`)) return;
      await ask("DELETE", `playlists/${playlist.id}`);
      changes.value++;
      go("playlists");
    });
  const save = () =>
    attempt(async () => {
      const answer = await ask("GET", `playlists/${playlist.id}/file.m3u8`);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = `${playlist.name.replace(/[\u0000-\u001f<>:"/\\|?*]+/g, " ").trim().slice(0, 100) || "playlist"}.m3u8`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });

  const known = new Set(ids);
  const offered = grown.value?.items.filter((one) => !known.has(one.track.id)) ?? [];
  return (
    <Pane title={playlist.name} over={<><a href="#/playlists">Playlists</a></>}>
      <h1 class="heading clamp"><bdi>{playlist.name}</bdi></h1>
      <p class="quiet">
        {counted(ids.length, "track")}, {span(tracks.value.reduce((sum, one) => sum + one.duration, 0))}
        {playlist.shared ? "" : " · yours"}
      </p>
      {playlist.comment && <p class="quiet clamp"><bdi>{playlist.comment}</bdi></p>}
      <div class="buttons">
        <button class="button is-main" disabled={!ids.length} onClick={() => playAll(tracks.value, 0, from)}><Icon name="play" /> Play</button>
        <button class="button" disabled={!ids.length} onClick={() => enqueue(tracks.value)}><Icon name="queue" /> Queue</button>
        <button class="button" disabled={ids.length < 3 || isBusy.value} onClick={() => void order()}><Icon name="sort" /> Order</button>
        <button class="button" disabled={!ids.length || isBusy.value} onClick={() => void grow()}><Icon name="grow" /> Grow</button>
        <button class="button" disabled={!ids.length} data-action="export" onClick={() => void save()}><Icon name="save" /> m3u8</button>
        <button class="tool" onClick={() => void remove()} aria-label="Delete the playlist" title="Delete"><Icon name="trash" /></button>
      </div>
      {playlist.recipe && <Recipe playlist={playlist} isBusy={isBusy.value} onRun={() => void run()} />}
      {grown.value && (
        <Section
          title="To grow by"
          aside={<button class="plain" onClick={() => (grown.value = null)}>Close</button>}
        >
          {!offered.length && <p class="quiet">Nothing in the library is left that would fit.</p>}
          {offered.length > 0 && (
            <div class="buttons">
              <button class="button" onClick={() => void set([...tracks.value, ...offered.map((one) => one.track)], `${counted(offered.length, "track")} added.`)}>
                <Icon name="plus" /> Add all {offered.length}
              </button>
            </div>
          )}
          <ul class="rows">
            {offered.map(({ track }) => (
              <TrackRow
                key={track.id}
                track={track}
                onPlay={() => playAll([track, ...tracks.value], 0)}
                actions={
                  <button class="tool" onClick={() => void set([...tracks.value, track])} aria-label={`Add ${track.title.slice(0, 100)} to the playlist`}>
                    <Icon name="plus" />
                  </button>
                }
              />
            ))}
          </ul>
        </Section>
      )}
      <ol class="rows">
        {tracks.value.map((track, at) => (
          <TrackRow
            key={`${track.id}-${at}`}
            track={track}
            dragging={dragging(at, dragged, move)}
            onPlay={() => playAll(tracks.value, at, from)}
            actions={<RowTools at={at} count={ids.length} title={track.title} onMove={move} onRemove={(one) => void set(tracks.value.toSpliced(one, 1))} />}
          />
        ))}
      </ol>
    </Pane>
  );
}

function Recipe({ playlist, isBusy, onRun }: { playlist: Playlist; isBusy: boolean; onRun: () => void }) {
  const recipe = playlist.recipe ?? {};
  const kind = typeof recipe.kind === "string" ? recipe.kind : "list";
  return (
    <div class="recipe">
      <div>
        <b>Made from a recipe: {kind}</b>
        <p class="quiet">{playlist.run_at ? `Last run ${when(playlist.run_at)}.` : "Not run yet."} Running it replaces the tracks.</p>
      </div>
      <button class="button" disabled={isBusy} onClick={onRun}><Icon name="again" /> Run</button>
    </div>
  );
}
