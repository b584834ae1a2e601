// Which part of the map is seen. Map: 0 to 1, y upwards; screen: CSS pixels, y downwards.

export class Camera {
  x = 0.5;
  y = 0.5;
  zoom = 1;
  width = 1;
  height = 1;
  /** Pixels on the right that something else covers. */
  inset = 0;
  private flight: { from: [number, number, number]; to: [number, number, number]; start: number } | undefined;

  /** Pixels of one unit of the map. */
  get scale(): number {
    return Math.min((this.width - this.inset) * 0.84, this.height * 0.82) * this.zoom;
  }

  /** How large what is drawn on it is, by the size of the map. */
  get size(): number {
    return Math.min(Math.max(Math.min(this.width, this.height) / 720, 1), 1.7);
  }

  /** Where the middle of the view is on the screen. */
  get middle(): [number, number] {
    return [(this.width - this.inset) / 2, this.height / 2];
  }

  toScreen(x: number, y: number): [number, number] {
    const scale = this.scale;
    const [mx, my] = this.middle;
    return [(x - this.x) * scale + mx, (this.y - y) * scale + my];
  }

  toMap(px: number, py: number): [number, number] {
    const scale = this.scale;
    const [mx, my] = this.middle;
    return [(px - mx) / scale + this.x, this.y - (py - my) / scale];
  }

  pan(dx: number, dy: number): void {
    this.flight = undefined;
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
    this.bound();
  }

  zoomAt(factor: number, px: number, py: number): void {
    this.flight = undefined;
    const [x, y] = this.toMap(px, py);
    this.zoom = Math.min(Math.max(this.zoom * factor, 0.6), 60);
    const [nx, ny] = this.toMap(px, py);
    this.x += x - nx;
    this.y += y - ny;
    this.bound();
  }

  fly(x: number, y: number, zoom: number, now: number, isCalm: boolean): void {
    if (isCalm) {
      [this.x, this.y, this.zoom] = [x, y, zoom];
      return;
    }
    this.flight = { from: [this.x, this.y, Math.log(this.zoom)], to: [x, y, Math.log(zoom)], start: now };
  }

  /** Moves on in a flight; whether there is one. */
  step(now: number): boolean {
    if (!this.flight) return false;
    const { from, to, start } = this.flight;
    const share = Math.min((now - start) / 700, 1);
    const eased = 1 - (1 - share) ** 3;
    const [x, y, zoom] = from.map((one, at) => one + (to[at] - one) * eased);
    [this.x, this.y, this.zoom] = [x, y, Math.exp(zoom)];
    if (share >= 1) this.flight = undefined;
    return true;
  }

  private bound(): void {
    this.x = Math.min(Math.max(this.x, -0.2), 1.2);
    this.y = Math.min(Math.max(this.y, -0.2), 1.2);
  }
}
