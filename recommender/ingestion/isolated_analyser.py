"""Analyse sounds in other processes, within limits of memory and time."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Concatenate, ParamSpec, TypeVar, cast

from recommender.errors import TooMuchMemory, UnreadableAudio, WorkerCrashed, WorkerTimedOut
from recommender.ingestion.file_reader import FileReader, ReaderPool
from recommender.ingestion.reader_model import SameSamples, analyse_changed, describe_file

if TYPE_CHECKING:
    from recommender.audio.span_decoder import Span
    from recommender.audio.tags import Tagged, Tags
    from recommender.embedding.space import Analysis
    from recommender.musical_descriptors import MusicalDescriptors

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class IsolatedAnalyser:
    """Analyses sounds in processes that have a model. Thread-safe."""

    def __init__(self, readers: ReaderPool | FileReader, *, describes: bool = False) -> None:
        """With readers that were given a model; they are closed with it.

        Args:
            describes: whether `analyse` computes musical descriptors where it is not said.
        """
        self._readers = readers
        self._describes = describes

    def analyse(
        self, sound: Path | BinaryIO, span: "Span | None" = None, describes: bool | None = None
    ) -> "Analysis":
        """As `Embedder.analyse`; also raises what `FileReader.call` raises.

        Args:
            sound: a path, or a binary file object.
            span: the part of it that is analysed; None for all of it.
            describes: whether musical descriptors are computed, too; None for what the analyser
                was made for.
        """
        describes = self._describes if describes is None else describes
        with named(sound) as path:
            return cast("Analysis", self.call(analyse_changed, path, None, True, span, describes))

    def analyse_changed(
        self,
        path: Path,
        stored_hash: str | None,
        forced: bool,
        span: "Span | None" = None,
        describes: bool = False,
    ) -> "Analysis | SameSamples":
        """As `reader_model.analyse_changed`; also raises what `FileReader.call` raises."""
        return self.call(analyse_changed, path, stored_hash, forced, span, describes)

    def describe(self, path: Path, span: "Span | None" = None) -> "MusicalDescriptors":
        """As `reader_model.describe_file`; also raises what `FileReader.call` raises."""
        return self.call(describe_file, path, span)

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
        """End the processes."""
        self._readers.close()

    def kill(self) -> None:
        """End the processes without waiting for calls to be answered; later calls raise, too."""
        self._readers.kill()


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
