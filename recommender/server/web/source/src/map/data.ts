// The map as the server packs it, and what is looked up in it.

export interface Region {
  name: string;
  x: number;
  y: number;
  tracks: number;
  group: number;
}

interface Head {
  total: number;
  shown: number;
  side: number;
  method: string;
  note?: string | null;
  genres: string[];
  regions: Region[];
  clusters?: string[];
  cluster_regions?: Region[];
  columns: [string, string][];
}

export type Column = Uint32Array | Uint16Array | Uint8Array;

const KINDS: Record<string, [new (buffer: ArrayBuffer, at: number, length: number) => Column, number]> = {
  u4: [Uint32Array, 4],
  u2: [Uint16Array, 2],
  u1: [Uint8Array, 1],
};
export const NO_GROUP = 255;
const CELLS = 256;

export class MapData {
  readonly columns: Record<string, Column> = {};
  readonly ids: Column;
  /** From 0 to 1, y upwards: two a track. */
  readonly places: Float32Array;
  private readonly rowOf = new Map<number, number>();
  private readonly starts = new Uint32Array(CELLS * CELLS + 1);
  private readonly inCells: Uint32Array;

  constructor(
    readonly head: Head,
    buffer: ArrayBuffer,
    from: number,
  ) {
    let at = from;
    for (const [name, kind] of head.columns) {
      const [Kind, size] = KINDS[kind];
      this.columns[name] = new Kind(buffer, at, head.shown);
      at += Math.ceil((size * head.shown) / 4) * 4;
    }
    const { id, x, y } = this.columns;
    this.ids = id;
    this.places = new Float32Array(2 * head.shown);
    for (let row = 0; row < head.shown; row++) {
      this.rowOf.set(id[row], row);
      this.places[2 * row] = x[row] / head.side;
      this.places[2 * row + 1] = y[row] / head.side;
    }
    this.inCells = this.sorted();
  }

  static parse(buffer: ArrayBuffer): MapData {
    const view = new DataView(buffer);
    if (view.getUint32(0) !== 0x524d4150) throw new Error("The map cannot be read.");
    const length = view.getUint32(4, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length))) as Head;
    return new MapData(head, buffer, 8 + length);
  }

  get count(): number {
    return this.head.shown;
  }

  row(id: number): number | undefined {
    return this.rowOf.get(id);
  }

  /** The row nearest to a point, at most `reach` away. */
  nearest(x: number, y: number, reach: number): number | undefined {
    const cell = (value: number) => Math.min(Math.max(Math.floor(value * CELLS), 0), CELLS - 1);
    let found: number | undefined;
    let best = reach * reach;
    for (let cy = cell(y - reach); cy <= cell(y + reach); cy++) {
      for (let cx = cell(x - reach); cx <= cell(x + reach); cx++) {
        const one = cy * CELLS + cx;
        for (let at = this.starts[one]; at < this.starts[one + 1]; at++) {
          const row = this.inCells[at];
          const away = (this.places[2 * row] - x) ** 2 + (this.places[2 * row + 1] - y) ** 2;
          if (away < best) [best, found] = [away, row];
        }
      }
    }
    return found;
  }

  /** The ids of the tracks inside a polygon (flat: x, y, x, y …). */
  inside(polygon: number[]): number[] {
    const found: number[] = [];
    for (let row = 0; row < this.count; row++) {
      const [x, y] = [this.places[2 * row], this.places[2 * row + 1]];
      let isIn = false;
      for (let i = 0, j = polygon.length - 2; i < polygon.length; j = i, i += 2) {
        const [ax, ay, bx, by] = [polygon[i], polygon[i + 1], polygon[j], polygon[j + 1]];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isIn = !isIn;
      }
      if (isIn) found.push(this.ids[row]);
    }
    return found;
  }

  private sorted(): Uint32Array {
    const cellOf = new Uint32Array(this.count);
    for (let row = 0; row < this.count; row++) {
      const x = Math.min(Math.floor(this.places[2 * row] * CELLS), CELLS - 1);
      const y = Math.min(Math.floor(this.places[2 * row + 1] * CELLS), CELLS - 1);
      cellOf[row] = y * CELLS + x;
      this.starts[cellOf[row] + 1]++;
    }
    for (let cell = 0; cell < CELLS * CELLS; cell++) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    const rows = new Uint32Array(this.count);
    for (let row = 0; row < this.count; row++) rows[next[cellOf[row]]++] = row;
    return rows;
  }
}

/** The reference of a place by the map's letters and numbers, as in an atlas. */
export function reference(x: number, y: number): string {
  const column = Math.min(Math.max(Math.floor(x * 10), 0), 9);
  const row = Math.min(Math.max(Math.floor((1 - y) * 10), 0), 9);
  return `${String.fromCharCode(65 + column)}${row + 1}`;
}
