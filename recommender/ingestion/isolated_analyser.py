"""Analyse sounds that are opened in other processes."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Concatenate, ParamSpec, TypeVar

from recommender.errors import TooMuchMemory, UnreadableAudio, WorkerCrashed, WorkerTimedOut
from recommender.ingestion.file_reader import FileReader, ReaderPool

if TYPE_CHECKING:
    from recommender.audio.reader import DecodedWindows
    from recommender.audio.span_decoder import Span
    from recommender.audio.tags import Tagged, Tags
    from recommender.embedding.embedder import Embedder
    from recommender.embedding.space import Analysis

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class IsolatedAnalyser:
    """Analyses sounds: decoded in other processes, by the network in this one. Thread-safe."""

    def __init__(self, embedder: "Embedder", readers: "ReaderPool | FileReader") -> None:
        """Of `embedder`'s windows; `readers` are closed with it."""
        self.embedder = embedder
        self._readers = readers

    def analyse(self, sound: Path | BinaryIO) -> "Analysis":
        """As `Embedder.analyse`; also raises what `FileReader.call` raises."""
        with named(sound) as path:
            return self.embedder.analyse_windows(self.decode(path))

    def decode(self, path: Path, span: "Span | None" = None) -> "DecodedWindows":
        """As `Embedder.decode`, likewise; of a part of the file where `span` is given."""
        from recommender.audio.reader import read_windows

        windowing, rate = self.embedder.windowing, self.embedder.front_end.sample_rate
        return self._readers.call(read_windows, path, windowing, rate, span)

    def read_tags(self, sound: Path | BinaryIO) -> "Tags":
        """As `audio.tags.read_tags`: fields are None where the tags take too much."""
        return self.read_tagged(sound).tags

    def read_tagged(self, sound: Path | BinaryIO) -> "Tagged":
        """As `audio.tags.read_tagged`, likewise."""
        from recommender.audio.tags import Tagged, read_tagged

        try:
            with named(sound) as path:
                return self._readers.call(read_tagged, path)
        except (TooMuchMemory, WorkerTimedOut, WorkerCrashed, UnreadableAudio, OSError):
            return Tagged()

    def call(
        self,
        function: Callable[Concatenate[Path, _Arguments], _Result],
        path: Path,
        *args: _Arguments.args,
        **kwargs: _Arguments.kwargs,
    ) -> _Result:
        """As `FileReader.call`."""
        return self._readers.call(function, path, *args, **kwargs)

    def close(self) -> None:
        """End the processes that open files."""
        self._readers.close()


@contextmanager
def named(sound: Path | BinaryIO) -> Iterator[Path]:
    """The path of a sound: of a file object's, a copy that is deleted afterwards."""
    if isinstance(sound, Path):
        yield sound.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="recsys-") as folder:
        path = Path(folder) / "sound"
        sound.seek(0)
        with path.open("wb") as copy:
            shutil.copyfileobj(sound, copy)
        yield path
