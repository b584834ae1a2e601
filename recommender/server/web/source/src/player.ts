// The queue and the sound. The queue is kept in the browser, so that a reload goes on with it.
import { computed, effect, signal } from "@preact/signals";
import { address, noteLoss, openMedia, post, secret } from "./api";
import { complain, keep, say, stored } from "./store";
import type { Mix, Track } from "./types";

export interface Source {
  kind: "radio" | "path" | "playlist" | "list";
  name: string;
  seed?: number;
}

interface Kept {
  items: Track[];
  index: number;
  at: number;
  source: Source;
}

const QUEUE = "recsys.queue";
const MOST = 2000;
const AHEAD = 5;
const MOST_FAILURES = 7;
const EMPTY: Kept = { items: [], index: 0, at: 0, source: { kind: "list", name: "Queue" } };

function restored(): Kept {
  try {
    const kept = JSON.parse(stored(QUEUE, "")) as Kept;
    const isSound =
      Array.isArray(kept.items) &&
      kept.items.every((one) => Number.isInteger(one.id) && typeof one.title === "string") &&
      Number.isInteger(kept.index) &&
      typeof kept.source?.name === "string";
    return isSound ? kept : EMPTY;
  } catch {
    return EMPTY;
  }
}

const before = restored();
export const queue = signal<Track[]>(before.items);
export const index = signal(Math.min(Math.max(before.index, 0), Math.max(before.items.length - 1, 0)));
export const source = signal<Source>(before.source);
export const current = computed<Track | undefined>(() => queue.value[index.value]);
export const isPlaying = signal(false);
export const isWaiting = signal(false);
export const at = signal(before.at || 0);
export const length = signal(0);
export const volume = signal(Number(stored("recsys.volume", "0.9")) || 0);
export const isMuted = signal(false);

const audio = new Audio();
audio.preload = "metadata";
let loaded: number | undefined;
let failures = 0;
let isNoted = false;

export function mediaAddress(id: number, what: "file" | "cover"): string {
  return address(`web/media/${id}/${what}`);
}

effect(() => {
  audio.volume = isMuted.value ? 0 : Math.min(Math.max(volume.value, 0), 1) ** 1.6;
  keep("recsys.volume", String(volume.value));
});
effect(() => {
  const kept: Kept = { items: queue.value, index: index.value, at: 0, source: source.value };
  keep(QUEUE, JSON.stringify({ ...kept, at: at.peek() }));
});
addEventListener("pagehide", () =>
  keep(QUEUE, JSON.stringify({ items: queue.value, index: index.value, at: at.value, source: source.value })),
);

function load(track: Track, from = 0): void {
  loaded = track.id;
  isNoted = false;
  at.value = from;
  length.value = track.duration;
  audio.src = mediaAddress(track.id, "file");
  if (from > 0) audio.currentTime = from;
}

async function start(): Promise<void> {
  const track = current.value;
  if (!track) return;
  if (loaded !== track.id) load(track, at.value < track.duration - 2 ? at.value : 0);
  describe(track);
  try {
    await audio.play();
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotAllowedError") isPlaying.value = false;
  }
}

/** Play these tracks, beginning with one of them. */
export function playAll(tracks: Track[], first = 0, from?: Source): void {
  if (!tracks.length) return;
  const cut = Math.max(0, Math.min(first - MOST / 2, tracks.length - MOST));
  queue.value = tracks.slice(cut, cut + MOST);
  index.value = first - cut;
  source.value = from ?? { kind: "list", name: "Queue" };
  at.value = 0;
  failures = 0;
  loaded = undefined;
  void start();
}

/** Play a track now, and go on with the queue after it. */
export function playNow(track: Track): void {
  const found = queue.value.findIndex((one) => one.id === track.id);
  if (found >= 0) {
    jump(found);
    return;
  }
  const where = queue.value.length ? index.value + 1 : 0;
  queue.value = queue.value.toSpliced(where, 0, track).slice(-MOST);
  jump(queue.value.findIndex((one) => one.id === track.id));
}

export function enqueue(tracks: Track[], isNext = false): void {
  const known = new Set(queue.value.map((one) => one.id));
  const fresh = tracks.filter((one) => !known.has(one.id));
  const where = isNext && queue.value.length ? index.value + 1 : queue.value.length;
  queue.value = queue.value.toSpliced(where, 0, ...fresh).slice(0, MOST);
  say(fresh.length === 1 ? "Added to the queue." : `${fresh.length} added to the queue.`);
}

export function jump(to: number): void {
  if (to < 0 || to >= queue.value.length) return;
  index.value = to;
  at.value = 0;
  loaded = undefined;
  void start();
}

export function move(from: number, to: number): void {
  if (to < 0 || to >= queue.value.length) return;
  const playing = current.value;
  const moved = [...queue.value];
  const [one] = moved.splice(from, 1);
  moved.splice(to, 0, one);
  queue.value = moved;
  index.value = playing ? moved.indexOf(playing) : 0;
}

export function removeAt(where: number): void {
  const wasPlaying = where === index.value;
  queue.value = queue.value.toSpliced(where, 1);
  if (where < index.value) index.value -= 1;
  else if (wasPlaying) {
    index.value = Math.min(where, Math.max(queue.value.length - 1, 0));
    if (isPlaying.value && queue.value.length) jump(index.value);
    else stop();
  }
}

export function clear(): void {
  queue.value = [];
  index.value = 0;
  source.value = { kind: "list", name: "Queue" };
  stop();
}

function stop(): void {
  audio.pause();
  audio.removeAttribute("src");
  loaded = undefined;
  at.value = 0;
  length.value = current.value?.duration ?? 0;
}

export function toggle(): void {
  if (isPlaying.value) audio.pause();
  else void start();
}

export function next(): void {
  if (index.value + 1 < queue.value.length) jump(index.value + 1);
  else audio.pause();
}

export function previous(): void {
  if (at.value > 4 || index.value === 0) seek(0);
  else jump(index.value - 1);
}

export function seek(to: number): void {
  const track = current.value;
  if (!track) return;
  const wanted = Math.min(Math.max(to, 0), Math.max(track.duration - 0.5, 0));
  at.value = wanted;
  if (loaded === track.id) audio.currentTime = wanted;
}

/** A radio from a track: a list that goes on while it plays. */
export async function radio(track: Track): Promise<Mix | undefined> {
  try {
    const mix = await moreOf(track.id, []);
    const tracks = mix.items.map((one) => one.track).filter((one) => one.id !== track.id);
    playAll([track, ...tracks], 0, { kind: "radio", name: track.title, seed: track.id });
    return mix;
  } catch (error) {
    complain(error);
    return undefined;
  }
}

function moreOf(seed: number, previous: number[]): Promise<Mix> {
  return post<Mix>("radio", {
    seeds: { like: [seed] },
    rules: { previous },
    length: { tracks: 20 },
  });
}

let isGrowing = false;
effect(() => {
  const { kind, seed } = source.value;
  const left = queue.value.length - index.value;
  if (kind !== "radio" || seed === undefined || left > AHEAD || isGrowing || !queue.value.length) return;
  isGrowing = true;
  moreOf(seed, queue.value.map((one) => one.id))
    .then((mix) => {
      if (source.value.kind === "radio" && source.value.seed === seed && mix.items.length) {
        queue.value = [...queue.value, ...mix.items.map((one) => one.track)].slice(-MOST);
        isGrowing = false;
      }
    })
    // A radio that has nothing left ends; another one begins afresh.
    .catch(() => undefined);
});
effect(() => {
  void source.value;
  isGrowing = false;
});

audio.addEventListener("play", () => (isPlaying.value = true));
audio.addEventListener("playing", () => {
  isWaiting.value = false;
  failures = 0;
});
audio.addEventListener("waiting", () => (isWaiting.value = true));
audio.addEventListener("pause", () => {
  isPlaying.value = false;
  isWaiting.value = false;
});
audio.addEventListener("ended", ended);
audio.addEventListener("timeupdate", () => {
  const track = current.value;
  if (!track || loaded !== track.id) return;
  at.value = audio.currentTime;
  if (!isNoted && (at.value > track.duration / 2 || at.value > 240)) {
    isNoted = true;
    post("history", { kind: "play", track_id: track.id }).catch(() => undefined);
  }
});
audio.addEventListener("durationchange", () => {
  if (Number.isFinite(audio.duration)) length.value = audio.duration;
});
audio.addEventListener("error", () => {
  if (loaded !== undefined && audio.getAttribute("src")) void explain(loaded);
});

function ended(): void {
  if (index.value + 1 < queue.value.length) jump(index.value + 1);
  else {
    audio.pause();
    at.value = 0;
    loaded = undefined;
  }
}

/** Finds out why a sound does not play, says so, and goes on. */
async function explain(id: number): Promise<void> {
  const track = current.value;
  if (!track || track.id !== id) return;
  const wasAt = at.value;
  let status: number;
  try {
    const headers = { Range: "bytes=0-1" };
    status = (await fetch(mediaAddress(id, "file"), { headers, cache: "no-store" })).status;
  } catch {
    isPlaying.value = false;
    loaded = undefined; // the same place again, once there is a server
    at.value = wasAt;
    noteLoss();
    return;
  }
  if (current.value?.id !== id) return;
  if (status === 401 && secret() && failures++ < 2) {
    await openMedia().catch(() => undefined);
    loaded = undefined;
    at.value = wasAt;
    void start();
    return;
  }
  isPlaying.value = false;
  if (status === 401) return;
  const what = `“${track.title.slice(0, 60)}”`;
  const reason =
    status === 404
      ? `The file of ${what} is gone: it was moved, deleted, or its disk is off.`
      : status < 300
        ? `This browser cannot play the format of ${what}.`
        : `${what} cannot be played at present.`;
  const rest = index.value + 1 < queue.value.length ? " The next one is tried." : "";
  say(failures < MOST_FAILURES ? reason + rest : `${reason} Nor could those before it: playing has stopped.`, true, "sound");
  loaded = undefined;
  if (failures++ < MOST_FAILURES && index.value + 1 < queue.value.length) setTimeout(() => current.value?.id === id && next(), 600);
}

function describe(track: Track): void {
  if (!("mediaSession" in navigator)) return;
  navigator.mediaSession.metadata = new MediaMetadata({
    title: track.title.slice(0, 300),
    artist: track.artist?.slice(0, 300) ?? "",
    album: track.album?.slice(0, 300) ?? "",
    artwork: [{ src: mediaAddress(track.id, "cover") }],
  });
}

if ("mediaSession" in navigator) {
  const session = navigator.mediaSession;
  session.setActionHandler("play", () => void start());
  session.setActionHandler("pause", () => audio.pause());
  session.setActionHandler("nexttrack", next);
  session.setActionHandler("previoustrack", previous);
  session.setActionHandler("seekbackward", (how) => seek(at.value - (how.seekOffset ?? 10)));
  session.setActionHandler("seekforward", (how) => seek(at.value + (how.seekOffset ?? 10)));
  session.setActionHandler("seekto", (how) => how.seekTime !== undefined && seek(how.seekTime));
  effect(() => {
    session.playbackState = isPlaying.value ? "playing" : current.value ? "paused" : "none";
  });
}
length.value = current.value?.duration ?? 0;
