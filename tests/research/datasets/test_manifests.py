"""Lists of tracks as the larger data sets have them, in small."""

from pathlib import Path

import pytest

from recommender.errors import DatasetError
from recommender.research.datasets.manifests import DATA_SETS, LabelledFile


def files_at(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"sound")
    return paths


def found(name: str, path: Path) -> list[LabelledFile]:
    return DATA_SETS[name].files(path)


@pytest.mark.parametrize("name", DATA_SETS)
def test_each_is_declared(name: str) -> None:
    data_set = DATA_SETS[name]
    assert data_set.title
    assert data_set.licence
    assert name == "csv" or data_set.citation.startswith("@inproceedings{")
    assert "expected" in data_set.expects


class TestCsv:
    def test_paths_are_relative_to_the_list(self, tmp_path: Path) -> None:
        one, other = files_at(tmp_path, "a/1.mp3", "2.flac")
        text = f'Artist,path,year,GENRE\r\n"B, C",a/1.mp3,1999,Rock\n,{other},,jazz\n'
        (tmp_path / "list.csv").write_text("\ufeff" + text, encoding="utf-8")
        assert found("csv", tmp_path / "list.csv") == [
            LabelledFile(one, "rock", "B, C"),
            LabelledFile(other, "jazz", ""),
        ]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "no column path and genre and artist"),
            ("path;genre;artist\n", "no column path and genre and artist"),
            ("path,artist\nx,y\n", "no column genre"),
            ("path,genre,artist\n", "names no track with a genre"),
            ("path,genre,artist\na.mp3,rock\n", "row 2: 2 cells where the heading has 3"),
            ("path,genre,artist\na,rock,A\nb,rock,B\nc,x,C\nd,y,D\n", r"4 of the 4 .*and 1 more"),
            ("path,genre,artist\n.,rock,A\n", "1 of the 1 files"),
        ],
    )
    def test_what_is_wrong_is_said(self, tmp_path: Path, text: str, reason: str) -> None:
        (tmp_path / "list.csv").write_text(text)
        with pytest.raises(DatasetError, match=reason) as error:
            found("csv", tmp_path / "list.csv")
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("name", DATA_SETS)
    def test_a_list_that_is_not_there(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(DatasetError, match=r"cannot be read|holds no sound"):
            found(name, tmp_path / "absent")

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        (tmp_path / "list.csv").write_bytes(b"path,genre,artist\n\xff\xfe,\x00,x\n")
        with pytest.raises(DatasetError, match="cannot be read"):
            found("csv", tmp_path / "list.csv")


def test_fma(tmp_path: Path) -> None:
    """As fma_metadata has it: two lines of names, one for the index, tracks of other sizes."""
    (path,) = files_at(tmp_path, "fma_small/000/000002.mp3")
    metadata = tmp_path / "fma_metadata"
    metadata.mkdir()
    (metadata / "tracks.csv").write_text(
        ",artist,set,track\n,name,subset,genre_top\ntrack_id,,,\n"
        "2,AWOL,small,Hip-Hop\n3,AWOL,medium,Rock\n5,X,small,\n"
    )
    assert found("fma", tmp_path) == [LabelledFile(path, "hip-hop", "AWOL")]
    (metadata / "tracks.csv").write_text("no,such\nheading,here\n")
    with pytest.raises(DatasetError, match="no artist or no genre"):
        found("fma", tmp_path)


def test_mtg_jamendo(tmp_path: Path) -> None:
    (path,) = files_at(tmp_path, "audio/14/214.mp3")
    (tmp_path / "autotagging_genre.tsv").write_text(
        "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
        "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock\tgenre---x\n"
        "track_0000215\tartist_000014\talbum_000031\t15/215.mp3\t151.4\tmood---sad\n"
    )
    assert found("mtg-jamendo", tmp_path) == [LabelledFile(path, "punkrock", "artist_000014")]


def test_audioset(tmp_path: Path) -> None:
    (path,) = files_at(tmp_path, "audio/--4gqARaEJE.flac")
    (tmp_path / "class_labels_indices.csv").write_text(
        'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/m/06by7,"Rock music"\n'
    )
    (tmp_path / "segments.csv").write_text(
        "# Segments csv\n# YTID, start_seconds, end_seconds, positive_labels\n"
        '--4gqARaEJE, 0.000, 10.000, "/m/unknown,/m/06by7"\n'
        '--BfvyPmVMo, 20.000, 30.000, "/m/09x0r"\n'
    )
    assert found("audioset", tmp_path) == [LabelledFile(path, "rock music", "")]


def test_the_million_song_dataset_has_no_sound_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "unique_tracks.txt").write_text(
        "TRAAAAW128F429D538<SEP>SOMZWCG12A8C13C480<SEP>Casual<SEP>I Didn't Mean To\nbroken line\n",
        encoding="utf-8",
    )
    (tmp_path / "genres.cls").write_text(
        "# MSD genre labels\nTRAAAAW128F429D538\tRap\nTRAAABD128F429CF47\tPop\n"
    )
    with pytest.raises(DatasetError, match="the Million Song Dataset has none"):
        found("msd", tmp_path)
    (path,) = files_at(tmp_path, "audio/A/A/TRAAAAW128F429D538.mp3")
    assert found("msd", tmp_path) == [LabelledFile(path, "rap", "Casual")]
