// What plays, and how to steer it.
import * as player from "../player";
import { go, href, liked, never, place, toggleLike, toggleNever } from "../store";
import { clock } from "../text";
import { Cover } from "./Cover";
import { Icon } from "./icons";

export function PlayerBar() {
  const track = player.current.value;
  const length = player.length.value || track?.duration || 0;
  const isLiked = track !== undefined && liked.value.has(track.id);
  const isNever = track !== undefined && never.value.has(track.id);
  const isQueueShown = place.value.name === "queue";
  return (
    <footer class={`player ${track ? "" : "is-idle"}`} aria-label="Player">
      <div class="player-what">
        {track ? (
          <>
            <a class="player-cover" href={href("track", track.id)} aria-label="Open the track that plays"><Cover track={track} /></a>
            <a class="player-text" href={href("track", track.id)}>
              <bdi class="player-title">{track.title}</bdi>
              <span class="quiet">
                <bdi>{track.artist ?? "Unknown artist"}</bdi>
                {player.source.value.kind === "radio" && <> · radio</>}
                {player.source.value.kind === "path" && <> · path</>}
              </span>
            </a>
          </>
        ) : (
          <span class="quiet player-none">Nothing is playing. Click a point of the map, or search.</span>
        )}
      </div>
      <div class="player-steer">
        <button class="tool" onClick={player.previous} disabled={!track} aria-label="Previous"><Icon name="previous" /></button>
        <button
          class="tool player-play"
          onClick={player.toggle}
          disabled={!track}
          aria-label={player.isPlaying.value ? "Pause" : "Play"}
          data-waiting={player.isWaiting.value || undefined}
        >
          <Icon name={player.isPlaying.value ? "pause" : "play"} />
        </button>
        <button class="tool" onClick={player.next} disabled={!track} aria-label="Next"><Icon name="next" /></button>
        <span class="figure player-time">{clock(track ? player.at.value : 0)}</span>
        <input
          class="slider player-seek"
          type="range"
          min={0}
          max={Math.max(length, 1)}
          step={1}
          value={player.at.value}
          disabled={!track}
          aria-label="Position"
          aria-valuetext={`${clock(player.at.value)} of ${clock(length)}`}
          onInput={(event) => player.seek(Number(event.currentTarget.value))}
        />
        <span class="figure player-time">{clock(length)}</span>
      </div>
      <div class="player-more">
        <button
          class="tool player-like"
          disabled={!track}
          aria-pressed={isLiked}
          aria-label="Like"
          title="Like (l)"
          onClick={() => track && void toggleLike(track)}
        >
          <Icon name="heart" isFull={isLiked} />
        </button>
        <button
          class="tool player-never"
          disabled={!track}
          aria-pressed={isNever}
          aria-label="Never in mixes"
          title="Never in mixes and radios (n)"
          onClick={() => {
            if (!track) return;
            void toggleNever(track);
            if (!isNever) player.next();
          }}
        >
          <Icon name="never" />
        </button>
        <button
          class="tool player-mute"
          aria-pressed={player.isMuted.value}
          aria-label="Mute"
          onClick={() => (player.isMuted.value = !player.isMuted.value)}
        >
          <Icon name={player.isMuted.value ? "mute" : "volume"} />
        </button>
        <input
          class="slider player-volume"
          type="range"
          min={0}
          max={1}
          step={0.02}
          value={player.volume.value}
          aria-label="Volume"
          onInput={(event) => (player.volume.value = Number(event.currentTarget.value))}
        />
        <button
          class="tool player-queue"
          aria-pressed={isQueueShown}
          aria-label={`Queue, ${player.queue.value.length} tracks`}
          title="Queue (q)"
          onClick={() => (isQueueShown ? history.back() : go("queue"))}
        >
          <Icon name="queue" />
        </button>
      </div>
    </footer>
  );
}
