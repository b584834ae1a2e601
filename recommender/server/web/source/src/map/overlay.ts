// What lies over the points: the frame, names, ways and marks.
import type { Camera } from "./camera";
import { css, type Rgb } from "./colours";
import type { Region } from "./data";

export interface Ink {
  text: string;
  quiet: string;
  accent: string;
  halo: string;
  hairline: string;
}

export interface Mark {
  at: [number, number];
  colour: Rgb;
  close?: boolean;
}

export interface Scene {
  regions: Region[];
  colourOf: (region: Region) => Rgb;
  total: number;
  pointSize: number;
  seed?: Mark;
  near: Mark[];
  found: Mark[];
  way?: { places: ([number, number] | undefined)[]; now: number; drawn: number };
  playing?: Mark;
  hovered?: Mark;
  lasso: [number, number][];
  isCrossed: boolean;
}

const TAU = 2 * Math.PI;

export class Overlay {
  private readonly flat: CanvasRenderingContext2D;

  /** On a canvas of its own, or on what was drawn already on one that all is drawn on. */
  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly isShared: boolean,
  ) {
    this.flat = canvas.getContext("2d")!;
  }

  draw(camera: Camera, ratio: number, ink: Ink, scene: Scene): void {
    const { flat } = this;
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (!this.isShared && (this.canvas.width !== width || this.canvas.height !== height)) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    flat.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (!this.isShared) flat.clearRect(0, 0, camera.width, camera.height);
    flat.lineCap = flat.lineJoin = "round";
    this.names(camera, ink, scene);
    this.near(camera, ink, scene);
    if (scene.way) this.way(camera, ink, scene.way);
    const least = scene.pointSize / 2 + 1;
    for (const mark of scene.found) this.dot(camera, ink, mark, Math.max(4.5, least));
    if (scene.playing) this.playing(camera, ink, scene.playing);
    if (scene.hovered) this.dot(camera, ink, scene.hovered, Math.max(7, least + 1.5));
    if (scene.isCrossed) this.cross(camera, ink);
    this.lasso(camera, ink, scene.lasso);
    this.frame(camera, ink);
  }

  private names(camera: Camera, ink: Ink, scene: Scene): void {
    const { flat } = this;
    const taken: [number, number, number, number][] = [];
    flat.textAlign = "center";
    flat.textBaseline = "middle";
    const small = camera.width < 500;
    const isSparse = scene.total < 600;
    for (const region of [...scene.regions].sort((a, b) => b.tracks - a.tracks)) {
      const [across, low] = camera.toScreen(region.x, region.y);
      // Among few points a name stands above its own, and hides none.
      const y = low - (isSparse ? 14 + scene.pointSize / 2 : 0);
      const share = Math.sqrt(region.tracks / Math.max(scene.total, 1));
      const zoomed = Math.min(camera.zoom ** 0.35, 1.9) * camera.size;
      const size = Math.min((small || isSparse ? 13 : 16) + share * (small || isSparse ? 16 : 30), 40) * zoomed;
      const name = region.name.slice(0, 40);
      flat.font = `italic ${size}px "Libre Caslon Text", "Iowan Old Style", Georgia, serif`;
      flat.letterSpacing = `${size * 0.09}px`;
      const wide = flat.measureText(name).width / 2 + 6;
      const isIn = across > 0 && across < camera.width;
      const x = isIn ? Math.min(Math.max(across, wide + 8), camera.width - wide - 8) : across;
      const box: [number, number, number, number] = [x - wide, y - size * 0.7, x + wide, y + size * 0.7];
      const isOff = box[2] < 0 || box[0] > camera.width || box[3] < 0 || box[1] > camera.height;
      const meets = taken.some((one) => one[0] < box[2] && box[0] < one[2] && one[1] < box[3] && box[1] < one[3]);
      if (isOff || meets) continue;
      taken.push(box);
      flat.lineWidth = Math.max(2.5, size / 7);
      flat.strokeStyle = ink.halo;
      flat.strokeText(name, x, y);
      flat.fillStyle = ink.text;
      flat.fillText(name, x, y);
    }
    flat.letterSpacing = "0px";
  }

  private near(camera: Camera, ink: Ink, scene: Scene): void {
    const { flat } = this;
    if (scene.seed && !scene.way) {
      const [sx, sy] = camera.toScreen(...scene.seed.at);
      for (const mark of scene.near) {
        const [x, y] = camera.toScreen(...mark.at);
        flat.strokeStyle = ink.accent;
        flat.globalAlpha = mark.close ? 0.75 : 0.4;
        flat.lineWidth = 1;
        flat.setLineDash(mark.close ? [] : [2, 4]);
        flat.beginPath();
        flat.moveTo(sx, sy);
        flat.lineTo(x, y);
        flat.stroke();
      }
      flat.setLineDash([]);
      flat.globalAlpha = 1;
    }
    const least = scene.pointSize / 2;
    for (const mark of scene.near) this.dot(camera, ink, mark, mark.close ? Math.max(5, least + 1.5) : Math.max(3.5, least));
    if (scene.seed) this.dot(camera, ink, scene.seed, Math.max(7.5, least + 3));
  }

  private way(camera: Camera, ink: Ink, way: NonNullable<Scene["way"]>): void {
    const { flat } = this;
    const points = way.places.map((one) => one && camera.toScreen(...one));
    // Through all points without corners (Catmull and Rom), as one walks.
    const trace = (from: number, to: number) => {
      flat.beginPath();
      for (let at = from; at < Math.min(to, points.length - 1); at++) {
        const [a, b] = [points[at], points[at + 1]];
        if (!a || !b) continue;
        const [before, after] = [points[at - 1] ?? a, points[at + 2] ?? b];
        flat.moveTo(...a);
        flat.bezierCurveTo(
          a[0] + (b[0] - before[0]) / 7,
          a[1] + (b[1] - before[1]) / 7,
          b[0] - (after[0] - a[0]) / 7,
          b[1] - (after[1] - a[1]) / 7,
          ...b,
        );
      }
      flat.stroke();
    };
    const last = Math.floor(way.drawn);
    flat.strokeStyle = ink.halo;
    flat.lineWidth = 5;
    trace(0, Math.min(last, way.now));
    flat.strokeStyle = ink.accent;
    flat.lineWidth = 1.25;
    flat.setLineDash([5, 5]);
    trace(Math.min(way.now, last), last);
    flat.setLineDash([]);
    flat.lineWidth = 2.25;
    trace(0, Math.min(last, way.now));
    points.slice(0, last + 1).forEach((point, at) => {
      if (!point) return;
      flat.beginPath();
      flat.arc(...point, at === 0 || at === points.length - 1 ? 5 : 3.25, 0, TAU);
      flat.fillStyle = at <= way.now ? ink.accent : ink.halo;
      flat.strokeStyle = ink.accent;
      flat.lineWidth = 1.5;
      flat.fill();
      flat.stroke();
    });
  }

  private dot(camera: Camera, ink: Ink, mark: Mark, radius: number): void {
    const { flat } = this;
    flat.beginPath();
    flat.arc(...camera.toScreen(...mark.at), radius, 0, TAU);
    flat.fillStyle = css(mark.colour);
    flat.fill();
    flat.lineWidth = 1.75;
    flat.strokeStyle = ink.text;
    flat.stroke();
  }

  private playing(camera: Camera, ink: Ink, mark: Mark): void {
    const { flat } = this;
    const [x, y] = camera.toScreen(...mark.at);
    flat.strokeStyle = ink.accent;
    for (const [radius, alpha] of [[8, 1], [14, 0.6], [21, 0.3]]) {
      flat.globalAlpha = alpha;
      flat.lineWidth = 1.5;
      flat.beginPath();
      flat.arc(x, y, radius, 0, TAU);
      flat.stroke();
    }
    flat.globalAlpha = 1;
    flat.beginPath();
    flat.arc(x, y, 4, 0, TAU);
    flat.fillStyle = ink.accent;
    flat.fill();
  }

  private cross(camera: Camera, ink: Ink): void {
    const { flat } = this;
    const [x, y] = camera.middle;
    flat.strokeStyle = ink.text;
    flat.lineWidth = 1;
    flat.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      flat.moveTo(x + 10 * dx, y + 10 * dy);
      flat.lineTo(x + 18 * dx, y + 18 * dy);
    }
    flat.stroke();
  }

  private lasso(camera: Camera, ink: Ink, points: [number, number][]): void {
    if (points.length < 2) return;
    const { flat } = this;
    flat.beginPath();
    points.forEach((point, at) => {
      const screen = camera.toScreen(...point);
      if (at) flat.lineTo(...screen);
      else flat.moveTo(...screen);
    });
    flat.closePath();
    flat.globalAlpha = 0.12;
    flat.fillStyle = ink.accent;
    flat.fill();
    flat.globalAlpha = 1;
    flat.setLineDash([4, 4]);
    flat.lineWidth = 1.5;
    flat.strokeStyle = ink.accent;
    flat.stroke();
    flat.setLineDash([]);
  }

  /** The frame with its letters and numbers, as in an atlas. */
  private frame(camera: Camera, ink: Ink): void {
    const { flat } = this;
    const inset = 14;
    const { width, height } = camera;
    if (width < 420) return;
    flat.strokeStyle = flat.fillStyle = ink.hairline;
    flat.lineWidth = 1;
    flat.strokeRect(inset + 0.5, inset + 0.5, width - 2 * inset - 1, height - 2 * inset - 1);
    flat.beginPath();
    flat.fillStyle = ink.quiet;
    flat.font = '500 10px "Libre Franklin Variable", system-ui, sans-serif';
    flat.textAlign = "center";
    flat.textBaseline = "middle";
    for (let at = 0; at <= 10; at++) {
      const [x] = camera.toScreen(at / 10, 0);
      const [, y] = camera.toScreen(0, at / 10);
      if (x > inset && x < width - inset) {
        flat.moveTo(Math.round(x) + 0.5, inset - 5);
        flat.lineTo(Math.round(x) + 0.5, inset);
        flat.moveTo(Math.round(x) + 0.5, height - inset);
        flat.lineTo(Math.round(x) + 0.5, height - inset + 5);
      }
      if (y > inset && y < height - inset) {
        flat.moveTo(inset - 5, Math.round(y) + 0.5);
        flat.lineTo(inset, Math.round(y) + 0.5);
        flat.moveTo(width - inset, Math.round(y) + 0.5);
        flat.lineTo(width - inset + 5, Math.round(y) + 0.5);
      }
      if (at === 10) continue;
      const [mx] = camera.toScreen((at + 0.5) / 10, 0);
      const [, my] = camera.toScreen(0, 1 - (at + 0.5) / 10);
      if (mx > inset + 8 && mx < width - inset - 8) {
        flat.fillText(String.fromCharCode(65 + at), mx, 7);
        flat.fillText(String.fromCharCode(65 + at), mx, height - 6);
      }
      if (my > inset + 8 && my < height - inset - 8) {
        flat.fillText(String(at + 1), 7, my);
        flat.fillText(String(at + 1), width - 7, my);
      }
    }
    flat.stroke();
  }
}
