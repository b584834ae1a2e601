// Draws ground, contour lines and points pixel by pixel, where there is no graphics processor: what
// takes the place of one draws the same by WebGL several times as slowly.
import type { Camera } from "./camera";
import type { Rgb } from "./colours";
import { GRID, LEVELS, MARGIN } from "./contours";
import type { Drawing, Paint } from "./renderer";

const STEPS = 2048;
const SPAN = 1 + 2 * MARGIN;

interface Stamp {
  dx: Int32Array;
  dy: Int32Array;
  cover: Float32Array;
  reach: number;
}

export class Raster implements Drawing {
  readonly kind = "pixels";
  private readonly flat: CanvasRenderingContext2D;
  private image: ImageData | undefined;
  private pixels = new Uint32Array();
  private places = new Float32Array();
  private colours = new Uint32Array();
  private covers = new Uint8Array();
  private grid: Float32Array | undefined;
  private readonly shades = new Uint32Array(STEPS + 1);
  private readonly lines = new Uint32Array(STEPS + 1);
  /** How far a height is from the nearest line. */
  private readonly away = new Float32Array(STEPS + 1);
  private painted: Paint | undefined;
  private stamps = new Map<number, Stamp>();
  private columns = new Int32Array();
  private shares = new Float32Array();
  private above = new Float32Array();

  constructor(readonly canvas: HTMLCanvasElement) {
    this.flat = canvas.getContext("2d", { alpha: false, willReadFrequently: true })!;
  }

  show(places: Float32Array, grid: Float32Array): void {
    this.places = places as Float32Array<ArrayBuffer>;
    this.grid = grid;
  }

  recolour(colours: Uint8Array): void {
    const count = colours.length / 4;
    this.colours = new Uint32Array(count);
    this.covers = new Uint8Array(count);
    for (let row = 0; row < count; row++) {
      this.colours[row] = packed([colours[4 * row], colours[4 * row + 1], colours[4 * row + 2]]);
      this.covers[row] = colours[4 * row + 3];
    }
  }

  resize(width: number, height: number, ratio: number): void {
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
    this.image = this.flat.createImageData(this.canvas.width, this.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.columns = new Int32Array(this.canvas.width);
    this.shares = new Float32Array(this.canvas.width);
    this.above = new Float32Array(this.canvas.width);
  }

  draw(camera: Camera, pointSize: number, paint: Paint): void {
    if (!this.image) return;
    if (this.painted !== paint) this.mix(paint);
    const ratio = this.image.width / camera.width;
    if (this.grid) this.ground(this.grid, camera, ratio);
    else this.pixels.fill(packed(paint.sea));
    this.points(camera, ratio, pointSize * ratio);
    this.flat.putImageData(this.image, 0, 0);
  }

  /** The colour of the ground at every height, with and without a line. */
  private mix(paint: Paint): void {
    this.painted = paint;
    for (let step = 0; step <= STEPS; step++) {
      const height = step / STEPS;
      const band = LEVELS.filter((level) => level <= height).length / LEVELS.length;
      const ground = between(paint.sea, paint.land, band);
      let nearest = 0;
      LEVELS.forEach((level, at) => {
        if (Math.abs(level - height) < Math.abs(LEVELS[nearest] - height)) nearest = at;
      });
      this.shades[step] = packed(ground);
      this.away[step] = Math.abs(LEVELS[nearest] - height);
      const strength = paint.lines * (0.35 + (0.65 * (nearest + 1)) / LEVELS.length);
      this.lines[step] = packed(between(ground, paint.ink, strength));
    }
  }

  private ground(grid: Float32Array, camera: Camera, ratio: number): void {
    const { width, height } = this.image!;
    const { pixels, shades, lines, away, columns, shares, above } = this;
    const cells = (value: number) => ((value + MARGIN) / SPAN) * GRID - 0.5;
    for (let x = 0; x < width; x++) {
      const at = Math.min(Math.max(cells(camera.toMap((x + 0.5) / ratio, 0)[0]), 0), GRID - 1.001);
      columns[x] = Math.floor(at);
      shares[x] = at - columns[x];
    }
    const line = new Float32Array(GRID);
    for (let y = 0; y < height; y++) {
      const at = Math.min(Math.max(cells(camera.toMap(0, (y + 0.5) / ratio)[1]), 0), GRID - 1.001);
      const low = Math.floor(at);
      const share = at - low;
      for (let x = 0; x < GRID; x++) {
        const one = grid[low * GRID + x];
        line[x] = one + share * (grid[low * GRID + GRID + x] - one);
      }
      const start = y * width;
      let before = line[columns[0]];
      for (let x = 0; x < width; x++) {
        const column = columns[x];
        const h = line[column] + shares[x] * (line[column + 1] - line[column]);
        const step = (h * STEPS) | 0;
        const steep = Math.abs(h - before) + Math.abs(h - above[x]);
        pixels[start + x] = away[step] < 0.62 * steep && y > 0 ? lines[step] : shades[step];
        before = above[x] = h;
      }
    }
  }

  private points(camera: Camera, ratio: number, size: number): void {
    const { width, height } = this.image!;
    const { pixels, places, colours, covers } = this;
    const { dx, dy, cover, reach } = this.stamp(size);
    const scale = camera.scale * ratio;
    const [mx, my] = camera.middle;
    const left = mx * ratio - camera.x * scale;
    const top = my * ratio + camera.y * scale;
    const count = colours.length;
    for (let row = 0; row < count; row++) {
      const x = (left + places[2 * row] * scale) | 0;
      const y = (top - places[2 * row + 1] * scale) | 0;
      if (x < reach || y < reach || x >= width - reach || y >= height - reach) continue;
      const colour = colours[row];
      const strength = covers[row] / 255;
      const start = y * width + x;
      for (let at = 0; at < cover.length; at++) {
        const where = start + dy[at] * width + dx[at];
        const share = cover[at] * strength;
        pixels[where] = share > 0.85 ? colour : blended(pixels[where], colour, share);
      }
    }
  }

  /** Which pixels a point of a size covers, and how far. */
  private stamp(size: number): Stamp {
    const rounded = Math.max(Math.round(size * 2) / 2, 1);
    const known = this.stamps.get(rounded);
    if (known) return known;
    const radius = rounded / 2;
    const reach = Math.ceil(radius + 0.5);
    const found: [number, number, number][] = [];
    for (let y = -reach; y <= reach; y++) {
      for (let x = -reach; x <= reach; x++) {
        const cover = Math.min(Math.max(radius + 0.5 - Math.hypot(x, y), 0), 1);
        if (cover > 0.08) found.push([x, y, cover]);
      }
    }
    const made = {
      dx: Int32Array.from(found, (one) => one[0]),
      dy: Int32Array.from(found, (one) => one[1]),
      cover: Float32Array.from(found, (one) => one[2]),
      reach,
    };
    this.stamps.set(rounded, made);
    return made;
  }
}

function packed([r, g, b]: Rgb): number {
  return (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
}

function between(from: Rgb, to: Rgb, share: number): Rgb {
  return [0, 1, 2].map((at) => from[at] + share * (to[at] - from[at])) as Rgb;
}

function blended(under: number, over: number, share: number): number {
  const weight = (share * 256) | 0;
  const red = (under & 255) + ((((over & 255) - (under & 255)) * weight) >> 8);
  const green = ((under >> 8) & 255) + (((((over >> 8) & 255) - ((under >> 8) & 255)) * weight) >> 8);
  const blue = ((under >> 16) & 255) + (((((over >> 16) & 255) - ((under >> 16) & 255)) * weight) >> 8);
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}
