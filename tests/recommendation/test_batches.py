"""Many queries at once give exactly what they give one by one; and what a list comes with."""

import io

import numpy as np
import pytest
from toy_world import Crowd, ToyEmbedder, World, direction

from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.embedding.space import Embedding
from recommender.errors import TrackNotFound
from recommender.recommendation.filters import Filters
from recommender.recommendation.seeds import Seed
from recommender.recommendation.service import SimilarityService


@pytest.mark.parametrize("ranking", ["reranked", "cosine"])
@pytest.mark.parametrize(
    "filters",
    [None, Filters(per_artist=None), Filters(min_duration=290, per_artist=1)],
    ids=["default", "any number of an artist", "few pass"],
)
def test_a_batch_equals_single_queries(crowd: Crowd, ranking: str, filters: Filters | None) -> None:
    ids = [track.id for track in crowd.tracks[::7]]
    embeddings = [Embedding(direction(3.3 * n) / 3, ToyEmbedder.space) for n in range(5)]
    queries = [*ids[:9], *embeddings, *ids[9:], ids[0]]
    together = crowd.service.similar_many(iter(queries), 12, filters, ranking)
    assert together == [crowd.service.similar(query, 12, filters, ranking) for query in queries]
    assert len(together) == len(queries)
    assert crowd.service.similar_many([]) == []


def test_one_bad_query_fails_the_batch(crowd: Crowd) -> None:
    with pytest.raises(TrackNotFound):
        crowd.service.similar_many([crowd.tracks[0].id, 99_999])


@pytest.mark.parametrize(
    "single", ["waltz", b"waltz", 3, io.BytesIO()], ids=lambda one: type(one).__name__
)
def test_a_single_query_is_no_batch(crowd: Crowd, single: object) -> None:
    with pytest.raises(TypeError, match="queries must be several, as in a list, not one "):
        crowd.service.similar_many(single)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"k": 1.5}, "k must be an int, not float"),
        ({"k": None}, "k must be an int, not NoneType"),
        (
            {"filters": {"genre": "rock"}},
            r"must be a recommender\.Filters or None, not dict",
        ),
    ],
    ids=str,
)
def test_arguments_of_wrong_types(crowd: Crowd, values: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        crowd.service.similar(crowd.tracks[0].id, **values)  # type: ignore[arg-type]


def test_a_recommendation_says_what_it_was_made_with(crowd: Crowd) -> None:
    track = crowd.tracks[3]
    found = crowd.service.recommend(track.id, 5)
    assert found.seed == Seed(track, track.title, track.artist, track.file, track.duration)
    assert found.neighbours == crowd.service.similar(track.id, 5)
    assert (found.ranking, found.space) == ("reranked", ToyEmbedder.space)
    assert (found.calibration, found.hint) == (None, None)
    assert {neighbour.close for neighbour in found.neighbours} == {None}
    assert crowd.service.recommend(track.id, 5, ranking="cosine").ranking == "cosine"
    nowhere = crowd.service.recommend(Embedding(direction(1) / 3, ToyEmbedder.space), 5)
    assert nowhere.seed == Seed()


def test_small_catalogues_are_ranked_by_cosine_and_say_so(world: World) -> None:
    seed = world.add("a.ogg", 0)
    world.add("near.ogg", 10)
    world.add("far.ogg", 90)
    scale = SimilarityCalibration(midpoint=float(np.cos(np.radians(45))), slope=5.0)
    service = SimilarityService(
        world.catalog, ToyEmbedder(), ToyEmbedder, "cpu", None, similarity_calibration=scale
    )
    found = service.recommend(seed)
    assert (found.ranking, found.calibration) == ("cosine", scale)
    assert [neighbour.close for neighbour in found.neighbours] == [True, False]
