// The map: drawn when something has changed, and never otherwise.
import { effect, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { current, isPlaying, playNow } from "../player";
import { go, isCalm, isDark, isEmpty, isOpening, place, status } from "../store";
import { Icon } from "../parts/icons";
import { Key } from "./Key";
import { Camera } from "./camera";
import { groupColour, noColour, scaleColour, type Rgb } from "./colours";
import { contours, density } from "./contours";
import { NO_GROUP, type MapData } from "./data";
import { Tip, trackOf } from "./Tip";
import { Overlay, type Ink, type Mark, type Scene } from "./overlay";
import { Raster } from "./raster";
import { Renderer, processorOf, type Drawing, type Paint } from "./renderer";
import * as state from "./state";
import { number } from "../text";

const PAINTS: Record<"light" | "dark", Paint & { ink2: Ink }> = {
  light: {
    sea: [243, 238, 227],
    land: [252, 249, 242],
    ink: [150, 126, 86],
    lines: 0.62,
    ink2: { text: "#1b2a35", quiet: "#66706f", accent: "#ad3a1f", halo: "rgb(250 246 237 / .7)", hairline: "#b9ad94" },
  },
  dark: {
    sea: [12, 20, 29],
    land: [32, 50, 66],
    ink: [118, 152, 176],
    lines: 0.5,
    ink2: { text: "#f1eadb", quiet: "#8b9ba6", accent: "#ff9468", halo: "rgb(12 20 29 / .6)", hairline: "#3a4d5c" },
  },
};

export function colourOfRow(map: MapData, row: number, by: state.ColourBy, dark: boolean): Rgb {
  const { genre, cluster, year, energy } = map.columns;
  if (by === "cluster" && cluster) {
    const one = cluster[row];
    return one >= 65535 ? noColour(dark) : groupColour(`cluster ${one}`, one, dark);
  }
  if (by === "year") return year[row] ? scaleColour(yearShare(map, year[row]), dark) : noColour(dark);
  if (by === "energy" && energy) return energy[row] === 255 ? noColour(dark) : scaleColour(energy[row] / 254, dark);
  return genre[row] === NO_GROUP ? noColour(dark) : groupColour(map.head.genres[genre[row]], genre[row], dark);
}

const ranges = new WeakMap<MapData, [number, number]>();
export function yearRange(map: MapData): [number, number] {
  let range = ranges.get(map);
  if (!range) {
    const years = Uint16Array.from(map.columns.year).filter((one) => one > 1900 && one < 2100).sort();
    const at = (share: number) => years[Math.floor(share * (years.length - 1))];
    range = years.length ? [at(0.02), Math.max(at(0.98), at(0.02) + 1)] : [0, 0];
    ranges.set(map, range);
  }
  return range;
}

function yearShare(map: MapData, year: number): number {
  const [first, last] = yearRange(map);
  return Math.min(Math.max((year - first) / (last - first), 0), 1);
}

class Chart {
  readonly camera = new Camera();
  private readonly renderer: Drawing;
  private readonly overlay: Overlay;
  private isDue = false;
  private drawnWay = { key: "", start: 0 };
  private lasso: [number, number][] = [];
  private pointers = new Map<number, [number, number]>();
  private moved = 0;
  private readonly hasProcessor: boolean;
  isCrossed = false;
  onHover: (id: number | null, x: number, y: number) => void = () => undefined;

  constructor(
    readonly box: HTMLElement,
    ground: HTMLCanvasElement,
    readonly over: HTMLCanvasElement,
  ) {
    const processor = processorOf(ground);
    this.renderer = processor ? new Renderer(ground, processor) : new Raster(over);
    this.overlay = new Overlay(over, !processor);
    this.hasProcessor = processor !== null;
    ground.hidden = !processor;
    ground.addEventListener("again", () => this.due());
    box.dataset.renderer = this.renderer.kind;
  }

  get ratio(): number {
    return this.hasProcessor ? Math.min(devicePixelRatio || 1, 2) : 1;
  }

  resize(): void {
    const { clientWidth, clientHeight } = this.box;
    if (!clientWidth || !clientHeight) return;
    this.camera.width = clientWidth;
    this.camera.height = clientHeight;
    this.camera.inset = clientWidth > 760 ? 246 : 0;
    state.isNarrow.value = clientWidth <= 760;
    this.renderer.resize(clientWidth, clientHeight, this.ratio);
    this.due();
  }

  show(map: MapData): void {
    const grid = density(map.places);
    this.renderer.show(map.places, grid, contours(grid));
    this.recolour();
    performance.mark("map-shown");
  }

  recolour(): void {
    const map = state.data.value;
    if (!map) return;
    const colours = new Uint8Array(4 * map.count);
    const [by, dark, only] = [state.colourBy.value, isDark.value, state.only.value];
    const groups = by === "cluster" && map.columns.cluster ? map.columns.cluster : map.columns.genre;
    for (let row = 0; row < map.count; row++) {
      const [r, g, b] = colourOfRow(map, row, by, dark);
      const isOut = only !== null && groups[row] !== only;
      colours.set([r, g, b, isOut ? 26 : 225], 4 * row);
    }
    this.renderer.recolour(colours);
    this.due();
  }

  due(): void {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame((now) => {
      this.isDue = false;
      this.draw(now);
    });
  }

  private draw(now: number): void {
    const isFlying = this.camera.step(now);
    const map = state.data.value;
    const paint = PAINTS[isDark.value ? "dark" : "light"];
    const count = map?.count ?? 0;
    // Larger on a larger map, and closer by, but not as much.
    const own = Math.min(Math.max(46 / Math.max(count, 1) ** 0.28, 2.4), 11);
    const size = own * this.camera.size * Math.min(this.camera.zoom ** 0.45, 3.2);
    this.renderer.draw(this.camera, size, paint);
    const scene = { ...this.scene(map, now), pointSize: size };
    this.overlay.draw(this.camera, this.ratio, paint.ink2, scene);
    const isGrowing = scene.way !== undefined && scene.way.drawn < scene.way.places.length - 1;
    if (isFlying || isGrowing) this.due();
    if (count) this.box.dataset.drawn = String(count);
  }

  private mark(id: number, close?: boolean): Mark | undefined {
    const at = state.spotOf(id);
    const map = state.data.value;
    if (!at || !map) return undefined;
    const row = map.row(id);
    const dark = isDark.value;
    return { at, close, colour: row === undefined ? noColour(dark) : colourOfRow(map, row, state.colourBy.value, dark) };
  }

  private scene(map: MapData | null, now: number): Omit<Scene, "pointSize"> {
    const marks = (ids: { id: number; close?: boolean }[]) =>
      ids.map((one) => this.mark(one.id, one.close)).filter((one): one is Mark => one !== undefined);
    const way = state.way.value;
    let drawn = 0;
    if (way) {
      const key = way.ids.slice(0, 2).join();
      if (this.drawnWay.key !== key) this.drawnWay = { key, start: now };
      drawn = isCalm.matches ? way.ids.length : (now - this.drawnWay.start) / 90;
      drawn = Math.min(drawn, way.ids.length - 1);
    }
    const byCluster = state.colourBy.value === "cluster" && map?.head.cluster_regions?.length;
    const side = map?.head.side ?? 1;
    const regions = (byCluster ? map!.head.cluster_regions! : map?.head.regions ?? []).map((one) => ({
      ...one,
      x: one.x / side,
      y: one.y / side,
    }));
    const dark = isDark.value;
    const playingTrack = current.value;
    return {
      regions: state.only.value === null ? regions : regions.filter((one) => one.group === state.only.value),
      colourOf: (one) => groupColour(one.name, one.group, dark),
      total: map?.head.total ?? 0,
      seed: state.seed.value === null ? undefined : this.mark(state.seed.value),
      near: marks(state.near.value),
      found: marks(state.found.value.map((id) => ({ id }))),
      way: way ? { places: way.ids.map((id) => state.spotOf(id)), now: way.now, drawn } : undefined,
      playing: playingTrack && (isPlaying.value || state.way.value) ? this.mark(playingTrack.id) : undefined,
      hovered: state.hovered.value === null ? undefined : this.mark(state.hovered.value),
      lasso: this.lasso,
      isCrossed: this.isCrossed,
    };
  }

  aimAt(ids: number[]): void {
    const spots = ids.map((id) => state.spotOf(id)).filter((one) => one !== undefined);
    if (!spots.length) return;
    const xs = spots.map((one) => one[0]);
    const ys = spots.map((one) => one[1]);
    const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const wide = Math.max(right - left, high - low, 0.3) * 1.2;
    this.camera.fly((left + right) / 2, (low + high) / 2, Math.min(Math.max(1 / wide, 1), 8), performance.now(), isCalm.matches);
    this.due();
  }

  home(): void {
    this.camera.fly(0.5, 0.5, 1, performance.now(), isCalm.matches);
    this.due();
  }

  hit(px: number, py: number, reach = 11): number | undefined {
    const map = state.data.value;
    if (!map) return undefined;
    const row = map.nearest(...this.camera.toMap(px, py), reach / this.camera.scale);
    return row === undefined ? undefined : map.ids[row];
  }

  private at(event: PointerEvent | WheelEvent): [number, number] {
    const box = this.box.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.over.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.at(event));
    this.moved = 0;
    this.isCrossed = false;
    if (this.pointers.size === 1 && (state.isPicking.value || event.shiftKey)) {
      this.lasso = [this.camera.toMap(...this.at(event))];
    } else this.lasso = [];
  }

  move(event: PointerEvent): void {
    const here = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") {
        const id = this.hit(...here) ?? null;
        this.onHover(id, ...here);
        this.over.style.cursor = state.isPicking.value ? "crosshair" : id === null ? "grab" : "pointer";
      }
      return;
    }
    const [dx, dy] = [here[0] - before[0], here[1] - before[1]];
    this.moved += Math.abs(dx) + Math.abs(dy);
    if (this.lasso.length) this.lasso.push(this.camera.toMap(...here));
    else if (this.pointers.size === 1) this.camera.pan(dx, dy);
    else if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, one]) => one);
      const far = Math.hypot(here[0] - other[0], here[1] - other[1]);
      const was = Math.hypot(before[0] - other[0], before[1] - other[1]);
      this.camera.zoomAt(far / Math.max(was, 1), (here[0] + other[0]) / 2, (here[1] + other[1]) / 2);
      this.camera.pan(dx / 2, dy / 2);
    }
    this.pointers.set(event.pointerId, here);
    if (this.moved > 4) this.onHover(null, 0, 0);
    this.due();
  }

  up(event: PointerEvent): void {
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.lasso.length > 2) {
      const ids = state.data.value?.inside(this.lasso.flat()) ?? [];
      state.isPicking.value = false;
      if (ids.length) {
        state.picked.value = ids;
        go("picked");
      }
      this.due();
    } else if (this.moved < 6 && event.type === "pointerup") {
      const id = this.hit(...this.at(event), event.pointerType === "touch" ? 22 : 11);
      if (id !== undefined) void play(id);
    }
    this.lasso = [];
    this.due();
  }

  wheel(event: WheelEvent): void {
    event.preventDefault();
    const step = event.deltaY * (event.deltaMode === 1 ? 20 : 1);
    this.camera.zoomAt(Math.exp(-step * (event.ctrlKey ? 0.01 : 0.0016)), ...this.at(event));
    this.onHover(null, 0, 0);
    this.due();
  }

  key(event: KeyboardEvent): number | null | undefined {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [48, 0],
      ArrowRight: [-48, 0],
      ArrowUp: [0, 48],
      ArrowDown: [0, -48],
    };
    const [cx, cy] = this.camera.middle;
    if (steps[event.key]) this.camera.pan(...steps[event.key]);
    else if (event.key === "+" || event.key === "=") this.camera.zoomAt(1.4, cx, cy);
    else if (event.key === "-") this.camera.zoomAt(1 / 1.4, cx, cy);
    else if (event.key === "0") this.home();
    else if (event.key === "Enter") {
      const id = this.hit(cx, cy, 60);
      if (id !== undefined) void play(id);
    } else return undefined;
    event.preventDefault();
    event.stopPropagation();
    this.isCrossed = true;
    this.due();
    return this.hit(cx, cy, 60) ?? null;
  }
}

async function play(id: number): Promise<void> {
  const track = await trackOf(id);
  if (!track) return;
  playNow(track);
  go("track", id);
}

export function MapPane() {
  const box = useRef<HTMLDivElement>(null);
  const ground = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const chart = useRef<Chart | null>(null);
  const tip = useSignal<{ id: number; x: number; y: number } | null>(null);
  const spoken = useSignal<number | null>(null);

  useEffect(() => {
    const made = new Chart(box.current!, ground.current!, over.current!);
    chart.current = made;
    made.onHover = (id, x, y) => {
      tip.value = id === null ? null : { id, x, y };
      if (state.hovered.value !== id) state.hovered.value = id;
    };
    const watching = new ResizeObserver(() => made.resize());
    watching.observe(box.current!);
    const wheel = (event: WheelEvent) => made.wheel(event);
    over.current!.addEventListener("wheel", wheel, { passive: false });
    let lastWay = "";
    const stops = [
      effect(() => {
        if (state.data.value) made.show(state.data.value);
        made.due();
      }),
      effect(() => {
        void [state.colourBy.value, isDark.value, state.only.value];
        made.recolour();
      }),
      effect(() => {
        void [state.seed.value, state.near.value, state.found.value, state.hovered.value, state.spotsChanged.value];
        void [state.way.value, current.value, isPlaying.value];
        made.due();
      }),
      effect(() => {
        const ids = [...(state.way.value?.ids ?? []), ...state.near.value.map((one) => one.id), ...state.found.value];
        if (state.seed.value !== null) ids.push(state.seed.value);
        if (current.value) ids.push(current.value.id);
        needAll(ids);
      }),
      effect(() => {
        const way = state.way.value;
        const key = way && !state.shownWay.value ? `${way.ids[0]} ${way.ids[1]}` : "";
        if (key && key !== lastWay && state.data.value) made.aimAt(way!.ids.slice(0, 25));
        lastWay = key;
      }),
      effect(() => {
        void state.spotsChanged.value;
        if (state.aim.value && state.data.value) made.aimAt(state.aim.value.ids);
      }),
    ];
    void document.fonts?.ready.then(() => made.due());
    void document.fonts?.load('italic 20px "Libre Caslon Text"').then(() => made.due()).catch(() => undefined);
    return () => {
      watching.disconnect();
      stops.forEach((stop) => stop());
    };
  }, []);

  const map = state.data.value;
  const total = map?.head.total ?? 0;
  return (
    <section class="map" ref={box} aria-label="Map of the library" data-place={place.value.name}>
      <canvas ref={ground} aria-hidden="true" />
      <canvas
        ref={over}
        tabIndex={0}
        role="application"
        aria-roledescription="map"
        aria-label={`Map of ${number(total)} tracks. Arrow keys move it, plus and minus zoom, Enter plays what is in the middle.`}
        onPointerDown={(event) => chart.current?.down(event)}
        onPointerMove={(event) => chart.current?.move(event)}
        onPointerUp={(event) => chart.current?.up(event)}
        onPointerCancel={(event) => chart.current?.up(event)}
        onPointerLeave={() => chart.current?.onHover(null, 0, 0)}
        onKeyDown={(event) => {
          const id = chart.current?.key(event);
          if (id !== undefined) spoken.value = id;
        }}
        onBlur={() => {
          if (chart.current) chart.current.isCrossed = false;
          chart.current?.due();
          spoken.value = null;
        }}
      />
      {tip.value && <Tip id={tip.value.id} x={tip.value.x} y={tip.value.y} width={box.current?.clientWidth ?? 0} />}
      <div class="spoken" aria-live="polite">{spoken.value !== null && <Tip id={spoken.value} isCentred />}</div>
      {map && <Key map={map} />}
      {map && (
        <div class="map-tools" role="group" aria-label="Map tools">
          <button class="tool" onClick={() => zoom(chart.current, 1.5)} aria-label="Zoom in"><Icon name="plus" /></button>
          <button class="tool" onClick={() => zoom(chart.current, 1 / 1.5)} aria-label="Zoom out"><Icon name="minus" /></button>
          <button class="tool" onClick={() => chart.current?.home()} aria-label="Whole map"><Icon name="whole" /></button>
          <button
            class="tool"
            aria-pressed={state.isPicking.value}
            onClick={() => (state.isPicking.value = !state.isPicking.value)}
            aria-label="Lasso: draw around tracks to make a playlist"
            title="Lasso: draw around tracks to make a playlist"
          >
            <Icon name="lasso" />
          </button>
        </div>
      )}
      {!map && (
        <p class="map-empty">
          {state.isLoading.value || isOpening.value || status.value?.analysed ? "The map is being drawn …" : isEmpty.value ? "Nothing is on the map yet." : "There is no map at present."}
        </p>
      )}
      {state.isPicking.value && <p class="map-hint">Draw around the tracks you want.</p>}
    </section>
  );
}

function zoom(chart: Chart | null, factor: number): void {
  if (!chart) return;
  chart.camera.zoomAt(factor, ...chart.camera.middle);
  chart.due();
}

function needAll(ids: number[]): void {
  if (state.data.value) state.needSpots(ids);
}
