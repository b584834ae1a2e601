// Draws ground, contour lines and points by WebGL. Libraries for this make their programs by
// `Function`, which the page's Content-Security-Policy forbids.
import type { Camera } from "./camera";
import type { Rgb } from "./colours";
import { GRID, LEVELS, MARGIN } from "./contours";

const POINTS = `
attribute vec2 place; attribute vec4 colour; uniform vec2 scale, shift; uniform float size;
varying vec4 shade;
void main() { gl_Position = vec4(place * scale + shift, 0.0, 1.0); gl_PointSize = size; shade = colour; }`;
const POINT = `
precision mediump float; varying vec4 shade; uniform float edge;
void main() {
  float cover = clamp((0.5 - length(gl_PointCoord - 0.5)) * edge, 0.0, 1.0) * shade.a;
  if (cover <= 0.0) discard;
  gl_FragColor = vec4(shade.rgb * cover, cover);
}`;
const LINES = `
attribute vec4 ends; attribute vec3 corner; uniform vec2 scale, shift, size; uniform float width;
varying float side; varying float level;
void main() {
  vec2 a = (ends.xy * scale + shift) * size, b = (ends.zw * scale + shift) * size;
  vec2 along = b - a; float far = length(along);
  along = far > 0.0 ? along / far : vec2(1.0, 0.0);
  vec2 at = mix(a - along * 0.6, b + along * 0.6, corner.x) + vec2(-along.y, along.x) * corner.y * width;
  gl_Position = vec4(at / size, 0.0, 1.0); side = corner.y; level = corner.z;
}`;
const LINE = `
precision mediump float; varying float side; varying float level; uniform vec3 ink; uniform float strength;
void main() {
  float cover = clamp((1.0 - abs(side)) * 1.3, 0.0, 1.0) * strength * (0.35 + 0.65 * level);
  gl_FragColor = vec4(ink * cover, cover);
}`;
const GROUND = `
attribute vec2 corner; uniform vec2 scale, shift; varying vec2 at;
void main() { at = corner; float span = 1.0 + 2.0 * ${MARGIN.toFixed(3)};
  vec2 place = corner * span - ${MARGIN.toFixed(3)}; gl_Position = vec4(place * scale + shift, 0.0, 1.0); }`;
const GROUND_SHADE = `
precision mediump float; varying vec2 at; uniform sampler2D heights; uniform vec3 sea, land;
void main() {
  float h = texture2D(heights, at).r;
  float band = 0.0;
${LEVELS.map((level) => `  band += smoothstep(${(level - 0.006).toFixed(4)}, ${(level + 0.006).toFixed(4)}, h);`).join("\n")}
  gl_FragColor = vec4(mix(sea, land, band / ${LEVELS.length.toFixed(1)}), 1.0);
}`;

export interface Paint {
  sea: Rgb;
  land: Rgb;
  ink: Rgb;
  lines: number;
}

const part = ([r, g, b]: Rgb): Rgb => [r / 255, g / 255, b / 255];

/** What draws the map's ground and points on a canvas. */
export interface Drawing {
  readonly kind: string;
  show(places: Float32Array, grid: Float32Array, segments: Float32Array): void;
  /** Four values a point: red, green, blue, cover. */
  recolour(colours: Uint8Array): void;
  resize(width: number, height: number, ratio: number): void;
  draw(camera: Camera, pointSize: number, paint: Paint): void;
}

/**
 * A context that a graphics processor draws; null where there is none, or a program in its place.
 * With `?renderer=webgl` in the address the program will do.
 */
export function processorOf(canvas: HTMLCanvasElement): WebGLRenderingContext | null {
  const isForced = new URLSearchParams(location.search).get("renderer") === "webgl";
  const gl = canvas.getContext("webgl", {
    alpha: false,
    antialias: false,
    depth: false,
    stencil: false,
    failIfMajorPerformanceCaveat: !isForced,
    powerPreference: "high-performance",
  });
  const facts = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = gl && facts ? String(gl.getParameter(facts.UNMASKED_RENDERER_WEBGL)) : "";
  return !isForced && /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name) ? null : gl;
}

export class Renderer implements Drawing {
  readonly kind = "WebGL";
  private programs: Record<string, WebGLProgram> = {};
  private buffers: Record<string, WebGLBuffer> = {};
  private heights: WebGLTexture | null = null;
  private count = 0;
  private vertices = 0;
  private places = new Float32Array();
  private colours = new Uint8Array();
  private grid: Float32Array | undefined;
  private segments = new Float32Array();

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGLRenderingContext,
  ) {
    this.prepare();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.prepare();
      if (this.grid) this.show(this.places, this.grid, this.segments);
      this.recolour(this.colours);
      canvas.dispatchEvent(new Event("again"));
    });
  }

  private prepare(): void {
    const { gl } = this;
    const made = (vertex: string, fragment: string) => {
      const program = gl.createProgram()!;
      for (const [type, code] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
        const shader = gl.createShader(type)!;
        gl.shaderSource(shader, code);
        gl.compileShader(shader);
        gl.attachShader(program, shader);
      }
      gl.linkProgram(program);
      return program;
    };
    this.programs = { points: made(POINTS, POINT), lines: made(LINES, LINE), ground: made(GROUND, GROUND_SHADE) };
    for (const name of ["places", "colours", "lines", "square"]) this.buffers[name] = gl.createBuffer()!;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.square);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    this.heights = gl.createTexture();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  show(places: Float32Array, grid: Float32Array, segments: Float32Array): void {
    this.places = places as Float32Array<ArrayBuffer>;
    this.grid = grid;
    this.segments = segments as Float32Array<ArrayBuffer>;
    this.count = places.length / 2;
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.places);
    gl.bufferData(gl.ARRAY_BUFFER, places, gl.STATIC_DRAW);
    gl.bindTexture(gl.TEXTURE_2D, this.heights);
    const texels = Uint8Array.from(grid, (one) => Math.round(255 * Math.min(one, 1)));
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.LUMINANCE, GRID, GRID, 0, gl.LUMINANCE, gl.UNSIGNED_BYTE, texels);
    for (const [name, value] of [
      [gl.TEXTURE_MIN_FILTER, gl.LINEAR],
      [gl.TEXTURE_MAG_FILTER, gl.LINEAR],
      [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE],
      [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE],
    ]) gl.texParameteri(gl.TEXTURE_2D, name, value);
    const corners = [[0, -1], [1, -1], [0, 1], [0, 1], [1, -1], [1, 1]];
    const data = new Float32Array((segments.length / 5) * 42);
    let at = 0;
    for (let one = 0; one < segments.length; one += 5) {
      for (const [end, side] of corners) {
        data.set(segments.subarray(one, one + 4), at);
        data.set([end, side, segments[one + 4]], at + 4);
        at += 7;
      }
    }
    this.vertices = data.length / 7;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.lines);
    gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
  }

  recolour(colours: Uint8Array): void {
    this.colours = colours as Uint8Array<ArrayBuffer>;
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.colours);
    gl.bufferData(gl.ARRAY_BUFFER, colours, gl.STATIC_DRAW);
  }

  resize(width: number, height: number, ratio: number): void {
    this.canvas.width = Math.max(1, Math.round(width * ratio));
    this.canvas.height = Math.max(1, Math.round(height * ratio));
  }

  draw(camera: Camera, pointSize: number, paint: Paint): void {
    const { gl } = this;
    const ratio = this.canvas.width / camera.width;
    const [sx, sy] = [(2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height];
    const shift: [number, number] = [-camera.x * sx - camera.inset / camera.width, -camera.y * sy];
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    const sea = part(paint.sea);
    gl.clearColor(...sea, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.count) return;
    const use = (name: string) => {
      const program = this.programs[name];
      gl.useProgram(program);
      const at = (uniform: string) => gl.getUniformLocation(program, uniform);
      gl.uniform2f(at("scale"), sx, sy);
      gl.uniform2f(at("shift"), ...shift);
      return { at, attribute: (one: string) => gl.getAttribLocation(program, one) };
    };
    const bind = (attribute: number, buffer: string, size: number, type: number, normal: boolean, stride = 0, from = 0) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[buffer]);
      gl.enableVertexAttribArray(attribute);
      gl.vertexAttribPointer(attribute, size, type, normal, stride, from);
    };
    const ground = use("ground");
    gl.bindTexture(gl.TEXTURE_2D, this.heights);
    gl.uniform3f(ground.at("sea"), ...sea);
    gl.uniform3f(ground.at("land"), ...part(paint.land));
    bind(ground.attribute("corner"), "square", 2, gl.FLOAT, false);
    gl.disable(gl.BLEND);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    gl.enable(gl.BLEND);
    const lines = use("lines");
    gl.uniform2f(lines.at("size"), this.canvas.width / 2, this.canvas.height / 2);
    gl.uniform1f(lines.at("width"), 1.15 * ratio);
    gl.uniform1f(lines.at("strength"), paint.lines);
    gl.uniform3f(lines.at("ink"), ...part(paint.ink));
    bind(lines.attribute("ends"), "lines", 4, gl.FLOAT, false, 28, 0);
    bind(lines.attribute("corner"), "lines", 3, gl.FLOAT, false, 28, 16);
    gl.drawArrays(gl.TRIANGLES, 0, this.vertices);
    const points = use("points");
    const size = pointSize * ratio;
    gl.uniform1f(points.at("size"), size);
    gl.uniform1f(points.at("edge"), Math.max(size, 1.5));
    bind(points.attribute("place"), "places", 2, gl.FLOAT, false);
    bind(points.attribute("colour"), "colours", 4, gl.UNSIGNED_BYTE, true);
    gl.drawArrays(gl.POINTS, 0, this.count);
  }
}
