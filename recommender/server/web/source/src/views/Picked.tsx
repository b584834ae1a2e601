import { useEffect } from "preact/hooks";
import { found, picked } from "../map/state";
import { remember, trackOf } from "../map/Tip";
import { Icon } from "../parts/icons";
import { Pane, Waiting } from "../parts/Pane";
import { saveAsPlaylist } from "../parts/SaveDialog";
import { TrackRow } from "../parts/TrackRow";
import { useAnswer } from "../parts/useAnswer";
import { enqueue, playAll } from "../player";
import { post } from "../api";
import { complain } from "../store";
import { counted } from "../text";
import type { Mix, Track } from "../types";

const LISTED = 60;

/** The tracks that a lasso caught. */
export function Picked() {
  const ids = picked.value;
  const some = useAnswer<Track[]>(`picked\n${ids.length}-${ids[0]}-${ids.at(-1)}`, async (signal) => {
    const tracks = await Promise.all(ids.slice(0, LISTED).map((id) => trackOf(id, signal)));
    return tracks.filter((one) => one !== undefined);
  });
  const tracks = some.value ?? [];
  useEffect(() => {
    remember(tracks);
    found.value = ids.slice(0, 400);
  }, [some.value]);
  const smooth = async () => {
    try {
      const mix = await post<Mix>("order", { track_ids: ids.slice(0, 1000) });
      playAll(mix.items.map((one) => one.track), 0, { kind: "playlist", name: "From the map" });
    } catch (error) {
      complain(error);
    }
  };
  return (
    <Pane title="From the map" over="From the map">
      <h1 class="heading">{ids.length ? counted(ids.length, "track") : "Nothing is picked"}</h1>
      {!ids.length && <p class="lede">Hold Shift and draw around tracks on the map, or take the lasso beside it.</p>}
      {ids.length > 0 && (
        <div class="buttons">
          <button class="button is-main" onClick={() => saveAsPlaylist(ids, "From the map")}><Icon name="save" /> Save as playlist</button>
          <button class="button" onClick={() => void smooth()}><Icon name="sort" /> Play in smooth order</button>
          <button class="button" disabled={!tracks.length} onClick={() => enqueue(tracks)}><Icon name="queue" /> Queue</button>
        </div>
      )}
      {ids.length > 0 && !some.value && <Waiting />}
      <ul class="rows">
        {tracks.map((track, at) => <TrackRow key={track.id} track={track} onPlay={() => playAll(tracks, at, { kind: "list", name: "From the map" })} />)}
      </ul>
      {ids.length > tracks.length && tracks.length > 0 && <p class="quiet">The first {tracks.length} are listed; all are saved.</p>}
    </Pane>
  );
}
