"""The model of a process that analyses files, and what another process calls it for."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.utils.files import AnyPath

if TYPE_CHECKING:
    from recommender.audio.reader import DecodedWindows
    from recommender.audio.span_decoder import Span
    from recommender.audio.windows import Windowing
    from recommender.embedding.embedder import Embedder
    from recommender.embedding.space import Analysis
    from recommender.musical_descriptors import MusicalDescriptors


@dataclass(frozen=True)
class SameSamples:
    """Of a file whose samples are those that were analysed.

    Attributes:
        samples_hash: their hash.
        descriptors: None where they were not asked for.
    """

    samples_hash: str
    descriptors: "MusicalDescriptors | None" = None


_embedder: "Embedder | None" = None


def load_model(model: AnyPath, windowing: "Windowing | None") -> None:
    """Load the model that `analyse_changed` uses in this process. Raises `WeightsError`."""
    from recommender.embedding.embedder import Embedder

    global _embedder
    _embedder = Embedder.load(model, windowing)


def analyse_changed(
    path: Path,
    stored_hash: str | None,
    forced: bool,
    span: "Span | None" = None,
    describes: bool = False,
) -> "Analysis | SameSamples":
    """The analysis of a file by the model of this process, unless its samples are the same.

    Args:
        path: of the file.
        stored_hash: of the samples that its stored analysis is of; None without an analysis.
        forced: whether it is analysed even if its samples are those.
        span: the part of the file that is the track; None for all of it.
        describes: whether musical descriptors are computed, in either case.

    Returns:
        `SameSamples` where their hash equals the stored one and analysis is not forced.

    Raises:
        AudioError: it cannot be analysed; the subclass says why.
    """
    from recommender.audio.samples_hash import hash_samples, same_samples

    assert _embedder is not None
    decoded = _embedder.decode(path, span)
    if not forced:
        found = hash_samples(decoded.clips)
        if same_samples(stored_hash, found):
            return SameSamples(found, _described(decoded) if describes else None)
    analysis = _embedder.analyse_windows(decoded)
    return replace(analysis, descriptors=_described(decoded)) if describes else analysis


def describe_file(path: Path, span: "Span | None" = None) -> "MusicalDescriptors":
    """The musical descriptors of the windows that the model of this process analyses.

    Arguments and errors as of `analyse_changed`.
    """
    assert _embedder is not None
    return _described(_embedder.decode(path, span))


def _described(decoded: "DecodedWindows") -> "MusicalDescriptors":
    from recommender.musical_descriptors.extraction import describe_windows

    return describe_windows(decoded)
