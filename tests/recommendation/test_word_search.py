"""Search by words over a small catalogue whose right answers are known."""

from dataclasses import replace

import numpy as np
import pytest
from catalogs import analyse

from recommender.catalog import Catalog
from recommender.embedding.space import Analysis
from recommender.embedding.tags import tags_of
from recommender.errors import NothingAnalysed, UsageError
from recommender.musical_descriptors import MusicalDescriptors
from recommender.pretrained.musicnn import add_musicnn
from recommender.recommendation.word_search import search_words
from recommender.recommendation.word_vocabulary import vocabulary

TRACKS = {
    # tag probabilities, and tempo
    "ballad": ({"piano": 0.8, "sad": 0.5, "vocals": 0.7, "slow": 0.6}, 70.0),
    "sonata": ({"piano": 0.9, "classical": 0.9, "sad": 0.4, "slow": 0.5}, 90.0),
    "anthem": ({"rock": 0.9, "vocals": 0.8, "loud": 0.7, "fast": 0.6}, 125.0),
    "riff": ({"rock": 0.8, "metal": 0.6, "guitar": 0.7, "loud": 0.9}, 160.0),
}


@pytest.fixture
def catalog(tmp_path, known_wheel):
    files, _ = add_musicnn(known_wheel)
    tags, space = tags_of(files.card), files.space()
    (tmp_path / "music").mkdir()
    with Catalog.open(str(tmp_path / "words.db")) as catalog:
        catalog.set_active(space, {"model": "musicnn", "windowing": {}, "head": "x"})
        library, _ = catalog.scope_of(tmp_path / "music")
        for name, (likely, tempo) in TRACKS.items():
            activations = np.full(500, 0.01, np.float32)
            for tag in tags:
                activations[tag.column] = likely.get(tag.name, 0.01)
            genres = {"rock": likely.get("rock", 0.1), "jazz": 0.05}
            one = Analysis(activations, genres, 60.0, ((0.0, 10.0),), space)
            one = replace(one, descriptors=MusicalDescriptors(tempo=tempo, vocals=None))
            analyse(catalog, library, f"{name}.ogg", analysed=one)
        yield catalog


def names(catalog: Catalog, text: str, limit: int = 10) -> list[str]:
    found = search_words(catalog, text, limit)
    assert [match.rank for match in found.matches] == list(range(1, len(found.matches) + 1))
    scores = [match.score for match in found.matches]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    return [match.track.path.removesuffix(".ogg") for match in found.matches]


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("sad piano no vocals", "sonata"),
        ("sad piano vocals", "ballad"),
        ("rock -vocals", "riff"),
        ("loud rock singing", "anthem"),
        ("instrumental piano", "sonata"),
        ("no instrumental piano", "ballad"),
        ("slow", "ballad"),
        ("fast no vocals", "riff"),
        ("tempo:100-140", "anthem"),
        ("piano tempo:<80", "ballad"),
    ],
)
def test_the_best_match(catalog, text: str, best: str) -> None:
    assert names(catalog, text)[0] == best


def test_ranges_leave_out_and_limits_cut(catalog) -> None:
    found = search_words(catalog, "piano tempo:>100")
    assert found.candidates == 2
    assert set(names(catalog, "piano tempo:>100")) == {"anthem", "riff"}
    assert len(names(catalog, "piano", limit=3)) == 3
    assert names(catalog, "rock tempo:>200") == []


def test_it_says_what_it_does_not_know_and_what_is_unlikely(catalog) -> None:
    found = search_words(catalog, "zither funk piano")
    assert found.unmatched == ("zither",)
    assert found.terms == ("funk", "piano")
    assert found.unlikely == {"funk": pytest.approx(0.01, abs=1e-3)}
    assert found.matches[0].terms["piano"] == pytest.approx(0.9, abs=1e-3)
    assert "piano: MTT piano" in found.sources
    assert search_words(catalog, "no funk").unlikely == {}


def test_without_a_known_word_the_words_are_listed(catalog) -> None:
    with pytest.raises(UsageError, match=r"tells of 'zither'; known words: .*piano"):
        search_words(catalog, "zither")


def test_without_the_model_genres_and_descriptors_remain(catalog, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("RECSYS_MODELS", str(tmp_path / "empty"))
    assert names(catalog, "rock")[0] == "anthem"
    assert names(catalog, "slow")[0] == "ballad"
    with pytest.raises(UsageError, match="musicnn know more words"):
        search_words(catalog, "piano")


def test_an_empty_catalogue(tmp_path) -> None:
    with (
        Catalog.open(str(tmp_path / "empty.db")) as empty,
        pytest.raises(NothingAnalysed),
    ):
        search_words(empty, "piano")


def test_words_of_one_meaning_are_judged_by_the_same_tags(known_wheel) -> None:
    tags = tags_of(add_musicnn(known_wheel)[0].card)
    words = vocabulary(tags, ["rock", "hiphop"], ["tempo", "vocals"])
    assert words["singing"].tags == words["vocals"].tags
    assert words["rap"].genre == "hiphop"
    assert {tag.network for tag in words["hip hop"].tags} == {"MSD"}
    assert words["quick"].descriptors == {"tempo": 1}
    assert words["instrumental"].denies
    assert "spoken" not in words, "nothing here tells of it"
