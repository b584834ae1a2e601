// What the map shows, beside its points: what is near what, and the way a list takes.
import { computed, effect, signal } from "@preact/signals";
import { ApiError, ask, onReturn, post } from "../api";
import { queue, index as playing, source } from "../player";
import { complain, keep, place, status, stored } from "../store";
import { MapData } from "./data";

export type ColourBy = "genre" | "cluster" | "year" | "energy";

export const data = signal<MapData | null>(null);
export const isLoading = signal(true);
export const colourBy = signal<ColourBy>(stored("recsys.colour", "genre"));
export const only = signal<number | null>(null);
export const hovered = signal<number | null>(null);
export const picked = signal<number[]>([]);
/** Whether the map has no room for its key beside it. */
export const isNarrow = signal(false);
export const isPicking = signal(false);

export interface Near {
  id: number;
  close: boolean;
}
/** The track whose neighbours are on the left, and where they are. */
export const seed = signal<number | null>(null);
export const near = signal<Near[]>([]);
/** Found tracks that stand out. */
export const found = signal<number[]>([]);
/** A way that a view shows; else the queue's, while a radio or a path is played. */
export const shownWay = signal<{ ids: number[]; now: number } | null>(null);
export const way = computed(() => {
  if (shownWay.value) return shownWay.value;
  const kind = source.value.kind;
  if (kind === "list" || queue.value.length < 2) return null;
  return { ids: queue.value.map((one) => one.id), now: playing.value };
});

/** Which way to look; the map flies there. */
export const aim = signal<{ ids: number[] } | null>(null);

effect(() => keep("recsys.colour", colourBy.value));
effect(() => {
  // A pane that is left takes its marks with it.
  void place.value;
  seed.value = null;
  near.value = [];
  found.value = [];
  shownWay.value = null;
});

const spots = new Map<number, [number, number]>();
export const spotsChanged = signal(0);
const asked = new Set<number>();

/** Where a track is; of those that are not in the sample, once the server has said so. */
export function spotOf(id: number): [number, number] | undefined {
  const map = data.value;
  const row = map?.row(id);
  if (map && row !== undefined) return [map.places[2 * row], map.places[2 * row + 1]];
  return spots.get(id);
}

export function needSpots(ids: number[]): void {
  const map = data.value;
  if (!map || map.head.shown === map.head.total) return;
  const missing = ids.filter((id) => map.row(id) === undefined && !asked.has(id)).slice(0, 1000);
  if (!missing.length) return;
  for (const id of missing) asked.add(id);
  post<{ items: { id: number; x: number; y: number }[] }>("map/places", { track_ids: missing })
    .then((answer) => {
      for (const { id, x, y } of answer.items) spots.set(id, [x / map.head.side, y / map.head.side]);
      spotsChanged.value++;
    })
    .catch(() => missing.forEach((id) => asked.delete(id)));
}

let tag = "";

export async function loadMap(): Promise<void> {
  try {
    const answer = await ask("GET", `map?limit=${innerWidth < 700 ? 25_000 : 60_000}`);
    const fresh = answer.headers.get("etag") ?? "";
    if (data.value && fresh && fresh === tag) return;
    const buffer = await answer.arrayBuffer();
    tag = fresh;
    spots.clear();
    asked.clear();
    data.value = MapData.parse(buffer);
    performance.mark("map-loaded");
  } catch (error) {
    if (error instanceof ApiError && error.status === 503) return; // `status` says when to ask again
    else complain(error);
  } finally {
    isLoading.value = false;
    if (!data.value && status.value?.analysed) setTimeout(() => void loadMap(), 4000);
  }
}

onReturn(() => void loadMap());
let revision = -1;
effect(() => {
  const now = status.value?.revision ?? -1;
  if (now !== -1 && (revision !== -1 ? now !== revision : !data.peek() && !isLoading.peek())) void loadMap();
  revision = now;
});
