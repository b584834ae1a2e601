// Which track a point is.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api";
import type { Track } from "../types";
import { clock } from "../text";

const known = new Map<number, Track>();
const MOST = 3000;

export function remember(tracks: Track[]): void {
  for (const one of tracks) known.set(one.id, one);
  for (const id of known.keys()) {
    if (known.size <= MOST) break;
    known.delete(id);
  }
}

export async function trackOf(id: number, signal?: AbortSignal): Promise<Track | undefined> {
  const there = known.get(id);
  if (there) return there;
  try {
    const { track } = await get<{ track: Track }>(`tracks/${id}`, signal);
    remember([track]);
    return track;
  } catch {
    return undefined;
  }
}

interface Props {
  id: number;
  x?: number;
  y?: number;
  width?: number;
  isCentred?: boolean;
}

export function Tip({ id, x = 0, y = 0, width = 0, isCentred = false }: Props) {
  const track = useSignal<Track | undefined>(known.get(id));
  useEffect(() => {
    const ending = new AbortController();
    track.value = known.get(id);
    // Not for each point that the pointer passes.
    const timer = setTimeout(
      async () => {
        const found = await trackOf(id, ending.signal);
        if (!ending.signal.aborted) track.value = found;
      },
      known.has(id) ? 0 : 60,
    );
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [id]);
  const shown = track.value;
  if (!shown) return null;
  const isLeft = x > width - 280;
  const style = isCentred ? undefined : { left: `${isLeft ? x - 14 : x + 14}px`, top: `${y + 12}px` };
  return (
    <div class={`tip ${isCentred ? "is-centred" : ""} ${isLeft ? "is-left" : ""}`} style={style}>
      <b><bdi>{shown.title}</bdi></b>
      <span><bdi>{shown.artist ?? "Unknown artist"}</bdi></span>
      <small>
        {shown.predicted_genre ?? "no genre"} · {clock(shown.duration)}
      </small>
    </div>
  );
}
