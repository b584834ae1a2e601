"""`recsys evaluate`."""

from pathlib import Path

from command_line import Shop, recsys

from recommender.cli.figure_names import ANTI_HUB_RATE, SKEWNESS, hit_at, precision_at


def test_evaluate(shop: Shop, catalog: Path) -> None:
    report = recsys("evaluate", "-k", 2, "--json").json
    assert (report["k"], report["tracks"], report["unlabelled"]) == (2, 8, 4)
    assert report["ranking"] == "cosine"  # so few tracks are not reranked
    folder = recsys("evaluate", "--genre-from", "folder", "--csv", catalog.parent / "e.csv")
    assert "8 tracks with a genre" in folder.out
    assert folder.err == f"table written: {catalog.parent / 'e.csv'}\n"
    assert (catalog.parent / "e.csv").read_text().startswith("artist_filter,genre")
    labels = catalog.parent / "labels.csv"
    labels.write_text("filename,genre\none.flac,x\ntwo.flac,x\nabsent.mp3,y\n")
    assert recsys("evaluate", "--labels", labels, "--json").json["labels"]["rows_without_track"]


def test_evaluate_where_no_query_can_be_judged(catalog: Path) -> None:
    labels = catalog.parent / "labels.csv"
    labels.write_text("filename,genre\none.flac,x\nthree.ogg,y\n")
    for words in ((), ("--json",), ("--csv", catalog.parent / "e.csv")):
        output = recsys("evaluate", "--labels", labels, *words)
        assert (output.status, output.out) == (1, "")
        assert output.err.startswith("recsys: no query can be judged: no two tracks")
        assert output.err.count("\n") == 1
    assert not (catalog.parent / "e.csv").exists()


def test_evaluate_where_the_artist_filter_leaves_no_query(catalog: Path) -> None:
    labels = catalog.parent / "labels.csv"
    labels.write_text("filename,genre\none.flac,x\ntwo.flac,x\n")
    output = recsys("evaluate", "--labels", labels)
    assert (output.status, output.err) == (0, "")
    assert "Artist filter on: no query can be judged" in output.out
    assert "artist filter on:" not in output.out  # no table of dashes


def test_evaluate_and_adapt_call_a_figure_by_one_name(catalog: Path) -> None:
    text = recsys("evaluate", "--genre-from", "folder").out
    for name in (precision_at(10), hit_at(10), SKEWNESS, ANTI_HUB_RATE):
        assert name in text
