// The picture in the tags, or rings like those of a hill on the map, of the album's own shape.
import { useSignal } from "@preact/signals";
import { isDark } from "../store";
import { mediaAddress } from "../player";
import { css, groupColour, noColour } from "../map/colours";
import type { Track } from "../types";

const missing = new Set<string>();

function hash(text: string): number {
  let found = 2166136261;
  for (let at = 0; at < text.length; at++) found = Math.imul(found ^ text.charCodeAt(at), 16777619);
  return found >>> 0;
}

export function albumKey(track: Track): string {
  return track.album ? `${track.album_artist ?? track.artist ?? ""}\n${track.album}` : `#${track.id}`;
}

export function genreColour(track: Pick<Track, "predicted_genre">, dark: boolean): string {
  return css(track.predicted_genre ? groupColour(track.predicted_genre, 0, dark) : noColour(dark));
}

export function Cover({ track, isLarge = false }: { track: Track; isLarge?: boolean }) {
  const key = albumKey(track);
  const isMissing = useSignal("");
  const seed = hash(key);
  const [dx, dy] = [((seed & 255) / 255 - 0.5) * 22, (((seed >> 8) & 255) / 255 - 0.5) * 22];
  const [wide, turn] = [0.75 + ((seed >> 16) & 63) / 160, (seed >> 22) % 180];
  const colour = genreColour(track, isDark.value);
  return (
    <span class={`cover ${isLarge ? "is-large" : ""}`}>
      <svg viewBox="0 0 48 48" aria-hidden="true">
        <rect width="48" height="48" fill={colour} opacity=".16" />
        <g fill="none" stroke={colour} stroke-width={isLarge ? 0.6 : 1} transform={`rotate(${turn} 24 24)`}>
          {[4, 9, 14.5, 21, 29].map((radius, at) => (
            <ellipse
              key={radius}
              cx={24 + (dx * (4 - at)) / 4}
              cy={24 + (dy * (4 - at)) / 4}
              rx={radius * wide}
              ry={radius}
              opacity={1 - at * 0.16}
            />
          ))}
        </g>
      </svg>
      {!missing.has(key) && isMissing.value !== key && (
        <img
          key={key}
          src={mediaAddress(track.id, "cover")}
          alt=""
          loading="lazy"
          decoding="async"
          onError={() => {
            missing.add(key);
            isMissing.value = key;
          }}
        />
      )}
    </span>
  );
}
