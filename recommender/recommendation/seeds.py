"""From a query to its seed: the vector that is searched with, and what is shown of it."""

import operator
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias, cast

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.embedding.space import Analysis, Embedding
from recommender.errors import AudioError, EmptyFile, SpaceMismatch
from recommender.musical_descriptors import MusicalDescriptors
from recommender.recommendation.query import resolve
from recommender.recommendation.snapshot import Snapshot
from recommender.search.catalog_index import Projector
from recommender.utils.arrays import FloatArray

if TYPE_CHECKING:
    from recommender.audio.tags import Tags

Query: TypeAlias = "int | str | os.PathLike[str] | BinaryIO | Embedding"
"""What can be queried: a track id; a path, in the catalogue or not; words that match one title;
a binary file object with a sound; an embedding."""


class Analyser(Protocol):
    """What analyses a sound outside the catalogue; an `Embedder` is one."""

    def analyse(self, sound: Path | BinaryIO) -> Analysis:
        """Analyse a sound. Raises `AudioError`."""


@dataclass(frozen=True)
class Seed:
    """What a list of recommendations was made for.

    Attributes:
        track: the track of the catalogue; None for what is not in it.
        title: as shown; None where nothing is known (an embedding, a nameless upload).
        artist: as tagged.
        artists: each that the tags name; for filters, and not compared.
        path: of the file; None for an embedding or an upload.
        duration: seconds; None for an embedding.
    """

    track: Track | None = None
    title: str | None = None
    artist: str | None = None
    path: Path | None = None
    duration: float | None = None
    artists: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, eq=False)
class SearchSeed:
    """A seed, ready to be searched with.

    Attributes:
        seed: what is shown of it.
        vector: np.ndarray [shape=(p,)], float32 unit vector in the projected space; None for a
            track of the index, which has its own.
        track_id: of a track of the catalogue.
        row: of a track of the index.
        recording: for finding its duplicates; None for an embedding, and for a track of the index,
            which has its own.
        descriptors: musical ones, of a sound outside the catalogue.
        activations: np.ndarray [shape=(d,)], of a sound outside the catalogue.
    """

    seed: Seed
    vector: FloatArray | None = None
    track_id: int | None = None
    row: int | None = None
    recording: Recording | None = None
    descriptors: MusicalDescriptors | None = None
    activations: FloatArray | None = None


class SeedReader:
    """Makes seeds of queries, over one catalogue and in one projected space.

    The analyser is loaded once, when the first sound outside the catalogue has to be analysed,
    however many threads need it then.
    """

    def __init__(
        self,
        catalog: Catalog,
        projector: Projector,
        duplicate_detector: DuplicateDetector,
        load_analyser: Callable[[], Analyser],
    ) -> None:
        """For `SimilarityService`, whose arguments these are."""
        self._catalog = catalog
        self._projector = projector
        self._space = projector.space  # once: its digest is computed of the whole projection
        self._duplicates = duplicate_detector
        self._load_analyser = load_analyser
        self._analyser: Analyser | None = None
        self._loading = threading.Lock()

    def read(self, query: Query, snapshot: Snapshot) -> SearchSeed:
        """The seed that `query` means.

        Raises what `SimilarityService.recommend` raises for a query.
        """
        if isinstance(query, Embedding):
            query.space.require(self._space)
            return SearchSeed(Seed(), query.vector)
        if hasattr(query, "read"):
            return self._of_sound(cast(BinaryIO, query), None)
        found = resolve(self._catalog, _plain(query), self._is_duplicate(snapshot))
        if isinstance(found, Track):
            return self._of_track(found, snapshot)
        return self._of_sound(found, found)

    def _of_track(self, track: Track, snapshot: Snapshot) -> SearchSeed:
        seed = Seed(track, track.title, track.artist, track.file, track.duration, track.artists)
        row = snapshot.row(track.id)
        if row is not None:
            return SearchSeed(seed, None, track.id, row)
        analysis = self._catalog.analysis_of(track.id, self._space.unprojected)
        if analysis is None:
            raise SpaceMismatch(
                f"track {track.id} ({track.title}) has not been analysed with the catalogue's "
                f"current model. Run 'recsys ingest {track.library.root}'."
            )
        return SearchSeed(
            seed,
            self._projector.project(analysis.activations[None])[0],
            track.id,
            recording=Recording(self._duplicates.view(analysis.activations), track.duration),
        )

    def _of_sound(self, sound: Path | BinaryIO, path: Path | None) -> SearchSeed:
        from recommender.audio.decoder import descriptor_file
        from recommender.audio.tags import read_tags as tags_of

        analyser = self._loaded_analyser()
        # An analyser that opens sounds in another process reads their tags there, too.
        read_tags = getattr(analyser, "read_tags", tags_of)
        if isinstance(sound, Path):
            analysis, tags = _analysed(analyser, sound), read_tags(sound)
        else:
            try:
                with descriptor_file(sound) as file:  # copied at most once, for both readings
                    analysis, tags = _analysed(analyser, file), read_tags(file)
            except EmptyFile as error:
                raise EmptyFile(f"the uploaded sound: {error}") from error
        analysis.space.require(self._space.unprojected)
        return SearchSeed(
            _seed_of_sound(tags, path, analysis.duration),
            self._projector.project(analysis.activations[None])[0],
            recording=Recording(self._duplicates.view(analysis.activations), analysis.duration),
            descriptors=analysis.descriptors,
            activations=analysis.activations,
        )

    def descriptors(self, seeds: Sequence[SearchSeed]) -> list[MusicalDescriptors | None]:
        """The musical descriptors of each seed, where it has any."""
        ids = {seed.track_id for seed in seeds if seed.track_id is not None}
        stored = self._catalog.musical_descriptors(ids)
        return [seed.descriptors or stored.get(seed.track_id or 0) for seed in seeds]

    def close(self) -> None:
        """End the processes of the analyser, if it has any."""
        with self._loading:
            close = getattr(self._analyser, "close", None)
            if close is not None:
                close()

    def _loaded_analyser(self) -> Analyser:
        with self._loading:
            if self._analyser is None:
                self._analyser = self._load_analyser()
            return self._analyser

    def _is_duplicate(self, snapshot: Snapshot) -> Callable[[Track, Track], bool]:
        def is_duplicate(one: Track, other: Track) -> bool:
            rows = snapshot.row(one.id), snapshot.row(other.id)
            if rows[0] is None or rows[1] is None:
                return False
            return self._duplicates(snapshot.recording(rows[0]), snapshot.recording(rows[1]))

        return is_duplicate


def _plain(query: object) -> int | str | Path:
    """A track id, words or a path. Raises `TypeError` for what is no query."""
    if isinstance(query, str):
        return query
    if isinstance(query, os.PathLike) and isinstance(path := os.fspath(query), str):
        return Path(path)
    if not isinstance(query, bool):
        try:
            return operator.index(query)  # type: ignore[arg-type]  # numpy's integers, too
        except TypeError:
            pass
    raise TypeError(
        "a query is a track id (int), a path (str or os.PathLike), words (str), a binary file "
        f"object or an Embedding, not {type(query).__name__}."
    )


def _analysed(analyser: Analyser, sound: Path | BinaryIO) -> Analysis:
    try:
        return analyser.analyse(sound)
    except AudioError as error:
        name = str(sound) if isinstance(sound, Path) else "the uploaded sound"
        raise type(error)(f"{name}: {error}") from error


def _seed_of_sound(tags: "Tags", path: Path | None, duration: float) -> Seed:
    title = tags.title or (None if path is None else path.stem)
    return Seed(None, title, tags.artist or tags.album_artist, path, duration, tags.credited)
