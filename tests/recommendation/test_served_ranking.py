"""What `similar` lists and what `evaluate` measures are one ranking, whichever is chosen."""

import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import toy_models
from command_line import recsys

from recommender.catalog import Catalog, FileStat, Tags
from recommender.catalog.projector import CatalogProjector
from recommender.embedding.model_files import find_model
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.embedding.space import Analysis
from recommender.ingestion import IngestSettings
from recommender.recommendation.filters import Filters
from recommender.recommendation.service import SimilarityService

COUNT, GENRES = 130, ("blues", "disco", "metal")
EVERYTHING = Filters(per_artist=None, keep_duplicates=True)


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tracks of three genres, of whose activations are those of the genre with a lot of noise."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "music").mkdir()
    analysis_settings = IngestSettings(workers=1)
    random = np.random.default_rng(0)
    dimension = len(find_model(analysis_settings.model).projection().mean)
    genres = random.standard_normal((len(GENRES), dimension))
    with Catalog.open(str(folder / "catalog.db")) as catalog:
        catalog.set_active(analysis_settings.space(), analysis_settings.analysis_settings())
        library, _ = catalog.scope_of(folder / "music")
        with catalog.writing() as write:
            for number in range(COUNT):
                activations = 0.3 * genres[number % 3] + random.standard_normal(dimension)
                analysis = Analysis(
                    activations.astype(np.float32), {}, 60.0, (), analysis_settings.space()
                )
                tags = Tags(title=f"song {number}", genre=GENRES[number % 3])
                stat = FileStat(f"{number}.ogg", 1, 1)
                write.analysed(library, stat, str(number), tags, analysis, "test")
    return folder / "catalog.db"


def served_precision(catalog: Path, ranking: str, k: int) -> float:
    with SimilarityService.open(str(catalog), "cpu") as service:
        rates = []
        for seed in service.catalog.all_tracks():
            found = service.similar(seed.id, k, EVERYTHING, ranking)  # type: ignore[arg-type]
            rates.append(np.mean([n.track.tags.genre == seed.tags.genre for n in found]))
    return float(np.mean(rates))


def test_what_is_measured_is_what_is_served(catalog: Path) -> None:
    values = {}
    for ranking in ("reranked", "cosine"):
        options = ("-k", 5, "--ranking", ranking, "--db", catalog)
        report = recsys("evaluate", *options, "--json").json
        values[ranking] = report["without_filter"]["overall"]["precision"]["value"]
        assert report["ranking"] == ranking
        assert values[ranking] == pytest.approx(served_precision(catalog, ranking, 5))
        assert f"ranking: {ranking}, k = 5" in recsys("evaluate", *options).out
    assert values["reranked"] != values["cosine"]
    default = recsys("evaluate", "-k", 5, "--db", catalog, "--json").json
    assert default["ranking"] == "reranked"


def test_models_are_compared_by_the_same_ranking(catalog: Path, tmp_path: Path) -> None:
    """And the one that recommends scores what it scores alone."""
    copy = shutil.copy(catalog, tmp_path / "catalog.db")
    other = toy_models.with_other_weights(tmp_path / "other")
    with Catalog.open(str(copy)) as both:
        tracks = list(both.all_tracks())
        active = both.active_space()
        assert active is not None
        space = replace(active, model=other.space().model, weights=other.space().weights)
        with both.writing() as write:
            for track in tracks:
                again = both.analysis_of(track.id, active)
                assert again is not None
                stat = FileStat(track.path, track.size, track.mtime_ns)
                new = replace(again, space=space)
                write.analysed(track.library, stat, track.content_hash, track.tags, new, "test")
    for ranking in ("reranked", "cosine"):
        options = ("--ranking", ranking, "--db", copy, "--json")
        both_models = recsys("evaluate", "--compare", "default", other.folder, *options).json
        alone = recsys("evaluate", *options).json
        assert both_models["ranking"] == ranking
        for side in both_models["without_filter"]:
            rate = side["scores"]["precision"]["value"]
            assert rate == pytest.approx(alone["without_filter"]["overall"]["precision"]["value"])


def test_similar_prints_score_and_similarity(catalog: Path) -> None:
    found = recsys("similar", 1, "--db", catalog, "--json").json["neighbours"]
    scores = [row["score"] for row in found]
    assert scores == sorted(scores, reverse=True)
    plain = recsys("similar", 1, "--ranking", "cosine", "--db", catalog, "--json").json
    assert plain["ranking"] == "cosine"
    by_cosine = plain["neighbours"]
    assert [row["score"] for row in by_cosine] == [row["similarity"] for row in by_cosine]
    cosines = {row["id"]: row["similarity"] for row in by_cosine}
    assert all(cosines.get(row["id"], row["similarity"]) == row["similarity"] for row in found)
    assert recsys("similar", 1, "--ranking", "loudness", "--db", catalog).status == 2


def test_each_neighbour_is_close_or_not_by_its_similarity(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest need not be the first of the list, once the filters have been applied."""
    for seed, genre in product(range(1, COUNT), GENRES):
        query = ("similar", seed, "--genre", genre, "--db", catalog)
        found = recsys(*query, "--json").json["neighbours"]
        first, nearest = found[0]["similarity"], max(row["similarity"] for row in found)
        if first < nearest - 0.01:
            break

    def printed(midpoint: float) -> tuple[str, list[bool]]:
        scale = SimilarityCalibration(midpoint=midpoint, slope=9.0)
        monkeypatch.setattr(CatalogProjector, "similarity_calibration", property(lambda _: scale))
        rows = recsys(*query, "--json").json["neighbours"]
        assert all(row["close"] == (row["similarity"] >= midpoint) for row in rows)
        return recsys(*query).out, [row["close"] for row in rows]

    above, close = printed(nearest + 0.005)
    assert "Nothing in the catalogue is close" in above
    assert not any(close)
    between, close = printed((first + nearest) / 2)
    assert "Nothing in the catalogue is close" not in between
    assert any(close)
    assert not close[0]
