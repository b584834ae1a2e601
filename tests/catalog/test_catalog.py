"""The catalogue as a whole: its numbers, genres, name and revision, and pruning."""

import subprocess
import sys
from pathlib import Path

import pytest
from catalogs import SPACE, analyse, analysis, stat

from recommender.catalog import (
    Catalog,
    Library,
    Tags,
)
from recommender.errors import CatalogError


def test_counts(catalog: Catalog, library: Library) -> None:
    assert catalog.counts().seconds_of_music == 0.0
    ids = [analyse(catalog, library, f"{n}", analysed=analysis(n)) for n in range(4)]
    with catalog.writing() as write:
        write.missing(ids[:1])
        write.failed(library, stat("1"), "unreadable", "damaged")
        write.failed(library, stat("new"), "empty", "no bytes")
    counts = catalog.counts()
    assert (counts.libraries, counts.analysed, counts.missing) == (1, 2, 1)
    assert (counts.failed_tracks, counts.failures) == (1, 2)
    assert counts.seconds_of_music == 62.0 + 63.0


def test_prune_refuses_an_unmounted_disk(catalog: Catalog, library: Library) -> None:
    ids = [analyse(catalog, library, f"{n}") for n in range(4)]
    assert catalog.prune() == 0
    with catalog.writing() as write:
        write.missing(ids[:3])
    with pytest.raises(CatalogError, match="3 of 4 tracks are missing"):
        catalog.prune()
    assert catalog.counts().missing == 3
    assert catalog.prune(force=True) == 3
    assert [track.id for track in catalog.all_tracks(None)] == ids[3:]
    assert catalog.analysis_of(ids[0], SPACE) is None


def test_half_may_be_pruned_and_ids_are_never_used_again(
    catalog: Catalog, library: Library
) -> None:
    ids = [analyse(catalog, library, f"{n}") for n in range(4)]
    with catalog.writing() as write:
        write.missing(ids[2:])
    assert catalog.prune() == 2
    assert analyse(catalog, library, "new") > ids[-1]


def test_state_names_the_catalogue(catalog: Catalog, tmp_path: Path) -> None:
    with Catalog.open(catalog.url) as same, Catalog.open(str(tmp_path / "other.db")) as other:
        assert same.state() == catalog.state()
        assert other.state().catalog != catalog.state().catalog


@pytest.mark.sqlite_file
def test_a_damaged_database_is_an_error(catalog: Catalog, library: Library) -> None:
    analyse(catalog, library, "a.wav")
    catalog.close()
    assert catalog.folder is not None
    file = catalog.folder / "catalog.db"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(CatalogError, match="damaged"), Catalog.open(str(file)) as again:
        again.counts()


def test_importing_the_catalogue_loads_nothing_heavy() -> None:
    heavy = ("torch", "faiss", "soundfile", "librosa", "alembic")
    script = f"import sys, recommender.catalog; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stdout.strip() == "[]"


def test_prune_leaves_unavailable_tracks_and_does_not_count_them(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    other, _ = catalog.scope_of(tmp_path / "disk")
    here = [analyse(catalog, library, f"{n}") for n in range(4)]
    there = [analyse(catalog, other, f"{n}") for n in range(20)]
    catalog.set_unavailable(other)
    with catalog.writing() as write:
        write.missing(here[:3])
    assert catalog.counts().unavailable == 20
    with pytest.raises(CatalogError, match="3 of 4 tracks are missing"):
        catalog.prune()
    assert catalog.prune(force=True) == 3
    assert [track.id for track in catalog.all_tracks(None)] == [here[3], *there]
    with catalog.writing() as write:
        write.found_again(there)
    assert catalog.counts().analysed == 21


def test_genres_are_counted_as_filters_compare_them(catalog: Catalog, library: Library) -> None:
    tags = ["Hip-Hop", "hip hop/Rap", "Hip-Hop", "Rock; Pop", "Other", None, "Jazz", " "]
    ids = [
        analyse(catalog, library, f"{n}", tags=Tags(genre=genre)) for n, genre in enumerate(tags)
    ]
    assert catalog.genres() == {"Hip-Hop": 3, "Jazz": 1, "Rock": 1}
    assert list(catalog.genres()) == ["Hip-Hop", "Jazz", "Rock"]
    with catalog.writing() as write:
        write.missing([ids[6]])
    assert "Jazz" not in catalog.genres()
