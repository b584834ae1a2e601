import { useSignal, type Signal } from "@preact/signals";
import { Icon } from "../parts/icons";
import { Pane } from "../parts/Pane";
import { saveAsPlaylist } from "../parts/SaveDialog";
import { TrackRow } from "../parts/TrackRow";
import { clear, index, jump, move, queue, removeAt, source } from "../player";
import { counted, span } from "../text";

export function Queue() {
  const dragged = useSignal<number | null>(null);
  const items = queue.value;
  const left = items.slice(index.value).reduce((sum, one) => sum + one.duration, 0);
  const kind = source.value.kind;
  return (
    <Pane title="Queue" over="Queue">
      <h1 class="heading clamp">
        {kind === "radio" ? <>Radio from <bdi>{source.value.name}</bdi></> : kind === "path" ? "A path" : items.length ? "Up next" : "The queue is empty"}
      </h1>
      {!items.length && <p class="lede">Play anything, and it is kept here, also when the page is closed and opened again.</p>}
      {items.length > 0 && (
        <>
          <p class="quiet">
            {counted(items.length - index.value, "track")} left, {span(left)}
            {kind === "radio" && ". It goes on by itself."}
          </p>
          <div class="buttons">
            <button class="button" onClick={() => saveAsPlaylist(items.map((one) => one.id), kind === "radio" ? `Radio: ${source.value.name}` : "Queue")}>
              <Icon name="save" /> Save as playlist
            </button>
            <button class="button" onClick={clear}><Icon name="trash" /> Clear</button>
          </div>
        </>
      )}
      <ol class="rows">
        {items.map((track, at) => (
          <TrackRow
            key={track.id}
            track={track}
            isQuiet={at < index.value}
            onPlay={() => jump(at)}
            dragging={dragging(at, dragged, move)}
            actions={<RowTools at={at} count={items.length} title={track.title} onMove={move} onRemove={removeAt} />}
          />
        ))}
      </ol>
    </Pane>
  );
}

interface Tools {
  at: number;
  count: number;
  title: string;
  onMove: (from: number, to: number) => void;
  onRemove: (at: number) => void;
}

export function RowTools({ at, count, title, onMove, onRemove }: Tools) {
  const short = title.slice(0, 100);
  return (
    <span class="row-tools">
      <button class="tool is-small" disabled={at === 0} onClick={() => onMove(at, at - 1)} aria-label={`Move ${short} up`}><Icon name="up" /></button>
      <button class="tool is-small" disabled={at === count - 1} onClick={() => onMove(at, at + 1)} aria-label={`Move ${short} down`}><Icon name="down" /></button>
      <button class="tool is-small" onClick={() => onRemove(at)} aria-label={`Take ${short} out`}><Icon name="close" /></button>
    </span>
  );
}

/** What lets a row be dragged to another place; buttons do the same by keyboard. */
export function dragging(at: number, dragged: Signal<number | null>, onMove: (from: number, to: number) => void) {
  return {
    draggable: true,
    onDragStart: (event: DragEvent) => {
      dragged.value = at;
      event.dataTransfer?.setData("text/plain", String(at));
    },
    onDragOver: (event: DragEvent) => event.preventDefault(),
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      if (dragged.value !== null && dragged.value !== at) onMove(dragged.value, at);
      dragged.value = null;
    },
    onDragEnd: () => {
      dragged.value = null;
    },
  };
}
