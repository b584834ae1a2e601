"""A server that reads a catalogue which others write: it follows, and never answers wrongly."""

import json
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sounds
from ingesting import start_ingest
from serving_process import server_process

from recommender.catalog import Catalog
from recommender.ingestion import IngestSettings, ingest
from recommender.recommendation.filters import Filters
from recommender.recommendation.service import SimilarityService
from recommender.search.published import export_index, import_index

pytestmark = pytest.mark.slow

TRACKS = 60


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for seed in range(TRACKS):
        sounds.write_sound(folder / f"{seed:02}.wav", sounds.music(4, 22_050, seed), 22_050)
    return folder


def fetched(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:
        return json.loads(answer.read())


def answers_until(address: str, wanted: int) -> list[tuple[int, list[tuple[int, float]]]]:
    """Lists of a server, asked for again and again until one of its lists has all tracks."""
    found, started = [], time.monotonic()
    while time.monotonic() - started < 120:
        tracks = fetched(f"{address}/api/v1/tracks?limit=1000")["items"]
        for track in tracks[:: max(1, len(tracks) // 4)]:
            query = "k=100&keep_duplicates=true"
            items = fetched(f"{address}/api/v1/tracks/{track['id']}/similar?{query}")["items"]
            near = [(one["track"]["id"], one["similarity"]) for one in items]
            found.append((track["id"], near))
        if found and len(found[-1][1]) >= wanted:
            return found
        time.sleep(0.1)
    raise AssertionError(f"only {len(found[-1][1])} of {wanted} tracks are there")


def require_right(answers: list[tuple[int, list[tuple[int, float]]]], url: str) -> None:
    """Every pair has the similarity that it has in the end, and lists fall."""
    with SimilarityService.open(url, "cpu") as service:
        tracks = list(service.catalog.all_tracks())
        right = {
            (track.id, near.track.id): near.similarity
            for track in tracks
            for near in service.similar(track.id, k=100, filters=Filters(keep_duplicates=True))
        }
    for seed, near in answers:
        similarities = [similarity for _, similarity in near]
        assert similarities == sorted(similarities, reverse=True)
        assert len({near_id for near_id, _ in near}) == len(near)
        for near_id, similarity in near:
            assert similarity == pytest.approx(right[seed, near_id], abs=1e-3)


@pytest.mark.postgres
def test_a_server_that_may_only_read_follows_an_ingest(
    postgres_url: str, tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = [file.rename(tmp_path / file.name) for file in sorted(music.iterdir())[10:]]
    published = tmp_path / "published"
    with Catalog.open(postgres_url) as catalog:
        ingest(catalog, [music], IngestSettings(workers=1))
        export_index(catalog, published)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "replica"))
    read_only = f"{postgres_url}?options={quote('-c default_transaction_read_only=on')}"
    assert import_index(read_only, published)[1]
    with server_process(database=read_only) as server:
        address = server.line()
        for file in later:
            file.rename(music / file.name)
        running = start_ingest(postgres_url, music, "writes")
        answers = answers_until(address, TRACKS - 1)
        running.communicate()
        assert running.returncode == 0
    require_right(answers, postgres_url)
    assert len({len(near) for _, near in answers}) > 2  # it followed step by step


def test_a_server_on_a_copy_follows_what_is_published(
    tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = [file.rename(tmp_path / file.name) for file in sorted(music.iterdir())[10:]]
    original, copy = tmp_path / "original.db", tmp_path / "replica" / "copy.db"
    published = tmp_path / "published"
    with Catalog.open(original) as catalog:
        ingest(catalog, [music], IngestSettings(workers=1))
        export_index(catalog, published)
        import_index(copy, published)
        with server_process(database=copy) as server:
            address = server.line()
            answers = answers_until(address, 9)
            for number, file in enumerate(later):
                file.rename(music / file.name)
                if number % 10 == 9:
                    ingest(catalog, [music], IngestSettings(workers=1))
                    export_index(catalog, published)
                    import_index(copy, published)
                    answers += answers_until(address, 10 + number)
            assert server.process.poll() is None
    require_right(answers, str(original))
