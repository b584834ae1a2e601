"""One catalogue on a server for several hosts: ingests at once, killed ones, their own paths."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sounds
from catalogs import alter
from ingesting import start_ingest
from postgres_server import PASSWORD, PostgresServer
from test_pipeline import accounted, change_folder, write_folder

from recommender.catalog import Catalog
from recommender.catalog.records import TrackState
from recommender.errors import CatalogError, UsageError
from recommender.ingestion import IngestSettings, ingest
from recommender.ingestion.report import NoProgress
from recommender.recommendation.service import SimilarityService

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

SETTINGS = IngestSettings(workers=1, update_index=False)
SPACE = SETTINGS.space()


def content(catalog: Catalog) -> dict[str, Any]:
    """All that an ingest stores of a folder, whatever the order in which it came to the files."""
    tracks = {}
    for track in catalog.all_tracks(None):
        analysis = catalog.analysis_of(track.id, SPACE)
        tracks[track.path, track.segment] = (
            track.state,
            track.size,
            track.mtime_ns,
            track.content_hash,
            track.tags,
            track.damage,
            track.genre_probabilities,
            None if analysis is None else (analysis.activations.tobytes(), analysis.samples_hash),
        )
    failures = sorted((one.path, one.kind, one.reason) for one in catalog.failures())
    return {"tracks": tracks, "failures": failures}


def ids_of(catalog: Catalog) -> dict[str, int]:
    return {track.path: track.id for track in catalog.all_tracks(None)}


def lists(url: str) -> list[list[tuple[str, float]]]:
    with SimilarityService.open(url, "cpu") as service:
        tracks = sorted(service.catalog.all_tracks(), key=lambda track: track.path)
        return [
            [(near.track.path, near.similarity) for near in service.similar(track.id, k=10)]
            for track in tracks
        ]


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return str(tmp_path / "single.db")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    write_folder(folder)
    return folder


def test_the_life_of_a_folder_is_the_same_on_a_server(
    postgres_url: str, sqlite_url: str, music: Path
) -> None:
    with Catalog.open(sqlite_url) as single, Catalog.open(postgres_url) as shared:
        for chapter in ("first", "again", "changed", "mounted elsewhere", "back"):
            if chapter == "changed":
                change_folder(music)
            if chapter == "mounted elsewhere":
                music.rename(music.with_name("away"))
            if chapter == "back":
                music.with_name("away").rename(music)
            reports = [ingest(catalog, [music], SETTINGS) for catalog in (single, shared)]
            numbers = [(one.analysed, one.moved, one.unchanged, one.failed) for one in reports]
            assert numbers[0] == numbers[1], chapter
            assert accounted(reports[1]) == reports[1].scanned
            assert content(single) == content(shared), chapter
            assert ids_of(single) == ids_of(shared), chapter
    assert lists(sqlite_url) == lists(postgres_url)


def outcomes(output: str) -> list[list[str]]:
    return [line.split(maxsplit=1) for line in output.splitlines() if " " in line]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(90):
        sounds.write_sound(folder / f"{seed:02}.wav", sounds.music(4, 22_050, seed), 22_050)
    (folder / "text.mp3").write_text("no music")
    return folder


def test_two_hosts_share_the_work(postgres_url: str, sqlite_url: str, many: Path) -> None:
    both = [start_ingest(postgres_url, many, host) for host in ("one", "two")]
    output = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], output
    done = [outcomes(out) for out, _ in output]
    analysed = [[name for outcome, name in of if outcome != "unchanged"] for of in done]
    assert sorted(analysed[0] + analysed[1]) == sorted(file.name for file in many.iterdir())
    assert min(map(len, analysed)) > 0
    with Catalog.open(sqlite_url) as single, Catalog.open(postgres_url) as shared:
        ingest(single, [many], SETTINGS)
        assert content(single) == content(shared)


def test_a_killed_host_loses_its_files_to_another(
    postgres_url: str, sqlite_url: str, many: Path
) -> None:
    killed, other = (start_ingest(postgres_url, many, host) for host in ("dies", "lives"))
    assert killed.stdout is not None
    for _ in zip(range(3), killed.stdout, strict=False):
        pass
    killed.kill()
    killed.communicate()
    output, errors = other.communicate()
    assert other.returncode == 0, errors
    assert output.splitlines()[-1] == "0"  # none was left
    with Catalog.open(sqlite_url) as single, Catalog.open(postgres_url) as shared:
        ingest(single, [many], SETTINGS)
        assert content(single) == content(shared)


def test_a_server_that_restarts_ends_the_run_and_the_next_goes_on(
    tmp_path: Path, sqlite_url: str, many: Path
) -> None:
    server = PostgresServer(synchronous_commit="on")
    try:
        url = server.catalogue()
        process = start_ingest(url, many, "host")
        assert process.stdout is not None
        for _ in zip(range(3), process.stdout, strict=False):
            pass
        server.stop()
        _, errors = process.communicate()
        server.start()
        assert process.returncode == 1
        last = errors.splitlines()[-1]
        assert last.startswith("recommender.errors.CatalogError: the catalogue postgresql+psycopg:")
        assert PASSWORD not in errors
        with Catalog.open(sqlite_url) as single, Catalog.open(url) as shared:
            kept = shared.counts().analysed
            assert kept >= 3
            report = ingest(shared, [many], SETTINGS)
            assert report.analysed == 90 - kept
            ingest(single, [many], SETTINGS)
            assert content(single) == content(shared)
    finally:
        server.close()


# Paths of hosts


@pytest.fixture
def shared(postgres_url: str) -> Iterator[Catalog]:
    with Catalog.open(postgres_url) as catalog:
        yield catalog


def test_a_host_that_sees_the_folder_elsewhere(
    shared: Catalog, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_HOST", "one")
    first = ingest(shared, [music], SETTINGS)
    before = content(shared)
    monkeypatch.setenv("RECSYS_HOST", "two")
    elsewhere = music.with_name("nas")
    music.rename(elsewhere)
    away = ingest(shared, settings=SETTINGS)
    assert [(path, "other hosts" in reason) for path, reason in away.unreadable] == [(music, True)]
    assert content(shared) == before  # its absence here tells nothing
    with pytest.raises(UsageError, match=f"recsys library map {music} {elsewhere}") as caught:
        ingest(shared, [elsewhere], SETTINGS)
    assert "\n" not in str(caught.value)
    assert len(shared.libraries()) == 1
    shared.map_library(music, elsewhere)
    again = ingest(shared, [elsewhere], SETTINGS)
    assert (again.analysed, again.moved) == (0, 0)
    assert again.unchanged == first.analysed + first.moved
    assert content(shared) == before


def test_a_folder_of_one_host_alone_is_unavailable_when_it_is_away(
    shared: Catalog, music: Path
) -> None:
    ingest(shared, [music], SETTINGS)
    music.rename(music.with_name("away"))
    assert ingest(shared, settings=SETTINGS).unavailable
    assert {track.state for track in shared.all_tracks(None)} == {TrackState.UNAVAILABLE}


def test_results_of_a_lost_lease_are_not_written(shared: Catalog, music: Path) -> None:
    """Another host has claimed the files meanwhile, and writes them itself."""
    thieves: list[int] = []

    class Steals(NoProgress):
        def started(self, path: Path) -> None:
            if not thieves:
                alter(shared, "DELETE FROM leases")
                thieves.append(shared.begin_lease())
                library = shared.libraries()[0]
                shared.claim(thieves[0], [(library.id, file) for file in _relative(music)])

    report = ingest(shared, [music], SETTINGS, Steals())
    assert report.not_reached > 0
    assert accounted(report) == report.scanned
    assert shared.counts().analysed == shared.counts().failures == 0
    shared.end_lease(thieves[0])
    again = ingest(shared, [music], SETTINGS)
    assert again.not_reached == 0
    assert again.analysed + again.failed + again.skipped >= report.not_reached


def _relative(folder: Path) -> Sequence[str]:
    return [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]


def test_a_catalogue_that_vanishes_is_one_line(shared: Catalog, music: Path) -> None:
    alter(shared, "ALTER TABLE tracks RENAME TO gone")
    with pytest.raises(CatalogError) as caught:
        ingest(shared, [music], SETTINGS)
    assert "\n" not in str(caught.value)
