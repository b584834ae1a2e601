// A track in a list.
import type { ComponentChildren, HTMLAttributes } from "preact";
import { current, enqueue, isPlaying, toggle } from "../player";
import { href, isDark, liked, never } from "../store";
import { hovered } from "../map/state";
import { Dot } from "../map/Key";
import type { Track } from "../types";
import { soundOf } from "../sounds";
import { clock } from "../text";
import { Cover, genreColour } from "./Cover";
import { Icon } from "./icons";

/** "A minor" as "Am". */
export function shortKey(name: string): string {
  return name.replace(" minor", "m").replace(" major", "");
}

interface Props {
  track: Track;
  onPlay: () => void;
  note?: string;
  lead?: ComponentChildren;
  actions?: ComponentChildren;
  isQuiet?: boolean;
  dragging?: HTMLAttributes<HTMLLIElement>;
}

export function TrackRow({ track, onPlay, note, lead, actions, isQuiet = false, dragging }: Props) {
  const sound = soundOf(track.id);
  const isCurrent = current.value?.id === track.id;
  const isOn = isCurrent && isPlaying.value;
  return (
    <li
      class={`row ${isCurrent ? "is-current" : ""} ${isQuiet ? "is-quiet" : ""}`}
      data-track={track.id}
      {...dragging}
      onPointerEnter={(event) => event.pointerType === "mouse" && (hovered.value = track.id)}
      onPointerLeave={() => (hovered.value = null)}
    >
      {lead}
      <button class="row-play" onClick={isCurrent ? toggle : onPlay} aria-label={`${isOn ? "Pause" : "Play"} ${track.title.slice(0, 120)}`}>
        <Cover track={track} />
        <Icon name={isOn ? "pause" : "play"} />
      </button>
      <a class="row-text" href={href("track", track.id)}>
        <bdi class="row-title">{track.title}</bdi>
        <span class="row-sub">
          <bdi>{track.artist ?? "Unknown artist"}</bdi>
          {track.album && <> · <bdi>{track.album}</bdi></>}
        </span>
        {note && <span class="row-note" title={note}>{note}</span>}
      </a>
      <span class="row-facts">
        <span class="row-genre">
          {liked.value.has(track.id) && <span class="row-liked" role="img" aria-label="Liked"><Icon name="heart" isFull /></span>}
          {never.value.has(track.id) && <span class="row-never" role="img" aria-label="Never in mixes"><Icon name="never" /></span>}
          {track.predicted_genre && (
            <>
              <Dot colour={genreColour(track, isDark.value)} />
              {track.predicted_genre}
            </>
          )}
        </span>
        <span class="figure">{clock(track.duration)}</span>
        {(sound?.tempo || sound?.key_name) && (
          <span class="figure row-sound">
            {[sound.tempo && `${Math.round(sound.tempo)} bpm`, sound.key_name && shortKey(sound.key_name)].filter(Boolean).join(" · ")}
          </span>
        )}
      </span>
      {actions ?? (
        <button class="tool row-add" onClick={() => enqueue([track])} aria-label={`Add ${track.title.slice(0, 120)} to the queue`}>
          <Icon name="plus" />
        </button>
      )}
    </li>
  );
}
