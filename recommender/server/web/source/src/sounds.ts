// What is heard in the tracks that are shown: asked for together.
import { signal } from "@preact/signals";
import { post } from "./api";
import type { Descriptors } from "./types";

const known = signal<ReadonlyMap<number, Descriptors>>(new Map());
const asked = new Set<number>();
let waiting: number[] = [];

/** The descriptors of a track, once they are there. */
export function soundOf(id: number): Descriptors | undefined {
  if (!asked.has(id)) {
    asked.add(id);
    if (!waiting.length) setTimeout(() => void askForAll(), 60);
    waiting.push(id);
  }
  return known.value.get(id);
}

async function askForAll(): Promise<void> {
  const ids = waiting.slice(0, 1000);
  waiting = waiting.slice(1000);
  try {
    const { items } = await post<{ items: Descriptors[] }>("descriptors", { track_ids: ids });
    if (items.length) known.value = new Map([...known.value, ...items.map((one) => [one.id, one] as const)]);
  } catch {
    ids.forEach((id) => asked.delete(id));
  }
  if (waiting.length) void askForAll();
}
