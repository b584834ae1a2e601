import { useEffect } from "preact/hooks";
import { get } from "../api";
import { aim, found as onMap } from "../map/state";
import { remember } from "../map/Tip";
import { Icon } from "../parts/icons";
import { Fault, Pane, Section, Waiting } from "../parts/Pane";
import { saveAsPlaylist } from "../parts/SaveDialog";
import { TrackRow } from "../parts/TrackRow";
import { useAnswer } from "../parts/useAnswer";
import { enqueue, playAll } from "../player";
import { href, place } from "../store";
import { counted, percent, span } from "../text";
import type { Album, Artist, SimilarGroup, Track } from "../types";

function useOnMap(tracks: Track[] | undefined): void {
  useEffect(() => {
    if (!tracks) return;
    remember(tracks);
    onMap.value = tracks.slice(0, 500).map((one) => one.id);
    aim.value = { ids: onMap.value };
  }, [tracks]);
}

function Tracks({ tracks, name }: { tracks: Track[]; name: string }) {
  return (
    <ul class="rows">
      {tracks.map((track, at) => <TrackRow key={track.id} track={track} onPlay={() => playAll(tracks, at, { kind: "list", name })} />)}
    </ul>
  );
}

function Steer({ tracks, name }: { tracks: Track[]; name: string }) {
  return (
    <div class="buttons">
      <button class="button is-main" disabled={!tracks.length} onClick={() => playAll(tracks, 0, { kind: "list", name })}><Icon name="play" /> Play</button>
      <button class="button" disabled={!tracks.length} onClick={() => enqueue(tracks)}><Icon name="queue" /> Queue</button>
      <button class="button" disabled={!tracks.length} onClick={() => saveAsPlaylist(tracks.map((one) => one.id), name)}><Icon name="save" /> Save</button>
    </div>
  );
}

export function ArtistView() {
  const id = place.value.id;
  const answer = useAnswer(`artist\n${id}`, (signal) => get<{ artist: Artist; albums: Album[]; tracks: Track[] }>(`artists/${id}`, signal));
  const similar = useAnswer(`artists like\n${id}`, (signal) => get<{ items: SimilarGroup[] }>(`artists/${id}/similar?k=12`, signal));
  useOnMap(answer.value?.tracks);
  if (answer.error) return <Pane title="Artist"><Fault text={answer.error} /></Pane>;
  if (!answer.value) return <Pane title="Artist"><Waiting /></Pane>;
  const { artist, albums, tracks } = answer.value;
  return (
    <Pane title={artist.name} over="Artist">
      <h1 class="heading clamp"><bdi>{artist.name}</bdi></h1>
      <Steer tracks={tracks} name={artist.name} />
      {albums.length > 0 && (
        <Section title="Albums">
          <ul class="names">
            {albums.map((one) => (
              <li key={one.id}><a href={href("album", one.id)}><bdi>{one.name}</bdi></a><span class="quiet figure">{one.year ?? ""}</span></li>
            ))}
          </ul>
        </Section>
      )}
      {(similar.value?.items.length ?? 0) > 0 && (
        <Section title="Similar artists">
          <ul class="names">
            {similar.value!.items.map((one) => (
              <li key={one.id} class={one.close === false ? "is-quiet" : ""}>
                <a href={href("artist", one.id)}><bdi>{one.name}</bdi></a><span class="quiet figure">{percent(one.similarity)}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title={counted(tracks.length, "track")}><Tracks tracks={tracks} name={artist.name} /></Section>
    </Pane>
  );
}

export function AlbumView() {
  const id = place.value.id;
  const answer = useAnswer(`album\n${id}`, (signal) => get<{ album: Album; tracks: Track[] }>(`albums/${id}`, signal));
  const similar = useAnswer(`albums like\n${id}`, (signal) => get<{ items: SimilarGroup[] }>(`albums/${id}/similar?k=8`, signal));
  useOnMap(answer.value?.tracks);
  if (answer.error) return <Pane title="Album"><Fault text={answer.error} /></Pane>;
  if (!answer.value) return <Pane title="Album"><Waiting /></Pane>;
  const { album, tracks } = answer.value;
  return (
    <Pane title={album.name} over="Album">
      <h1 class="heading clamp"><bdi>{album.name}</bdi></h1>
      <p class="by">
        {album.artist_id ? <a href={href("artist", album.artist_id)}><bdi>{album.artist}</bdi></a> : <bdi>{album.artist ?? "Various artists"}</bdi>}
        <span class="quiet"> · {[album.year, span(album.duration)].filter(Boolean).join(" · ")}</span>
      </p>
      <Steer tracks={tracks} name={album.name} />
      <Tracks tracks={tracks} name={album.name} />
      {(similar.value?.items.length ?? 0) > 0 && (
        <Section title="Albums that sound alike">
          <ul class="names">
            {similar.value!.items.map((one) => (
              <li key={one.id} class={one.close === false ? "is-quiet" : ""}>
                <span><a href={href("album", one.id)}><bdi>{one.name}</bdi></a> <bdi class="quiet">{one.artist ?? ""}</bdi></span>
                <span class="quiet figure">{percent(one.similarity)}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </Pane>
  );
}
