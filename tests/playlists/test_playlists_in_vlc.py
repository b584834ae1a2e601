"""What VLC plays of our playlists: the part of a file that a track is, and no more."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recommender.audio.tags import Tags
from recommender.catalog.records import Library, Track, TrackState
from recommender.playlists.files import write_playlist

RATE = 44_100
PITCHES = (440, 880, 1760)
"""Hz, of three parts of ten seconds each."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("cvlc") is None, reason="VLC is not installed"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the user who runs VLC, which refuses root, may write to."""
    with tempfile.TemporaryDirectory(prefix="vlc-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


def play(folder: Path, playlist: str) -> np.ndarray:
    """The samples that VLC plays."""
    output = folder / f"{playlist}.wav"
    to_file = "#transcode{acodec=s16l,channels=1,samplerate=44100}:std{access=file,mux=wav,dst=%s}"
    command = ["cvlc", "--play-and-exit", "-I", "dummy", "--sout", to_file % output, playlist]
    run = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)},
        user="nobody" if os.geteuid() == 0 else None,
        capture_output=True,
        timeout=120,
    )
    assert output.is_file(), run.stderr.decode(errors="replace")
    return soundfile.read(output, dtype="float32")[0]


# VLC takes "#", "?" and "%" in the lines of m3u for parts of an address; in XSPF they are encoded.
@pytest.mark.parametrize(
    ("ending", "name"),
    [("m3u8", "album é & 1.flac"), ("xspf", "album é & 1.flac"), ("xspf", "é #1? 50%41.flac")],
)
@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_vlc_plays_the_part(folder: Path, ending: str, name: str, absolute: bool) -> None:
    times = np.arange(10 * RATE) / RATE
    whole = np.concatenate([0.3 * np.sin(2 * np.pi * pitch * times) for pitch in PITCHES])
    (folder / "music").mkdir()
    soundfile.write(folder / "music" / name, whole, RATE)
    second = Track(
        1, Library(1, folder / "music"), name, 1, 1, "d", 10.0, Tags(title="second"),
        TrackState.ANALYSED, segment=2, start=10.0, end=20.0,
    )  # fmt: skip
    write_playlist(folder / f"second.{ending}", [second], absolute=absolute)
    played = play(folder, f"second.{ending}")
    assert len(played) / RATE == pytest.approx(10.0, abs=0.4)
    middle = played[2 * RATE : 8 * RATE]
    assert np.argmax(np.abs(np.fft.rfft(middle))) / 6 == pytest.approx(880, abs=1)
