"""Analyses, spaces and the active space come back as they were stored."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from catalogs import DIMENSION, OTHER_SPACE, SPACE, analyse, analysis, hash_of, revision, stat

from recommender.catalog import (
    Catalog,
    Library,
    Tags,
    TrackState,
)
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import CatalogError


def test_an_analysed_track_comes_back_as_it_was(catalog: Catalog, library: Library) -> None:
    tags = Tags("Jóga", "Björk", "Homogenic", "Björk", "Electronic", 2, 1997)
    before = datetime.now(UTC)
    track_id = analyse(catalog, library, "Björk/02 Jóga.flac", tags=tags, analysed=analysis(5))
    track = catalog.track(track_id)
    assert (track.library, track.path) == (library, "Björk/02 Jóga.flac")
    assert (track.size, track.mtime_ns) == (1000, 1)
    assert track.content_hash == hash_of("Björk/02 Jóga.flac")
    assert track.tags == tags
    assert track.state is TrackState.ANALYSED
    assert track.duration == 65.0
    assert dict(track.genre_probabilities) == {"rock": 0.25, "jazz": 0.75}
    assert track.predicted_genre == "jazz"
    assert track.windows == ((0.0, 10.0), (25.5, 10.0))
    assert track.analysed_by == "recsys 0.1.0"
    assert track.analysed_at is not None
    assert track.analysed_at.utcoffset() == timedelta(0)
    assert before <= track.analysed_at <= datetime.now(UTC)


def test_an_analysis_comes_back_bit_for_bit(catalog: Catalog, library: Library) -> None:
    original = analysis(3)
    track_id = analyse(catalog, library, "a.wav", analysed=original)
    stored = catalog.analysis_of(track_id, SPACE)
    assert stored is not None
    np.testing.assert_array_equal(stored.activations, original.activations)
    assert stored.activations.dtype == np.float32
    assert stored.genre_probabilities == original.genre_probabilities
    assert (stored.duration, stored.windows, stored.space) == (63.0, original.windows, SPACE)
    assert catalog.analysis_of(track_id, OTHER_SPACE) is None


def test_another_analysis_replaces_it_and_keeps_the_id(catalog: Catalog, library: Library) -> None:
    first = analyse(catalog, library, "a.wav", content_hash="old", analysed=analysis(1))
    analyse(catalog, library, "a.wav", content_hash="old", analysed=analysis(1, OTHER_SPACE))
    with catalog.writing() as write:
        write.set_file_hash(first, "whole file")
    again = analyse(catalog, library, "a.wav", content_hash="new", analysed=analysis(2))
    assert again == first
    assert catalog.counts().analysed == 1
    np.testing.assert_array_equal(catalog.activations(SPACE)[1][0], analysis(2).activations)
    assert catalog.analysis_of(first, OTHER_SPACE) is None  # it was of the old content
    assert catalog.file_hash_of(first) is None


def test_activations_are_one_matrix_in_the_order_of_ids(catalog: Catalog, library: Library) -> None:
    ids = [analyse(catalog, library, f"{n}.wav", analysed=analysis(n)) for n in range(5)]
    with catalog.writing() as write:
        write.missing(ids[1:2])
        write.failed(library, stat("2.wav", size=3), "unreadable", "truncated")
    found, matrix = catalog.activations(SpaceId(SPACE.model, SPACE.weights, SPACE.analysis, "pca"))
    assert found.tolist() == [ids[0], ids[3], ids[4]]
    assert found.dtype == np.int64
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, np.stack([analysis(n).activations for n in (0, 3, 4)]))


def test_activations_of_an_unknown_space_are_none(catalog: Catalog) -> None:
    ids, matrix = catalog.activations(OTHER_SPACE)
    assert ids.shape == (0,)
    assert matrix.shape == (0, 0)


def test_a_space_has_one_vector_length(catalog: Catalog, library: Library) -> None:
    analyse(catalog, library, "a.wav")
    longer = Analysis(np.zeros(DIMENSION + 1, np.float32), {}, 1.0, (), SPACE)
    with pytest.raises(CatalogError, match="length 5"):
        analyse(catalog, library, "b.wav", analysed=longer)
    assert catalog.counts().analysed == 1


def test_spaces_are_counted(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "a.wav")
    analyse(catalog, library, "b.wav")
    analyse(catalog, library, "a.wav", analysed=analysis(1, OTHER_SPACE))
    assert catalog.spaces() == [(SPACE, 2), (OTHER_SPACE, 1)]
    with catalog.writing() as write:
        write.missing([track_id])
    assert catalog.spaces() == [(SPACE, 1), (OTHER_SPACE, 0)]


def test_a_track_shows_the_active_space_or_else_the_newest(
    catalog: Catalog, library: Library
) -> None:
    def with_genre(genre: str, space: SpaceId) -> Analysis:
        return Analysis(np.ones(DIMENSION, np.float32), {genre: 1.0}, 9.0, (), space)

    analyse(catalog, library, "a.wav", analysed=with_genre("rock", SPACE))
    track_id = analyse(catalog, library, "a.wav", analysed=with_genre("jazz", OTHER_SPACE))
    assert catalog.track(track_id).predicted_genre == "jazz"
    catalog.set_active(SPACE, {})
    assert catalog.track(track_id).predicted_genre == "rock"
    catalog.set_active(SpaceId("third", "w", "h"), {})
    assert catalog.track(track_id).predicted_genre == "jazz"


def test_active_space_is_stored_with_its_settings(catalog: Catalog, library: Library) -> None:
    assert catalog.active_space() is None
    assert catalog.analysis_settings() is None
    analysis_settings = {"model": "conv1d-encoder", "windowing": {"count": 3, "seconds": 10.0}}
    projected = SpaceId(SPACE.model, SPACE.weights, SPACE.analysis, "pca")
    catalog.set_active(projected, analysis_settings)
    assert catalog.active_space() == SPACE
    assert catalog.analysis_settings() == analysis_settings
    before = revision(catalog)
    catalog.set_active(SPACE, analysis_settings)
    assert revision(catalog) == before
    analyse(catalog, library, "a.wav")
    assert catalog.spaces() == [(SPACE, 1)]
