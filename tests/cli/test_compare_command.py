"""`recsys compare`, and its former form `evaluate --compare`."""

from pathlib import Path

import pytest
import toy_models
from command_line import Shop, recsys

from recommender.embedding.model_files import DEFAULT_MODEL, find_model


def test_compare(shop: Shop, catalog: Path) -> None:
    other = toy_models.with_other_weights(catalog.parent / "other").folder
    not_analysed = recsys("evaluate", "--compare", DEFAULT_MODEL, other)
    assert (not_analysed.status, not_analysed.out) == (1, "")
    assert f"by the model {other}; ingest its folders with that model. " in not_analysed.err
    assert "(recsys ingest FOLDER --model MODEL)" in not_analysed.err
    before = recsys("similar", 1, "--json").json
    options = ("--model", other, "--workers", 1, "--exclude", "plain.wav")
    assert recsys("ingest", shop.music, *options, "--json").json["analysed"] == 7
    # Nothing is analysed now: plain.wav is back, analysed by the default model alone.
    assert recsys("ingest", shop.music, "--json").json["analysed"] == 0
    assert recsys("similar", 1, "--json").json == before  # both spaces are kept
    report = recsys("evaluate", "-k", 1, "--compare", DEFAULT_MODEL, other, "--json").json
    assert [model["model"] for model in report["models"]] == [DEFAULT_MODEL, str(other)]
    assert [model["tracks_analysed"] for model in report["models"]] == [8, 7]
    assert (report["tracks"], report["unlabelled"], report["tracks_left_out"]) == (7, 3, 1)
    first, second = report["without_filter"]
    assert first["difference"] is None
    rates = [row["scores"]["precision"]["value"] for row in (first, second)]
    assert second["difference"]["value"] == pytest.approx(rates[1] - rates[0])
    assert 0 < second["difference"]["p"] <= 1
    assert [row["scores"]["queries"] for row in report["with_filter"]] == [2, 2]
    assert recsys("compare", "-k", 1, DEFAULT_MODEL, other, "--json").json == report
    for words in (
        ("compare", DEFAULT_MODEL, other),
        ("evaluate", "--compare", DEFAULT_MODEL, other),
        ("evaluate", other, "--compare", DEFAULT_MODEL),
    ):
        text = recsys(*words)
        assert (text.status, text.err) == (0, "")
        assert "4 tracks with a genre from the genre tags, analysed by every model" in text.out
        assert ", ranked by cosine, k = 10" in text.out
        assert f"to {DEFAULT_MODEL}, over the same queries" in text.out
        assert "were left out: 1." in text.out


def test_comparisons_that_make_no_sense(catalog: Path) -> None:
    cases = [
        (("--compare", DEFAULT_MODEL), "at least two models"),
        (("--compare", DEFAULT_MODEL, DEFAULT_MODEL), "the same model"),
        (("--compare", DEFAULT_MODEL, find_model().folder), "the same model"),
        (("--compare", DEFAULT_MODEL, "nonesuch"), "nonesuch"),
        (("nonesuch",), "recsys compare"),
        (("--compare", "a", "b", "--csv", catalog.parent / "e.csv"), "use --json"),
    ]
    for words, fragment in cases:
        output = recsys("evaluate", *words)
        assert (output.status, output.out) == (1, ""), words
        assert output.err.count("\n") == 1, words
        assert fragment in output.err, words
