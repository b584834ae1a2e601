"""Catalogues of older versions, with data: upgraded, they recommend what they recommended then, as
far as their model has the projection of that time.

`make_fixtures.py` made them, and says what is in them.
"""

import gzip
import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from alembic import command

from recommender.catalog import Catalog, ProjectionOrigin, TrackState
from recommender.catalog.engine import catalog_url, make_engine, transaction
from recommender.catalog.migrations import alembic_config, current, upgrade
from recommender.catalog.projector import ModelProjection
from recommender.embedding.model_files import find_model
from recommender.errors import CatalogError
from recommender.recommendation.service import SimilarityService
from recommender.search.reranking import RankingMethod

HERE = Path(__file__).parent
MODELS = ("default", "conv2d-encoder")
SCHEMAS = ("0001", "0002", "0003", "0004", "0006", "0008")

HALVED = "0005"
"""The schema since which activations are stored in half precision."""

TOLERANCE: dict[RankingMethod, float] = {"cosine": 2e-4, "reranked": 3e-3}
"""Largest difference of a score at one rank. Activations have been rounded since, to take less
space; reranking multiplies what that does to a similarity."""


@cache
def lists_of(model: str) -> dict[str, Any]:
    """The space and the lists of that time; see `make_fixtures.py`."""
    with gzip.open(HERE / "lists.json.gz") as file:
        found: dict[str, Any] = json.load(file)[model]
    return found


def unpack(model: str, schema: str, folder: Path) -> Path:
    file = folder / "catalog.db"
    file.write_bytes(gzip.decompress((HERE / f"{model}_{schema}.db.gz").read_bytes()))
    return file


@pytest.fixture(params=[(model, schema) for model in MODELS for schema in SCHEMAS], ids="-".join)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str, Path]:
    """Model, schema and file of an older catalogue, not yet upgraded."""
    model, schema = request.param
    return model, schema, unpack(model, schema, tmp_path)


@pytest.fixture
def upgraded(older: tuple[str, str, Path]) -> Iterator[tuple[str, SimilarityService]]:
    model, _, file = older
    with pytest.raises(CatalogError, match="recsys db upgrade"):
        Catalog.open(file)
    upgrade(file)
    with SimilarityService.open(str(file)) as service:
        yield model, service


def test_nothing_is_lost_and_nothing_to_be_analysed_again(
    upgraded: tuple[str, SimilarityService],
) -> None:
    model, service = upgraded
    catalog = service.catalog
    counts = catalog.counts()
    assert counts.analysed == len(lists_of(model)["lists"]["cosine"])
    assert (counts.missing, counts.failed_tracks, counts.failures) == (1, 1, 1)
    assert counts.unavailable == 0
    space = find_model(model).space()
    assert catalog.active_space() == space
    assert str(lists_of(model)["space"]).rpartition("/")[0] == str(space)
    assert catalog.analysis_settings() is not None
    (library,) = catalog.libraries()
    known = catalog.known_files(library, space)
    assert len(known) == counts.analysed + 2
    assert all(file.analysed_in_space for file in known.values())
    assert not any(file.is_described for file in known.values())
    for track in catalog.all_tracks():
        assert track.state is TrackState.ANALYSED
        assert track.predicted_genre in find_model(model).card.labels
        assert track.windows
        assert track.analysed_by is not None


def lists_now(service: SimilarityService, method: RankingMethod, k: int) -> dict[int, Any]:
    return {
        track.id: service.similar(track.id, k=k, ranking=method)
        for track in service.catalog.all_tracks()
    }


@pytest.mark.parametrize(
    "older", [("conv2d-encoder", schema) for schema in SCHEMAS], indirect=True, ids="-".join
)
@pytest.mark.parametrize("method", get_args(RankingMethod))
def test_the_lists_are_those_of_that_time(
    upgraded: tuple[str, SimilarityService], method: RankingMethod
) -> None:
    model, service = upgraded
    then = lists_of(model)["lists"][method]
    now = lists_now(service, method, k=5)
    assert {str(track_id) for track_id in now} == set(then)
    same = 0
    for track_id, neighbours in now.items():
        ids, _, scores = (list(column) for column in zip(*then[str(track_id)], strict=True))
        found = [neighbour.score for neighbour in neighbours]
        np.testing.assert_allclose(found, scores, rtol=0, atol=TOLERANCE[method])
        same += [neighbour.track.id for neighbour in neighbours] == ids
    # In the others, tracks of almost equal scores change places, or the place an artist has.
    assert same >= 0.98 * len(now)


def test_similarities_are_those_of_the_activations_of_that_time(
    older: tuple[str, str, Path],
) -> None:
    """Also where the model has another projection since, as the default model."""
    model, _, file = older
    before = rows(file)
    blobs = {
        row["track_id"]: np.frombuffer(row["activations"], stored_type(file)).astype("<f4")
        for row in before.get("analyses") or before["hearings"]
    }
    projection = find_model(model).projection()
    vectors = {id: projection.apply(blob[None])[0] for id, blob in blobs.items()}
    upgrade(file)
    with SimilarityService.open(str(file)) as service:
        for track_id, neighbours in lists_now(service, "cosine", k=5).items():
            found = [neighbour.similarity for neighbour in neighbours]
            expected = [vectors[track_id] @ vectors[one.track.id] for one in neighbours]
            np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE["cosine"])
            assert found == sorted(found, reverse=True)


def test_the_stored_projection_and_its_facts_are_read(tmp_path: Path) -> None:
    file = unpack("conv2d-encoder", "0002", tmp_path)
    upgrade(file)
    files = find_model("conv2d-encoder")
    with Catalog.open(file) as catalog:
        stored = ModelProjection.load(catalog, files.space())
        details = catalog.projection(files.space(), ProjectionOrigin.MODEL)
    assert stored is not None
    assert details is not None
    assert set(details.details) == {
        "descriptors",
        "similarity_calibration",
        "duplicate_threshold",
    }
    own = ModelProjection.of_files(files)
    assert stored.similarity_calibration == own.similarity_calibration
    assert stored.duplicate_threshold == own.duplicate_threshold
    assert np.allclose(stored.projection.matrix, own.projection.matrix, atol=1e-2)


def test_back_to_the_older_schema_and_up_again(older: tuple[str, str, Path]) -> None:
    """Every value comes back, activations as half precision has them; only rows of projections go
    with schema 0002."""
    _, schema, file = older
    number = stored_type(file)
    before = rounded(rows(file), number)
    upgrade(file)
    engine = make_engine(catalog_url(file), foreign_keys=False)
    with transaction(engine, writes=True) as connection:
        command.downgrade(alembic_config(connection), schema)
    engine.dispose()
    assert current(file) == schema
    assert rounded(rows(file), number) == before
    upgrade(file)
    with Catalog.open(file) as catalog:
        assert catalog.counts().analysed > 0


@pytest.mark.parametrize(
    "older",
    [(model, schema) for model in MODELS for schema in SCHEMAS if schema < HALVED],
    indirect=True,
    ids="-".join,
)
def test_the_file_shrinks_with_its_rows(older: tuple[str, str, Path]) -> None:
    _, _, file = older
    size = file.stat().st_size
    trees = "SELECT count(*) FROM sqlite_master WHERE rootpage > 0"
    with closing(sqlite3.connect(file)) as connection:
        (before,) = connection.execute(trees).fetchone()
    upgrade(file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (after,) = connection.execute(trees).fetchone()
    empty = 4096 * (after - before)  # a page of each table and each index that was added
    assert file.stat().st_size - empty < size


def test_damage_done_after_the_upgrade_is_noticed(older: tuple[str, str, Path]) -> None:
    model, _, file = older
    upgrade(file)
    space = find_model(model).space()
    with closing(sqlite3.connect(file)) as connection, connection:
        (vector,) = connection.execute("SELECT activations FROM analyses LIMIT 1").fetchone()
        damaged = bytes([vector[0] ^ 1]) + vector[1:]
        connection.execute(
            "UPDATE analyses SET activations = ? WHERE activations = ?", (damaged, vector)
        )
    with Catalog.open(file) as catalog:
        assert catalog.checked_activations(space)[2]
        assert catalog.page_errors() == []
        assert catalog.damaged_rows() == []


def rows(file: Path) -> dict[str, list[Any]]:
    """All rows of all tables under the names of their columns, JSON as its values."""
    engine = make_engine(catalog_url(file))
    with transaction(engine) as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
        found = {
            name: [
                {key: plain(value) for key, value in row._mapping.items()}
                for row in connection.exec_driver_sql(f"SELECT * FROM {name} ORDER BY 1, 2")
            ]
            for name in names.scalars().all()
            if name not in ("alembic_version", "sqlite_sequence")
        }
    engine.dispose()
    return found


def stored_type(file: Path) -> str:
    """The type of the numbers of the stored activations."""
    return "<f4" if str(current(file)) < HALVED else "<f2"


def rounded(found: dict[str, list[Any]], number: str) -> dict[str, list[Any]]:
    """The same with activations in half precision, and whether they have their checksums; without
    the revision."""
    for row in (*found.get("analyses", ()), *found.get("hearings", ())):
        blob = row["activations"]
        row["activations"] = np.frombuffer(blob, number).astype("<f2").tobytes()
        if "checksum" in row:
            row["checksum"] = row["checksum"] == zlib.crc32(blob)
    del found["catalog"][0]["revision"]  # which an upgrade raises
    return found


def plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in "{[" and value else value
