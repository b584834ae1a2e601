// How densely the tracks lie, and lines of equal density, as on a map of hills.

export const GRID = 224;
/** The grid reaches beyond the points by this share of the map on every side. */
export const MARGIN = 0.32;
const SPAN = 1 + 2 * MARGIN;
export const LEVELS = [0.018, 0.045, 0.09, 0.16, 0.26, 0.4, 0.58, 0.78];

export function density(places: Float32Array): Float32Array {
  const count = places.length / 2;
  let grid = new Float32Array(GRID * GRID);
  for (let row = 0; row < count; row++) {
    // Shared among the four cells around it.
    const x = ((places[2 * row] + MARGIN) / SPAN) * GRID - 0.5;
    const y = ((places[2 * row + 1] + MARGIN) / SPAN) * GRID - 0.5;
    const [left, low] = [Math.floor(x), Math.floor(y)];
    const [fx, fy] = [x - left, y - low];
    const at = low * GRID + left;
    grid[at] += (1 - fx) * (1 - fy);
    grid[at + 1] += fx * (1 - fy);
    grid[at + GRID] += (1 - fx) * fy;
    grid[at + GRID + 1] += fx * fy;
  }
  const radius = Math.round(Math.min(Math.max(19 / Math.max(count, 1) ** 0.23, 2), 8));
  for (let pass = 0; pass < 5; pass++) grid = blurred(blurred(grid, 1, radius), GRID, radius);
  let most = 0;
  for (const one of grid) most = Math.max(most, one);
  if (most > 0) for (let at = 0; at < grid.length; at++) grid[at] = Math.sqrt(grid[at] / most);
  return grid;
}

function blurred(grid: Float32Array, step: number, radius: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(grid.length);
  const across = step === 1 ? GRID : 1;
  for (let line = 0; line < GRID; line++) {
    let sum = 0;
    const start = line * across;
    for (let at = -radius; at < GRID; at++) {
      if (at + radius < GRID) sum += grid[start + (at + radius) * step];
      if (at - radius - 1 >= 0) sum -= grid[start + (at - radius - 1) * step];
      if (at >= 0) out[start + at * step] = Math.max(sum, 0) / (2 * radius + 1);
    }
  }
  return out;
}

/** Segments (x1, y1, x2, y2, share of the highest level) of the lines, by marching squares. */
export function contours(grid: Float32Array): Float32Array {
  const out: number[] = [];
  const place = (index: number) => ((index + 0.5) / GRID) * SPAN - MARGIN;
  LEVELS.forEach((level, number) => {
    for (let y = 0; y < GRID - 1; y++) {
      for (let x = 0; x < GRID - 1; x++) {
        const corners = [
          grid[y * GRID + x],
          grid[y * GRID + x + 1],
          grid[(y + 1) * GRID + x + 1],
          grid[(y + 1) * GRID + x],
        ];
        const crossed: number[] = [];
        for (let edge = 0; edge < 4; edge++) {
          const [from, to] = [corners[edge], corners[(edge + 1) % 4]];
          if (from > level === to > level) continue;
          const share = (level - from) / (to - from);
          const ax = x + (edge === 1 || edge === 2 ? 1 : 0);
          const ay = y + (edge >= 2 ? 1 : 0);
          const bx = x + (edge === 0 || edge === 1 ? 1 : 0);
          const by = y + (edge === 1 || edge === 2 ? 1 : 0);
          crossed.push(place(ax + share * (bx - ax)), place(ay + share * (by - ay)));
        }
        for (let at = 0; at + 3 < crossed.length; at += 4) {
          out.push(...crossed.slice(at, at + 4), (number + 1) / LEVELS.length);
        }
      }
    }
  });
  return Float32Array.from(out);
}
