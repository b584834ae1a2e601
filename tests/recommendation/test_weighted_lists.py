"""Lists in which groups of features count for more or for less."""

from collections.abc import Iterator

import numpy as np
import pytest
from group_world import grouped_service

from recommender.embedding.input_groups import contributions
from recommender.errors import UsageError
from recommender.recommendation.filters import Filters
from recommender.recommendation.service import SimilarityService


@pytest.fixture(scope="module", params=[40, 130], ids=["cosine", "reranked"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimilarityService]:
    file = tmp_path_factory.mktemp("weights") / "catalog.db"
    with grouped_service(file, request.param) as opened:
        yield opened


def test_weights_of_one_leave_lists_as_they_are(service: SimilarityService) -> None:
    plain = service.similar(1, k=20)
    same = service.similar(1, k=20, weights={"timbre": 1.0, "rhythm": 1})
    assert same == plain


def test_a_group_that_alone_counts_orders_the_list(service: SimilarityService) -> None:
    others = {"network": 0.0, "timbre": 0.0, "harmony": 0.0, "dynamics": 0.0}
    found = service.similar(1, k=20, ranking="cosine", weights=others)
    ids = service.index().ids
    grouped = service.projector.grouped  # type: ignore[attr-defined]
    _, activations = service.catalog.activations(service.projector.space)
    terms = grouped.terms(activations)
    rhythm = terms[list(grouped.groups).index("rhythm")][None]
    expected = contributions(rhythm[:, 0], rhythm)[:, 0]
    order = [int(one) for one in ids[np.argsort(-expected, kind="stable")] if one != 1]
    assert [one.track.id for one in found] == order[: len(found)]
    assert [one.score for one in found] == pytest.approx(np.sort(expected)[::-1][1:21], abs=1e-5)


def test_similarities_stay_plain_cosines(service: SimilarityService) -> None:
    plain = {one.track.id: one.similarity for one in service.similar(1, k=1_000)}
    for one in service.similar(1, k=1_000, weights={"rhythm": 4.0}, why=True):
        assert one.similarity == pytest.approx(plain[one.track.id], abs=1e-6)
        assert one.why is not None
        total = sum(one.why.groups.values()) + sum(one.why.reranking.values())
        assert total == pytest.approx(one.score, abs=2e-6)


def test_a_small_change_of_weights_changes_the_list_little(service: SimilarityService) -> None:
    plain = [one.track.id for one in service.similar(1)]
    nearly = [one.track.id for one in service.similar(1, weights={"rhythm": 1.000001})]
    assert nearly == plain


def test_filters_and_limits_hold(service: SimilarityService) -> None:
    filters = Filters(min_duration=80.0)
    found = service.similar(1, k=5, filters=filters, weights={"timbre": 2.0})
    assert len(found) == 5
    assert all(one.track.duration >= 80 for one in found)
    assert 1 not in {one.track.id for one in found}


def test_the_weights_are_told(service: SimilarityService) -> None:
    assert service.recommend(1, weights={"rhythm": 2.0}).weights == {"rhythm": 2.0}
    assert service.recommend(1).weights == {}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"mood": 2.0}, "there are network, timbre"),
        ({"timbre": -1.0}, "from 0 to 100"),
        ({"timbre": float("nan")}, "from 0 to 100"),
        (dict.fromkeys(("network", "timbre", "rhythm", "harmony", "dynamics"), 0.0), "above 0"),
    ],
)
def test_weights_out_of_range_are_refused(
    service: SimilarityService, weights: dict[str, float], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        service.similar(1, weights=weights)
