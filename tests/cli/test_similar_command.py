"""`recsys similar`."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from command_line import Shop, neighbours, recsys

from recommender.catalog import Catalog
from recommender.cli.options import parse_duration
from recommender.cli.similar import print_recommendation
from recommender.embedding.space import SpaceId
from recommender.recommendation.result_list import Neighbour
from recommender.recommendation.seeds import Seed
from recommender.recommendation.service import Recommendation


def artists(*words: object) -> list[str | None]:
    return [track["tags"]["artist"] for track in neighbours("plain.wav", *words)]


def test_similar_asks_by_path_id_or_words(shop: Shop, catalog: Path) -> None:
    by_words = neighbours("second light")
    track_id = recsys("list", "second", "light", "--json").json[0]["id"]
    assert neighbours(track_id) == neighbours(shop.music / "two.flac") == by_words
    assert track_id not in {track["id"] for track in by_words}
    similarities = [track["similarity"] for track in by_words]
    assert similarities == sorted(similarities, reverse=True)
    assert len(neighbours("second light", "-k", 2)) == 2


def test_similar_to_a_file_outside_the_catalogue(shop: Shop, catalog: Path) -> None:
    file = shutil.copy(shop.music / "one.flac", catalog.parent / "another.flac")
    listed = neighbours(file)
    assert "First Light" not in {track["tags"]["title"] for track in listed}  # it is that one
    assert neighbours(file, "--keep-duplicates")[0]["similarity"] == pytest.approx(1, abs=1e-3)


def test_tracks_per_artist(catalog: Path) -> None:
    assert artists().count("Anna") == 2
    assert artists("--per-artist", 1).count("Anna") == 1
    assert artists("--per-artist", 0).count("Anna") == 3
    assert artists("--per-artist", 1).count(None) == 2  # the unknown are not one artist
    of_annas = [t["tags"]["artist"] for t in neighbours("First Light", "--per-artist", 1)]
    assert of_annas.count("Anna") == 1  # the limit holds for the seed's artist, too
    others = [t["tags"]["artist"] for t in neighbours("First Light", "--no-same-artist")]
    assert "Anna" not in others
    assert "Bela" in others


def test_filters(catalog: Path) -> None:
    assert artists("--genre", "folk") == ["Anna", "Anna"]
    assert artists("--genre", "polka") == []
    lengths = [t["duration"] for t in neighbours(1, "--min-duration", 2.3, "--max-duration", 3)]
    assert lengths
    assert all(2.3 <= seconds <= 3 for seconds in lengths)
    for genre in {track["predicted_genre"] for track in neighbours(1)}:
        listed = neighbours(1, "--predicted-genre", genre)
        assert {track["predicted_genre"] for track in listed} == {genre}


def test_duplicates_are_collapsed(catalog: Path) -> None:
    names = [track["path"] for track in neighbours("plain.wav", "--per-artist", 0)]
    assert "copy.wav" not in names
    assert len(names) == 6
    listed = neighbours("plain.wav", "--keep-duplicates")
    assert (listed[0]["path"], listed[0]["similarity"]) == ("copy.wav", 1)


def test_nobody_passes_the_filters(catalog: Path) -> None:
    table = recsys("similar", "third", "--genre", "polka")
    assert (table.status, table.out) == (0, "like: Anna – Third\n")
    assert table.err.count("\n") == 1
    assert "polka" in table.err


def test_m3u(catalog: Path) -> None:
    playlist = catalog.parent / "list.m3u8"
    done = recsys("similar", "first light", "--m3u", playlist, "--json")
    lines = playlist.read_bytes().decode("utf-8", "surrogateescape").splitlines()
    entries = [line for line in lines if not line.startswith("#")]
    writable = [track["file"] for track in done.json["neighbours"] if "\n" not in track["path"]]
    assert [(catalog.parent / entry).resolve() for entry in entries] == list(map(Path, writable))
    assert done.err.startswith(f"playlist of {len(entries)} tracks written: {playlist}\n")
    assert ("line break" in done.err) is (len(writable) < len(done.json["neighbours"]))


def test_no_gpu(catalog: Path) -> None:
    faiss = pytest.importorskip("faiss")
    if faiss.get_num_gpus():
        pytest.skip("FAISS sees a GPU here")
    output = recsys("similar", 1, "--device", "cuda")
    assert output.status == 1
    assert "sees no GPU" in output.err


def test_an_ambiguous_track_lists_those_it_may_be(catalog: Path) -> None:
    output = recsys("similar", "light")
    assert output.status == 1
    assert output.err.startswith("recsys: 2 tracks match 'light'")
    assert "First Light" in output.err
    assert "Second Light" in output.err


def test_the_seed_is_named(shop: Shop, catalog: Path) -> None:
    assert recsys("similar", "third").out.startswith("like: Anna – Third\n")
    assert recsys("similar", shop.music / "plain.wav").out.startswith("like: plain\n")
    outside = shutil.copy(shop.music / "one.flac", catalog.parent / "another.flac")
    assert recsys("similar", outside).out.startswith("like: Anna – First Light\n")


def test_json_is_an_object_with_lean_neighbours(shop: Shop, catalog: Path) -> None:
    found = recsys("similar", "third", "--json").json
    assert list(found) == [
        "schema_version",
        "seed",
        "model",
        "ranking",
        "threshold",
        "lacking",
        "weights",
        "neighbours",
    ]
    assert (found["schema_version"], found["model"], found["ranking"]) == (1, "default", "cosine")
    seed = found["seed"]
    assert (seed["title"], seed["artist"]) == ("Third", "Anna")
    assert (seed["path"], seed["file"]) == ("three.ogg", str(shop.music / "three.ogg"))
    outside = shutil.copy(shop.music / "one.flac", catalog.parent / "another.flac")
    seed = recsys("similar", outside, "--json").json["seed"]
    assert (seed["id"], seed["path"], seed["file"]) == (None, None, str(outside))
    first = found["neighbours"][0]
    assert list(first) == [
        "rank",
        "id",
        "path",
        "file",
        "segment",
        "start",
        "end",
        "title",
        "artist",
        "similarity",
        "score",
        "close",
    ]
    assert first["close"] is (first["similarity"] >= found["threshold"])
    full = recsys("similar", "third", "--json", "--full").json["neighbours"][0]
    assert first.items() <= full.items()
    assert "genre_probabilities" in full
    # The title that the table shows, tagged or not, stands in the JSON, too.
    table = recsys("similar", "third").out
    assert all(item["title"] in table for item in found["neighbours"] if item["title"].isalnum())


def test_what_is_not_close_is_marked(catalog: Path) -> None:
    found = recsys("similar", 1, "--json").json
    lines = recsys("similar", 1).out.splitlines()
    rows = lines[2 : 2 + len(found["neighbours"])]
    for row, item in zip(rows, found["neighbours"], strict=True):
        assert f"{item['similarity']:.3f}"[:4] in row
        assert ("*" in row) is (not item["close"])
    if not all(item["close"] for item in found["neighbours"]):
        assert lines[-1].startswith("* ")
        assert f"{found['threshold']:.3f}" in lines[-1]


def test_m3u_on_standard_output(shop: Shop, catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.music)
    done = recsys("similar", "first light", "--m3u", "-")
    assert done.out.startswith("#EXTM3U\n#EXTINF:")
    assert "like:" not in done.out
    assert "\ntwo.flac\n" in done.out
    absolute = recsys("similar", "first light", "--m3u", "-", "--absolute").out
    assert f"\n{shop.music / 'two.flac'}\n" in absolute
    seed_first = recsys("similar", "first light", "--m3u", "-", "--with-seed").out
    assert seed_first.splitlines()[2] == "one.flac"
    both = recsys("similar", "first light", "--m3u", "-", "--json")
    assert (both.status, both.out) == (1, "")


def test_m3u_makes_no_folder(catalog: Path) -> None:
    playlist = catalog.parent / "absent" / "list.m3u8"
    output = recsys("similar", 1, "--m3u", playlist)
    assert (output.status, output.out) == (1, "")
    assert "no such folder" in output.err
    assert not playlist.parent.exists()


def test_former_names_of_options_are_accepted(catalog: Path) -> None:
    by_rank = [track["id"] for track in neighbours(1, "--ranking", "reranked")]
    assert [track["id"] for track in neighbours(1, "--ranking", "neighbourhood")] == by_rank
    genre = neighbours(1)[0]["predicted_genre"]
    assert neighbours(1, "--heard", genre) == neighbours(1, "--predicted-genre", genre)


@pytest.mark.parametrize("form", [(), ("--json",), ("--m3u", "-")], ids=str)
def test_a_filter_that_leaves_nothing_says_why_in_every_form(
    catalog: Path, form: tuple[str, ...]
) -> None:
    output = recsys("similar", "third", "--genre", "flok", *form)
    assert output.status == 0
    assert "did you mean" in output.err


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("180", 180),
        ("2.5", 2.5),
        ("3:00", 180),
        ("1:02:03", 3723),
        ("3m", 180),
        ("3min", 180),
        ("2m30s", 150),
        ("1h 2m", 3720),
        ("90s", 90),
        ("0:07.5", 7.5),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "3:", "1:99", ":30", "1:2:3:4", "3 apples", "nan"])
def test_durations_that_are_none(text: str, catalog: Path) -> None:
    output = recsys("similar", 1, f"--min-duration={text}")
    assert (output.status, output.out) == (2, "")
    assert "3:00" in output.err


def test_min_duration_in_minutes(catalog: Path) -> None:
    assert neighbours(1, "--min-duration", "0:02.3") == neighbours(1, "--min-duration", 2.3)
    assert neighbours(1, "--min-duration", "3:00") == []


def test_a_catalogue_of_which_every_embedding_is_damaged(catalog: Path) -> None:
    with closing(sqlite3.connect(catalog)) as connection, connection:
        connection.execute("UPDATE analyses SET checksum = checksum + 1")
    for index in catalog.parent.glob("*.index"):
        index.unlink()
    found = recsys("similar", 1)
    assert found.status == 1
    assert "are damaged" in found.err
    assert "holds no music that was analysed" in found.err


def test_why_similarity_need_not_fall(catalog: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Below 100 tracks nothing is reranked, so the list is made by hand."""
    tracks = Catalog.open(str(catalog)).tracks([1, 2])
    ranked = [
        Neighbour(track, similarity=0.5 + rank / 10, rank=rank, score=1 - rank / 10, close=True)
        for rank, track in enumerate(tracks, start=1)
    ]
    space = SpaceId("default", "w", "a")
    print_recommendation(Recommendation(Seed(title="Seed"), ranked, "reranked", space, None))
    like, headings, _, _, why = capsys.readouterr().out.splitlines()
    assert like == "like: Seed"
    assert headings.split()[:3] == ["rank", "score", "similarity"]
    assert why.startswith("Ordered by score")
    assert why.endswith("similarity need not fall.")
