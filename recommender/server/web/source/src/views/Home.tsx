import { complain, go, isEmpty, isOpening, liked, place, status } from "../store";
import { current, playAll, queue, radio } from "../player";
import { get } from "../api";
import { Fault, Pane, Section, Waiting } from "../parts/Pane";
import { TrackRow } from "../parts/TrackRow";
import { useAnswer } from "../parts/useAnswer";
import { remember } from "../map/Tip";
import { Icon } from "../parts/icons";
import { data } from "../map/state";
import { counted, span } from "../text";
import type { Track } from "../types";

export function Home() {
  const now = status.value;
  if (isEmpty.value) return <Empty />;
  return (
    <Pane title="">
      <h1 class="display">An atlas of<br />your music</h1>
      {now ? (
        <p class="lede">
          {counted(now.analysed, "track")}, {span(now.seconds_of_music)} of music, placed by how they sound. What
          sounds alike lies close together.
        </p>
      ) : (
        <Waiting what={isOpening.value ? "The library is being opened, which can take a minute the first time" : "Opening the library"} />
      )}
      <div class="buttons">
        <button class="button is-main" onClick={() => void playAnywhere()} disabled={!data.value}>
          <Icon name="radio" /> Play from anywhere
        </button>
        {current.value && (
          <button class="button" onClick={() => go("queue")}>
            <Icon name="queue" /> {counted(queue.value.length, "track")} in the queue
          </button>
        )}
      </div>
      <Liked />
      <Section title="By hand">
        <ul class="hints">
          <li>Point at the map to see what is there; click to play it.</li>
          <li>Open a track to see its neighbours, start a radio, or draw a path to another.</li>
          <li>Hold Shift and draw around tracks to keep them as a playlist.</li>
          <li><kbd>/</kbd> search, <kbd>Space</kbd> play, <kbd>?</kbd> all keys.</li>
        </ul>
      </Section>
    </Pane>
  );
}

async function playAnywhere(): Promise<void> {
  const map = data.value;
  if (!map) return;
  const id = map.ids[Math.floor(Math.random() * map.count)];
  try {
    const { track } = await get<{ track: Track }>(`tracks/${id}`);
    await radio(track);
    go("track", id);
  } catch (error) {
    complain(error);
  }
}

function Liked() {
  const ids = [...liked.value].slice(0, 6);
  const found = useAnswer(`liked\n${ids.join()}`, async (signal) => {
    const tracks = await Promise.all(
      ids.map((id) => get<{ track: Track }>(`tracks/${id}`, signal).then((one) => one.track, () => null)),
    );
    const known = tracks.filter((one) => one !== null);
    remember(known);
    return known;
  });
  if (!ids.length || !found.value?.length) return null;
  const tracks = found.value;
  return (
    <Section title="Liked">
      <ul class="rows">
        {tracks.map((track, at) => <TrackRow key={track.id} track={track} onPlay={() => playAll(tracks, at, { kind: "list", name: "Liked" })} />)}
      </ul>
    </Section>
  );
}

function Empty() {
  return (
    <Pane title="">
      <h1 class="display">Nothing is<br />on the map yet</h1>
      <p class="lede">The library holds no analysed track. Have recsys read a folder of music on the machine that serves this page:</p>
      <pre class="command"><code>recsys ingest ~/Music</code></pre>
      <p class="quiet">The tracks appear here as soon as they are analysed. Folders that are known already can be read again under <a href="#/library">Library</a>.</p>
      {place.value.name !== "home" && <Fault text="There is nothing to look for." />}
    </Pane>
  );
}
