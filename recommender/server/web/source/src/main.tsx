import { render } from "preact";
import { useEffect } from "preact/hooks";
import { isLost, needsSecret, openMedia, secret } from "./api";
import { listen } from "./keyboard";
import { MapPane } from "./map/MapPane";
import { loadMap } from "./map/state";
import { Help } from "./parts/Help";
import { Icon } from "./parts/icons";
import { Masthead } from "./parts/Masthead";
import { PlayerBar } from "./parts/PlayerBar";
import { SaveDialog } from "./parts/SaveDialog";
import { SignIn } from "./parts/SignIn";
import { dismiss, isMapShown, loadStatus, loadTaste, place, remarks } from "./store";
import { AlbumView, ArtistView } from "./views/Groups";
import { Home } from "./views/Home";
import { Library } from "./views/Library";
import { PathView } from "./views/PathView";
import { Picked } from "./views/Picked";
import { PlaylistView, Playlists } from "./views/Playlists";
import { Queue } from "./views/Queue";
import { Search } from "./views/Search";
import { TrackView } from "./views/TrackView";

const VIEWS = {
  home: Home,
  search: Search,
  track: TrackView,
  artist: ArtistView,
  album: AlbumView,
  path: PathView,
  picked: Picked,
  playlists: Playlists,
  playlist: PlaylistView,
  library: Library,
  queue: Queue,
};

async function open(): Promise<void> {
  if (secret()) await openMedia().catch(() => undefined);
  await Promise.all([loadStatus(), loadMap(), loadTaste()]);
}

function Page() {
  const { name, id } = place.value;
  useEffect(() => {
    document.querySelector(".sheet")?.scrollTo(0, 0);
    if (name !== "home") isMapShown.value = false;
  }, [name, id.split("\n")[0]]);
  if (needsSecret.value) return <SignIn onIn={() => void open()} />;
  const View = VIEWS[name];
  return (
    <div class={`page is-${name} ${isMapShown.value ? "shows-map" : ""}`}>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>To the content</a>
      <Masthead />
      {isLost.value && <p class="banner" role="alert">The server cannot be reached. This page goes on as soon as it is back.</p>}
      <div class="middle">
        <main class="sheet" id="main" tabIndex={-1}><View /></main>
        <MapPane />
      </div>
      <PlayerBar />
      <div class="remarks" role="status" aria-live="polite">
        {remarks.value.map((one) => (
          <p key={one.id} class={`remark ${one.isBad ? "is-bad" : ""}`}>
            <span>{one.text}</span>
            <button class="tool is-small" onClick={() => dismiss(one.id)} aria-label="Dismiss"><Icon name="close" /></button>
          </p>
        ))}
      </div>
      <SaveDialog />
      <Help />
    </div>
  );
}

const root = document.getElementById("app")!;
root.replaceChildren();
render(<Page />, root);
listen();
void open();
