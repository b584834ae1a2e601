import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import { reference } from "../map/data";
import { aim, data, near, seed, spotOf, spotsChanged } from "../map/state";
import { remember } from "../map/Tip";
import { Cover, genreColour } from "../parts/Cover";
import { Icon } from "../parts/icons";
import { Fault, Pane, Section, Waiting } from "../parts/Pane";
import { TrackRow } from "../parts/TrackRow";
import { useAnswer } from "../parts/useAnswer";
import { soundOf } from "../sounds";
import { current, enqueue, isPlaying, playAll, playNow, radio, toggle } from "../player";
import { href, isDark, isMapShown, liked, never, place, toggleLike, toggleNever } from "../store";
import { clock, percent } from "../text";
import type { Album, Artist, Neighbour, SimilarGroup, Track } from "../types";
import { Dot } from "../map/Key";
import { PathPicker } from "./PathView";
import { saveAsPlaylist } from "../parts/SaveDialog";

interface Credits {
  artists: Artist[];
  album: Album | null;
}

interface Similar {
  items: Neighbour[];
  hint: string | null;
}

export function TrackView() {
  const id = Number(place.value.id);
  const isFinding = useSignal(false);
  const shown = useAnswer<Track>(`track\n${id}`, async (signal) => (await get<{ track: Track }>(`tracks/${id}`, signal)).track);
  const weights = Object.entries(steer.value)
    .map(([group, step]) => `&${step > 0 ? "more" : "less"}=${encodeURIComponent(group)}`)
    .join("");
  const similar = useAnswer<Similar>(`similar ${id}\n${weights}`, (signal) =>
    get<Similar>(`tracks/${id}/similar?k=20&per_artist=2&why=true${weights}`, signal),
  );
  const credits = useAnswer<Credits>(`credits\n${id}`, (signal) => get<Credits>(`tracks/${id}/credits`, signal));
  useEffect(() => {
    isFinding.value = false;
  }, [id]);
  useEffect(() => {
    const items = similar.value?.items ?? [];
    remember(items.map((one) => one.track));
    seed.value = id;
    near.value = items.map((one) => ({ id: one.track.id, close: one.close !== false }));
    aim.value = { ids: [id, ...items.slice(0, 10).map((one) => one.track.id)] };
  }, [id, similar.value, data.value === null]);
  const track = shown.value;
  if (shown.error) return <Pane title="Track"><Fault text={shown.error} /></Pane>;
  if (!track || track.id !== id) return <Pane title="Track"><Waiting /></Pane>;
  const isOn = current.value?.id === id && isPlaying.value;
  const items = similar.value?.items ?? [];
  const close = items.filter((one) => one.close !== false);
  const far = items.filter((one) => one.close === false);
  const all = [track, ...items.map((one) => one.track)];
  return (
    <Pane title={track.title}>
      <TrackHead track={track} credits={credits.value} />
      <div class="buttons">
        <button class="button is-main" onClick={() => (current.value?.id === id ? toggle() : playNow(track))}>
          <Icon name={isOn ? "pause" : "play"} /> {isOn ? "Pause" : "Play"}
        </button>
        <button class="button" data-action="radio" onClick={() => { void radio(track); if (innerWidth < 700) isMapShown.value = true; }}>
          <Icon name="radio" /> Radio
        </button>
        <button class="button" data-action="path" aria-expanded={isFinding.value} onClick={() => (isFinding.value = !isFinding.value)}>
          <Icon name="path" /> Path to …
        </button>
      </div>
      {isFinding.value && <PathPicker start={track} />}
      <Character id={id} />
      <Section
        title="Sounds alike"
        aside={items.length > 0 && (
          <button class="plain" onClick={() => saveAsPlaylist(all.map((one) => one.id), `Like ${track.title}`)}>Save as playlist</button>
        )}
      >
        <Steer groups={Object.keys(items[0]?.why?.groups ?? {})} />
        {similar.error && <Fault text={similar.error} />}
        {!similar.value && !similar.error && <Waiting what="Listening" />}
        {similar.value && !items.length && <p class="quiet">{similar.value.hint ?? "There is no other track."}</p>}
        {similar.value && items.length > 0 && !close.length && <p class="quiet">Nothing in the library is close to it. These are merely the nearest.</p>}
        <Neighbours items={close} all={all} name={track.title} />
        {far.length > 0 && close.length > 0 && (
          <p class="divide"><span>Farther away</span></p>
        )}
        <Neighbours items={far} all={all} name={track.title} />
      </Section>
      {credits.value?.artists[0] && <Artists id={credits.value.artists[0].id} />}
    </Pane>
  );
}

/** Groups of features that count more (1) or less (-1) in what sounds alike. */
const steer = signal<Record<string, number>>({});

function Steer({ groups }: { groups: string[] }) {
  const known = useSignal<string[]>([]);
  useEffect(() => {
    if (groups.length) known.value = groups;
  }, [groups.join()]);
  if (!known.value.length) return null;
  const turn = (group: string) => {
    const { [group]: step = 0, ...rest } = steer.value;
    steer.value = step === 0 ? { ...rest, [group]: 1 } : step === 1 ? { ...rest, [group]: -1 } : rest;
  };
  return (
    <div class="steer" role="group" aria-label="What counts more or less">
      {known.value.map((group) => {
        const step = steer.value[group] ?? 0;
        return (
          <button key={group} class="chip" data-step={step || undefined} onClick={() => turn(group)} title="Click: counts more; again: less; again: as usual">
            {step !== 0 && <Icon name={step > 0 ? "plus" : "minus"} />}
            <span>{step > 0 ? "more " : step < 0 ? "less " : ""}{group}</span>
          </button>
        );
      })}
    </div>
  );
}

function Taste({ track }: { track: Track }) {
  const [isLiked, isNever] = [liked.value.has(track.id), never.value.has(track.id)];
  return (
    <span class="taste">
      <button class="tool" aria-pressed={isLiked} onClick={() => void toggleLike(track)} aria-label="Like" title="Like">
        <Icon name="heart" isFull={isLiked} />
      </button>
      <button class="tool" aria-pressed={isNever} onClick={() => void toggleNever(track)} aria-label="Never in mixes" title="Never in mixes and radios">
        <Icon name="never" />
      </button>
      <button class="tool" onClick={() => enqueue([track], true)} aria-label="Play next" title="Play next"><Icon name="queue" /></button>
    </span>
  );
}

function TrackHead({ track, credits }: { track: Track; credits: Credits | null }) {
  const { artists, album } = credits ?? { artists: [], album: null };
  void spotsChanged.value;
  const sound = soundOf(track.id);
  const spot = data.value ? spotOf(track.id) : undefined;
  const facts = [
    track.year,
    clock(track.duration),
    sound?.tempo && `${Math.round(sound.tempo)} bpm`,
    sound?.key_name && `${sound.key_name}${sound.camelot ? ` (${sound.camelot})` : ""}`,
    track.genre && track.genre !== track.predicted_genre ? `tagged ${track.genre.slice(0, 40)}` : null,
  ].filter(Boolean);
  return (
    <div class="track-head">
      <Cover track={track} isLarge />
      <div>
        <div class="over">
          {track.predicted_genre && <><Dot colour={genreColour(track, isDark.value)} /> {track.predicted_genre}</>}
          {spot && <span class="spot" title="Where it is on the map">{reference(...spot)}</span>}
          <Taste track={track} />
        </div>
        <h1 class="heading clamp" title={track.title.slice(0, 300)}><bdi>{track.title}</bdi></h1>
        <p class="by">
          {artists.length ? artists.map((one, at) => (
            <span key={one.id}>{at > 0 && ", "}<a href={href("artist", one.id)}><bdi>{one.name}</bdi></a></span>
          )) : <bdi>{track.artist ?? "Unknown artist"}</bdi>}
        </p>
        {track.album && (
          <p class="by quiet">{album ? <a href={href("album", album.id)}><bdi>{track.album}</bdi></a> : <bdi>{track.album}</bdi>}</p>
        )}
        <p class="facts figure">{facts.join(" · ")}</p>
        {track.state === "missing" || track.state === "unavailable" ? <Fault text="Its file is not there at present." /> : null}
        {track.damaged && <p class="quiet">Part of its file is damaged.</p>}
      </div>
    </div>
  );
}

/** Share of a similarity from which on what it comes from is named. */
const LEAST = 0.05;

export function reasonsOf(one: Neighbour): string {
  if (!one.why) return "";
  const { groups, alike, differ } = one.why;
  const shared = Object.entries(groups)
    .filter(([, value]) => value >= LEAST)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 2)
    .map(([name, value]) => `${name} ${value.toFixed(2).replace("0.", ".")}`);
  const parts = [alike.join(", "), shared.join(" · "), differ.length ? `not in ${differ.join(", ")}` : ""];
  return parts.filter(Boolean).join("; ");
}

function Neighbours({ items, all, name }: { items: Neighbour[]; all: Track[]; name: string }) {
  return (
    <ul class="rows">
      {items.map((one) => (
        <TrackRow
          key={one.track.id}
          track={one.track}
          isQuiet={one.close === false}
          note={reasonsOf(one) || undefined}
          lead={<Likeness value={one.similarity} />}
          onPlay={() => playAll(all, all.indexOf(one.track), { kind: "list", name: `Like ${name}` })}
        />
      ))}
    </ul>
  );
}

const CHARACTER = [
  ["energy", "Energy"],
  ["danceability", "Dance"],
  ["acousticness", "Acoustic"],
  ["vocals", "Vocals"],
] as const;

function Character({ id }: { id: number }) {
  const sound = soundOf(id);
  if (!sound || CHARACTER.every(([name]) => sound[name] == null)) return null;
  return (
    <dl class="character">
      {CHARACTER.map(([name, label]) => {
        const value = sound[name];
        return value == null ? null : (
          <div key={name}>
            <dt>{label}</dt>
            <dd>
              <svg viewBox="0 0 60 3" preserveAspectRatio="none" aria-hidden="true">
                <rect width="60" height="3" opacity=".22" />
                <rect width={60 * value} height="3" />
              </svg>
              <span class="figure">{percent(value)}</span>
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

export function Likeness({ value }: { value: number }) {
  return (
    <span class="likeness figure" title="Similarity: the cosine of both embeddings">
      {value.toFixed(2).replace("0.", ".")}
      <svg viewBox="0 0 30 3" aria-hidden="true" preserveAspectRatio="none">
        <rect width="30" height="3" opacity=".22" />
        <rect width={30 * Math.min(Math.max(value, 0), 1)} height="3" />
      </svg>
    </span>
  );
}

function Artists({ id }: { id: string }) {
  const found = useAnswer(`artists like\n${id}`, async (signal) => (await get<{ items: SimilarGroup[] }>(`artists/${id}/similar?k=6`, signal)).items);
  if (!found.value?.length) return null;
  return (
    <Section title="Similar artists">
      <ul class="names">
        {found.value.map((one) => (
          <li key={one.id}>
            <a href={href("artist", one.id)}><bdi>{one.name}</bdi></a>
            <span class="figure quiet">{percent(one.similarity)}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
