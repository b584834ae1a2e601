// Colours of equal weight for groups of tracks, by OKLCH (Ottosson 2020), for both themes.

export type Rgb = [number, number, number];

/** OKLCH to sRGB, from 0 to 255; what lies outside is cut off. */
export function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const [a, b] = [Math.cos((hue * Math.PI) / 180) * chroma, Math.sin((hue * Math.PI) / 180) * chroma];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((one) => {
    const bounded = Math.min(Math.max(one, 0), 1);
    const value = bounded <= 0.0031308 ? 12.92 * bounded : 1.055 * bounded ** (1 / 2.4) - 0.055;
    return Math.round(255 * value);
  }) as Rgb;
}

// Hue and a shift of lightness, so that neighbours on the wheel differ in both.
const HUES: Record<string, [number, number]> = {
  blues: [258, -0.05],
  classical: [88, 0.06],
  country: [58, -0.02],
  disco: [330, 0.03],
  hiphop: [196, 0.02],
  jazz: [288, 0.02],
  metal: [14, -0.09],
  pop: [356, 0.07],
  reggae: [150, 0.01],
  rock: [34, 0.01],
};
const GOLDEN = 137.508;

export function groupColour(name: string, index: number, isDark: boolean): Rgb {
  const [hue, shift] = HUES[name.toLowerCase()] ?? [(20 + index * GOLDEN) % 360, ((index % 3) - 1) * 0.05];
  return isDark ? oklch(0.76 + shift, 0.125, hue) : oklch(0.56 + shift, 0.14, hue);
}

export function noColour(isDark: boolean): Rgb {
  return isDark ? [120, 134, 144] : [132, 130, 120];
}

/** From low to high, 0 to 1. */
export function scaleColour(share: number, isDark: boolean): Rgb {
  const hue = 262 - 222 * share;
  return isDark ? oklch(0.6 + 0.24 * share, 0.12, hue) : oklch(0.42 + 0.2 * share, 0.13, hue);
}

export function css([r, g, b]: Rgb, alpha = 1): string {
  return alpha === 1 ? `rgb(${r} ${g} ${b})` : `rgb(${r} ${g} ${b} / ${alpha})`;
}
