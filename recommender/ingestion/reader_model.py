"""The model of a process that analyses files, and what another process calls it for."""

from pathlib import Path
from typing import TYPE_CHECKING

from recommender.utils.files import AnyPath

if TYPE_CHECKING:
    from recommender.audio.span_decoder import Span
    from recommender.audio.windows import Windowing
    from recommender.embedding.embedder import Embedder
    from recommender.embedding.space import Analysis

_embedder: "Embedder | None" = None


def load_model(model: AnyPath, windowing: "Windowing | None") -> None:
    """Load the model that `analyse_changed` uses in this process. Raises `WeightsError`."""
    from recommender.embedding.embedder import Embedder

    global _embedder
    _embedder = Embedder.load(model, windowing)


def analyse_changed(
    path: Path, stored_hash: str | None, forced: bool, span: "Span | None" = None
) -> "Analysis | str":
    """The analysis of a file by the model of this process, or the hash of its samples.

    Args:
        path: of the file.
        stored_hash: of the samples that its stored analysis is of; None without an analysis.
        forced: whether it is analysed even if its samples are those.
        span: the part of the file that is the track; None for all of it.

    Returns:
        The hash where it equals the stored one and analysis is not forced.

    Raises:
        AudioError: it cannot be analysed; the subclass says why.
    """
    from recommender.audio.samples_hash import hash_samples, same_samples

    assert _embedder is not None
    decoded = _embedder.decode(path, span)
    if not forced:
        found = hash_samples(decoded.clips)
        if same_samples(stored_hash, found):
            return found
    return _embedder.analyse_windows(decoded)
