"""The queue of a real MPD, which plays into nothing."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from toy_world import World, analysis

from recommender.audio.segments import Segment
from recommender.catalog import Catalog, FileStat, Tags
from recommender.errors import CatalogError, PlayerError, UsageError
from recommender.players.mpd import MpdQueue, _SaidOnce
from recommender.players.mpd_connection import MpdSettings
from recommender.playlists.repeats import Repeats
from recommender.recommendation.mix_request import Rules

mpd = pytest.importorskip("mpd", reason="python-mpd2 is not installed (extra 'mpd')")
pytestmark = pytest.mark.skipif(shutil.which("mpd") is None, reason="MPD is not installed")

CONFIGURATION = """
music_directory "{folder}/music"
playlist_directory "{folder}/lists"
db_file "{folder}/database"
state_file "{folder}/state"
bind_to_address "{folder}/socket"
bind_to_address "127.0.0.1"
port "{port}"
password "secret@read,add,control,admin"
default_permissions "read,add,control,admin"
auto_update "no"
audio_output {{
    type "null"
    name "nothing"
    sync "yes"
}}
"""


@dataclass
class Player:
    """A running MPD, and the catalogue of its music: a track every ten degrees."""

    world: World
    folder: Path
    client: Any
    ids: list[int]

    @property
    def socket(self) -> MpdSettings:
        return MpdSettings(str(self.folder / "socket"), ahead=3, rules=NO_GAPS)

    def queue(self) -> list[str]:
        return [song["file"] for song in self.client.playlistinfo()]

    def play(self, *files: str, at: int = 0) -> None:
        self.client.clear()
        for file in files:
            self.client.add(file)
        self.client.play(at)
        assert self.client.currentsong()["file"] == files[at]


NO_GAPS = Rules(artist_gap=0, album_gap=0)


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def player(world: World, tmp_path: Path) -> Iterator[Player]:
    ids = []
    (tmp_path / "music" / "in a folder").mkdir()
    (tmp_path / "lists").mkdir()
    for number in range(8):
        name = f"in a folder/{number} é.flac" if number % 2 else f"{number}.flac"
        soundfile.write(tmp_path / "music" / name, np.zeros(8000 * 30), 8000)
        ids.append(world.add(name, 10.0 * number, duration=30.0, artist=f"artist {number}"))
    port = free_port()
    configuration = tmp_path / "mpd.conf"
    configuration.write_text(CONFIGURATION.format(folder=tmp_path, port=port))
    process = subprocess.Popen(
        ["mpd", "--no-daemon", "--stderr", str(configuration)],
        stdout=subprocess.DEVNULL,
        stderr=(tmp_path / "log").open("wb"),
    )
    client = mpd.MPDClient()
    try:
        connect(client, tmp_path / "socket")
        client.update()
        while "updating_db" in client.status():
            time.sleep(0.05)
        yield Player(world, tmp_path, client, ids)
    finally:
        with suppress(Exception):
            client.disconnect()
        process.terminate()
        process.wait(10)


def connect(client: Any, socket: Path) -> None:
    for _ in range(200):
        try:
            client.connect(str(socket))
            return
        except (OSError, mpd.ConnectionError):
            time.sleep(0.05)
    pytest.skip("MPD does not start here")


def test_the_queue_is_filled_from_what_is_playing(player: Player) -> None:
    player.play("2.flac")
    with MpdQueue(player.world.service, player.socket) as queue:
        added = queue.fill()
        assert len(added) == 3
        assert {track.id for track in added[:2]} == {player.ids[1], player.ids[3]}
        assert player.queue() == ["2.flac", *(track.path for track in added)]
        assert queue.fill() == []
        player.client.next()
        (one,) = queue.fill()
        assert len(set(player.queue())) == 5  # nothing twice
        assert player.queue()[-1] == one.path


def test_the_seed_is_what_the_listener_chose(player: Player) -> None:
    """Also after the radio has gone on to tracks that it added."""
    player.play("0.flac")
    with MpdQueue(player.world.service, player.socket) as queue:
        for _ in range(4):
            queue.fill()
            player.client.next()
        assert player.queue()[:5] == [
            "0.flac",
            *(player.world.catalog.track(id).path for id in player.ids[1:5]),
        ]


def test_over_tcp_the_directory_is_concluded_from_what_is_playing(player: Player) -> None:
    port = int(player.folder.joinpath("mpd.conf").read_text().partition('port "')[2].split('"')[0])
    player.play("in a folder/3 é.flac")
    settings = MpdSettings("secret@127.0.0.1", port, ahead=2, rules=NO_GAPS)
    with MpdQueue(player.world.service, settings) as queue:
        assert {track.id for track in queue.fill()} == {player.ids[2], player.ids[4]}
    with pytest.raises(PlayerError, match="refuses the password"):
        MpdQueue(player.world.service, MpdSettings("wrong@127.0.0.1", port))


def test_a_music_directory_seen_elsewhere(player: Player) -> None:
    """The catalogue knows the files by another path than MPD."""
    player.world.catalog.move_library(player.folder / "music", player.folder / "mounted")
    player.play("2.flac")
    settings = MpdSettings(str(player.folder / "socket"), ahead=1, rules=NO_GAPS)
    mounted = MpdSettings(
        settings.host, music_directory=player.folder / "mounted", ahead=2, rules=NO_GAPS
    )
    with MpdQueue(player.world.service, mounted) as queue:
        assert len(queue.fill()) == 2
    player.play("2.flac")
    with (
        MpdQueue(player.world.service, settings) as queue,
        pytest.raises(PlayerError, match="its music directory is not the catalogue's"),
    ):
        queue.fill()


def test_files_that_mpd_does_not_have_are_passed_over(player: Player) -> None:
    new = player.world.add("new.flac", 21.0, duration=30.0, artist="new")
    player.play("2.flac")
    with MpdQueue(player.world.service, player.socket) as queue:
        assert new not in [track.id for track in queue.fill()]
    assert len(player.queue()) == 4


def test_parts_of_a_file_are_queued_as_parts(player: Player) -> None:
    soundfile.write(player.folder / "music" / "album.flac", np.zeros(8000 * 70), 8000)
    player.client.update()
    while "updating_db" in player.client.status():
        time.sleep(0.05)
    library = player.world.catalog.libraries()[0]
    parts = []
    for number in (1, 2):
        segment = Segment(number, 30.0 * (number - 1), 30.0 * number)
        with player.world.catalog.writing() as write:
            parts.append(
                write.analysed(
                    library,
                    FileStat("album.flac", 1, 1),
                    f"part {number}",
                    Tags(artist=f"part {number}"),
                    analysis(18.0 + 4 * number, 30.0),
                    "test",
                    segment=segment,
                )
            )
    player.play("2.flac")
    with MpdQueue(player.world.service, player.socket) as queue:
        added = [track.id for track in queue.fill()]
        assert added[:2] == parts
        ranges = [song.get("range") for song in player.client.playlistinfo()]
        assert ranges[1:3] == ["0.000-30.000", "30.000-60.000"]
        player.client.play(2)
        assert not {track.id for track in queue.fill()} & {*added, *parts}


@pytest.mark.parametrize("playing", ["nothing", "a file the catalogue does not have"])
def test_what_cannot_be_a_seed_is_named(player: Player, playing: str) -> None:
    words = "plays nothing"
    if playing != "nothing":
        words = "other.flac is playing, which is no track of the catalogue"
        soundfile.write(player.folder / "music" / "other.flac", np.zeros(8000), 8000)
        player.client.update()
        while "updating_db" in player.client.status():
            time.sleep(0.05)
        player.play("other.flac")
    with (
        MpdQueue(player.world.service, player.socket) as queue,
        pytest.raises(PlayerError, match=words),
    ):
        queue.fill()


def test_no_mpd_there(world: World, tmp_path: Path) -> None:
    for settings in (MpdSettings(str(tmp_path / "absent")), MpdSettings(port=free_port())):
        with pytest.raises(PlayerError, match="MPD does not answer at"):
            MpdQueue(world.service, settings)
    for wrong in ({"ahead": 0}, {"port": 0}, {"port": 70_000}):
        with pytest.raises(UsageError):
            MpdSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_following_until_mpd_ends_and_recording_what_is_played(
    player: Player, caplog: pytest.LogCaptureFixture
) -> None:
    settings = MpdSettings(str(player.folder / "socket"), ahead=2, rules=NO_GAPS, record_as="ana")
    batches: list[int] = []
    ended: list[BaseException] = []

    def follow() -> None:
        try:
            with MpdQueue(player.world.service, settings) as queue:
                queue.follow(lambda tracks: batches.append(len(tracks)))
        except PlayerError as error:
            ended.append(error)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    until(lambda: "plays nothing" in caplog.text)
    player.play("2.flac")
    until(lambda: batches == [2])
    player.client.seekcur(20)
    time.sleep(2.5)
    player.client.next()
    until(lambda: batches == [2, 1])
    history = player.world.catalog.history("ana")
    assert [(event.kind, event.track_id, event.source) for event in history] == [
        ("skip", player.ids[2], "mpd")
    ]
    player.client.kill()
    thread.join(10)
    assert not thread.is_alive()
    assert "the connection to MPD is lost" in str(ended[0])


@pytest.mark.slow
def test_a_busy_catalogue_does_not_end_it(
    player: Player, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> int:
        raise CatalogError("the catalogue is locked")

    settings = replace(player.socket, record_as="ana")
    player.play("2.flac")
    with MpdQueue(player.world.service, settings) as queue, monkeypatch.context() as patched:
        queue.fill()
        listen = _SaidOnce(queue._listen)
        listen()
        player.client.seekcur(20)
        time.sleep(2.1)
        patched.setattr(Catalog, "record_events", busy)
        for _ in range(3):
            player.client.next()
            listen()
        assert caplog.text.count("the catalogue is locked") == 1
        patched.undo()
        player.client.next()
        listen()
    history = player.world.catalog.history("ana")
    assert [(event.kind, event.track_id) for event in history] == [("skip", player.ids[2])]


def test_what_is_not_to_be_repeated_is_looked_up_each_time(player: Player) -> None:
    settings = replace(player.socket, repeats=Repeats(7, (), "ana"))
    player.play("2.flac")
    with MpdQueue(player.world.service, settings) as queue:
        player.world.catalog.record("ana", "play", player.ids[3], datetime.now(UTC))
        assert player.ids[3] not in [track.id for track in queue.fill()]


def until(holds: Any) -> None:
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    assert holds()
