"""Why a track is in a list: the numbers add up to what is shown."""

from collections.abc import Iterator

import numpy as np
import pytest
from group_world import grouped_service

from recommender.embedding.input_groups import GROUPS, NETWORK
from recommender.embedding.space import Embedding
from recommender.errors import UsageError
from recommender.recommendation.explanation import HUBNESS, PINNED, SHARED_NEIGHBOURS, Explanation
from recommender.recommendation.service import SimilarityService


@pytest.fixture(scope="module", params=[20, 120], ids=["cosine", "reranked"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimilarityService]:
    file = tmp_path_factory.mktemp("groups") / "catalog.db"
    with grouped_service(file, request.param) as opened:
        yield opened


def test_contributions_add_up_to_the_similarity_and_the_score(service: SimilarityService) -> None:
    for track_id in service.index().ids[:10].tolist():
        for found in service.similar(track_id, why=True):
            assert found.why is not None
            assert tuple(found.why.groups) == (NETWORK, *GROUPS)
            total = sum(found.why.groups.values())
            assert total == pytest.approx(found.similarity, abs=1e-6)
            added = sum(found.why.reranking.values())
            assert total + added == pytest.approx(found.score, abs=2e-6)


def test_the_steps_of_reranking_are_named(service: SimilarityService) -> None:
    reasons = [found.why for found in service.similar(1, why=True)]
    names = {name for why in reasons if why for name in why.reranking}
    if len(service.index()) < 100:
        assert not names
    else:
        assert {SHARED_NEIGHBOURS, HUBNESS} <= names <= {SHARED_NEIGHBOURS, HUBNESS, PINNED}


def test_the_list_is_the_same_with_and_without_reasons(service: SimilarityService) -> None:
    plain, explained = service.similar(3), service.similar(3, why=True)
    assert [one.why for one in plain] == [None] * len(plain)
    assert [(one.track.id, one.score) for one in plain] == [
        (one.track.id, one.score) for one in explained
    ]


def test_words_tell_what_is_shared_and_what_differs(service: SimilarityService) -> None:
    by_id = {one.track.id: one.why for one in service.similar(1, k=1_000, why=True)}
    same_key, other_mode, fast = by_id[3], by_id[2], by_id[10]
    assert same_key is not None
    assert "both A major" in same_key.alike
    assert "tempo 100/102" in same_key.alike
    assert other_mode is not None
    assert "mode (major/minor)" in other_mode.differ
    last = by_id[max(by_id)]
    assert last is not None
    assert any(text.startswith("energy (.00/") for text in last.differ)
    assert fast is not None
    assert "tempo 100/109" not in fast.alike + fast.differ  # neither near nor far


def test_a_line_names_the_largest_contributions() -> None:
    why = Explanation({"timbre": 0.31, "rhythm": 0.02, "network": -0.07}, {}, ("calm",), ("key",))
    assert str(why) == "timbre +.31; against it network -.07; calm; differ in key"
    assert str(Explanation({"timbre": 0.01}, {})) == "nothing in particular"


def test_an_embedding_has_no_reasons(service: SimilarityService) -> None:
    vector = service.index().vectors[0]
    query = Embedding(vector, service.projector.space)
    with pytest.raises(UsageError, match="give a track or a sound"):
        service.similar(query, why=True)
    assert len(service.similar(query)) == 10


def test_vectors_without_groups_have_no_reasons(world) -> None:
    world.add("a.ogg", 0)
    world.add("b.ogg", 10)
    with pytest.raises(UsageError, match="no known groups"):
        world.service.similar(1, why=True)


def test_of_one_track_nothing_is_to_be_explained(tmp_path) -> None:
    with grouped_service(tmp_path / "one.db", 1) as service:
        assert service.similar(1, why=True) == []
        assert service.similar(1, weights={"timbre": 2.0}) == []


def test_identical_tracks_are_explained(tmp_path) -> None:
    with grouped_service(tmp_path / "two.db", 11) as service:
        found = {one.track.id: one for one in service.similar(1, k=20, why=True)}
        assert found[11].why is not None
        assert np.isfinite(list(found[11].why.groups.values())).all()
