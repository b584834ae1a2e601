"""Adapting the projection, in toy worlds where the right choice is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import toy_models
from command_line import Output, recsys
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.adaptation import Adaptation, Measure, Music, adaptation_of
from recommender.adaptation.candidates import Candidate, candidates, fit_all, in_full
from recommender.adaptation.cross_validation import held_out
from recommender.adaptation.training_data import FOLDS
from recommender.catalog import Catalog, FileStat, ProjectionOrigin, Tags
from recommender.catalog.projector import catalog_projector
from recommender.embedding.model_files import ModelFiles
from recommender.embedding.projection import Projection
from recommender.embedding.space import Analysis
from recommender.errors import RecsysError, UsageError
from recommender.evaluation.report import evaluate_retrieval
from recommender.recommendation.service import SimilarityService
from recommender.search.reranking import RerankingSettings, ranking
from recommender.utils.arrays import is_unit

DIMENSIONS = 24
OWN = Projection(np.zeros(DIMENSIONS, np.float32), np.eye(DIMENSIONS, dtype=np.float32))
GENRES = ("folk", "jazz", "rock")

LEAST = RerankingSettings().min_tracks


@dataclass(frozen=True)
class World:
    """Tracks with what a listener knows of them."""

    activations: np.ndarray
    genres: Sequence[str | None] = field(default_factory=list)
    artists: Sequence[str | None] = field(default_factory=list)

    def music(self, order: Sequence[int] | None = None) -> Music:
        """As `Music`, given in the order of these rows; their ids are the rows' numbers."""
        count = len(self.activations)
        rows = np.arange(count) if order is None else np.asarray(order)
        genres, artists = (
            [(names or [None] * count)[row] for row in rows]
            for names in (self.genres, self.artists)
        )
        return Music.of(OWN, rows, self.activations[rows], genres, artists)

    def adaptation(self) -> Adaptation:
        return adaptation_of(OWN, self.music())


def artists_of(count: int, tracks_each: int = 4) -> list[str]:
    return [f"artist {number // tracks_each}" for number in range(count)]


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype(np.float32)


def common_component(count: int = 400) -> np.ndarray:
    """Tracks that differ little beside what all of them have; those near the mean are hubs.

    Around the mean they are as even as they can be.
    """
    return noise(count) * 0.3 + np.linspace(1, 2, DIMENSIONS, dtype=np.float32)


def by_artist(count: int = 400, seed: int = 0) -> np.ndarray:
    """What an artist's tracks have in common shows, once the common component is gone."""
    own = np.repeat(noise(count // 4, seed), 4, axis=0)
    # All that is large is common: its length varies from track to track, and says nothing.
    rng = np.random.default_rng(seed + 1)
    common = np.linspace(1, 2, DIMENSIONS) + rng.normal(size=DIMENSIONS)
    return (own + 1.6 * noise(count, seed + 2) + 6 * common).astype(np.float32)


def weighed_down(count: int = 480, seed: int = 0) -> World:
    """Genres lie along directions in which tracks differ little; all others only distract."""
    genres = [GENRES[(number // 4) % 3] for number in range(count)]
    values = noise(count, seed)
    values[:, 3:] *= 4
    for row, genre in enumerate(genres):
        values[row, GENRES.index(genre)] += 3
    return World(values, genres, artists_of(count))


# What is kept


def test_centring_is_kept_where_it_makes_hubs_smaller() -> None:
    found = World(common_component(4 * LEAST - 4)).adaptation()
    assert found.measure is Measure.HUBS
    assert found.kept.name == "centred"
    assert found.kept.skewness < found.shipped.skewness - 0.3
    assert found.kept.never < found.shipped.never
    assert found.projection is not None
    assert "too few to measure more than hubs" in found.choice.reason


def test_what_counts_is_the_order_of_recommendations() -> None:
    """Folds of `LEAST` tracks and more are ranked as a catalogue of them would be."""
    world = weighed_down()
    music = world.music()
    shipped = held_out(music)[0]
    own = OWN.apply(world.activations)
    expected = []
    for fold in music.folds():
        rows = np.flatnonzero(fold)
        assert len(rows) >= LEAST
        report = evaluate_retrieval(
            ranking(own[rows]),
            [world.genres[row] for row in rows],
            [world.artists[row] for row in rows],
            k=10,
            bootstrap=0,
        )
        expected.append(report.with_filter.overall.precision.value)
    assert shipped.value == pytest.approx(np.mean(expected), abs=1e-6)


def test_centring_is_kept_where_artists_are_found_by_it() -> None:
    found = World(by_artist(), artists=artists_of(400)).adaptation()
    assert found.measure is Measure.ARTIST
    assert found.projection is not None
    assert found.kept.name != "as shipped"
    assert found.kept.difference > 0.05
    assert found.kept.p < 0.05


def test_discriminants_are_kept_where_the_model_weighs_the_genres_down() -> None:
    world = weighed_down()
    found = world.adaptation()
    assert found.measure is Measure.GENRE
    assert found.genres == GENRES
    assert found.kept.name.endswith("+ genres 0.4")
    assert found.kept.value > found.shipped.value + 0.3
    assert found.kept.p < 0.01


@pytest.mark.parametrize("seed", range(3))
def test_genres_that_say_nothing_leave_the_model_as_it_is(seed: int) -> None:
    genres = np.random.default_rng(seed).choice(GENRES, 400).tolist()
    found = World(noise(400, seed), genres, artists_of(400)).adaptation()
    assert found.measure is Measure.GENRE
    assert found.projection is None
    assert found.kept == found.shipped
    for tried in found.choice.tried:
        assert tried.value == pytest.approx(1 / 3, abs=0.08)  # learned on others, and by chance


def test_tracks_alike_in_every_way_leave_the_model_as_it_is() -> None:
    found = World(noise(200)).adaptation()
    assert found.measure is Measure.HUBS
    assert found.projection is None


def test_an_artists_sound_alone_convinces_nobody() -> None:
    """Three artists of a hundred gain much, and by their signs that may be chance."""
    activations, artists = noise(400), artists_of(400, tracks_each=100)
    found = World(activations, artists=artists).adaptation()
    assert found.measure is Measure.ARTIST
    assert found.projection is None
    assert all(tried.p > 0.1 for tried in found.choice.tried[1:])


# How it is measured


def test_folds_hold_every_track_once_and_artists_together() -> None:
    artists = [None if n % 5 == 0 else f"artist {n % 23}" for n in range(230)]
    music = World(noise(230), artists=artists).music()
    folds = music.folds()
    assert len(folds) == FOLDS
    assert (np.sum(folds, axis=0) == 1).all()
    assert min(fold.sum() for fold in folds) > 40
    for group in np.unique(music.groups):
        assert sum(fold[music.groups == group].any() for fold in folds) == 1
    assert len(np.unique(music.groups)) == 23 + 230 // 5


@pytest.mark.parametrize(
    ("genres", "measure", "taught"),
    [
        ([GENRES[n % 2] for n in range(120)], Measure.GENRE, ("folk", "jazz")),
        (["folk" if n < 40 else "jazz" if n < 76 else None for n in range(120)], *2 * [None]),
        (["folk"] * 120, Measure.ARTIST, ()),
        ([None] * 120, Measure.ARTIST, ()),
    ],
    ids=["enough", "nine artists", "one genre", "none"],
)
def test_measure_is_the_best_that_labels_allow(
    genres: list[str | None], measure: Measure | None, taught: tuple[str, ...] | None
) -> None:
    found = World(noise(120), genres, artists_of(120)).adaptation()
    assert found.measure is (measure or Measure.ARTIST)
    assert found.genres == (taught or ())
    assert found.k == 5  # the smallest fold has 28 tracks


@pytest.mark.parametrize(
    ("count", "artists", "says"),
    [(99, artists_of(99), "99 tracks are too few"), (200, ["Anna"] * 200, "the same few artists")],
)
def test_too_little_music(count: int, artists: list[str | None], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        World(noise(count), artists=artists).adaptation()


@settings(max_examples=4, deadline=None)
@given(st.permutations(range(120)))
def test_the_order_of_the_tracks_does_not_matter(order: list[int]) -> None:
    world = replace(weighed_down(120), activations=by_artist(120))
    usual, mixed = (adaptation_of(OWN, world.music(rows)) for rows in (None, order))
    assert mixed.as_dict() == usual.as_dict()
    for candidate in candidates(with_genres=True):
        one, other = (in_full(OWN, candidate, world.music(rows)) for rows in (None, order))
        assert one.digest == other.digest


@settings(max_examples=10, deadline=None)
@given(scale=st.floats(0.01, 100), offset=st.floats(-10, 10))
def test_what_is_centred_does_not_depend_on_offset_and_scale(scale: float, offset: float) -> None:
    activations = weighed_down(120).activations
    changed = (activations * np.float32(scale) + np.float32(offset)).astype(np.float32)
    for candidate in candidates(with_genres=False)[1:]:
        one, other = (
            in_full(OWN, candidate, World(values).music()).apply(values)
            for values in (activations, changed)
        )
        np.testing.assert_allclose(one @ one.T, other @ other.T, atol=5e-3)


@pytest.mark.parametrize("candidate", candidates(with_genres=True), ids=lambda one: one.name)
def test_fitted_in_full_is_what_was_measured(candidate: Candidate) -> None:
    """The projection of activations equals that of what the model's own makes of them."""
    rng = np.random.default_rng(5)
    own = Projection(
        rng.normal(size=30).astype(np.float32), rng.normal(size=(30, 12)).astype(np.float32)
    )
    activations = rng.normal(size=(150, 30)).astype(np.float32) + 2
    genres = [GENRES[n % 3] for n in range(150)]
    music = Music.of(own, np.arange(150), activations, genres, artists_of(150, 3))
    full = in_full(own, candidate, music).apply(activations)
    assert is_unit(full).all()
    fitted = fit_all([candidate], music.projected, music.codes)[candidate]
    np.testing.assert_allclose(full, fitted.apply(music.projected), atol=1e-4)
    if candidate == Candidate():
        np.testing.assert_allclose(full, own.apply(activations), atol=1e-6)


@pytest.mark.parametrize("shrinkage", [0.3, 1.0])
def test_evening_is_as_strong_as_the_shrinkage_lets_it(shrinkage: float) -> None:
    values = noise(2_000) * np.where(np.arange(DIMENSIONS) < 2, 5, 1).astype(np.float32)
    candidate = Candidate(True, shrinkage)
    fitted = fit_all([candidate], values, np.zeros(2_000, np.int64))[candidate]
    variances = (fitted.affine(values) @ np.eye(DIMENSIONS)).var(axis=0)
    ratio = variances[:2].mean() / variances[2:].mean()
    level = np.mean([25] * 2 + [1] * (DIMENSIONS - 2))
    large, small = ((1 - shrinkage) * own + shrinkage * level for own in (25, 1))
    assert ratio == pytest.approx(25 * small / large, rel=0.15)


# A catalogue


@dataclass
class Library:
    """A catalogue whose tracks a toy model of descriptors analysed as a world says."""

    catalog: Catalog
    model: ModelFiles
    music: Path

    def recsys(self, *words: object) -> Output:
        return recsys(*words, "--db", self.catalog.url)

    def add(self, world: World, first: int = 0) -> None:
        """Its tracks; a world's dimensions lie where the model's projection looks first."""
        own = self.model.projection()
        back = np.linalg.pinv(own.matrix.astype(np.float64)).astype(np.float32)
        activations = world.activations[:, : own.matrix.shape[1]] @ back + own.mean
        library, _ = self.catalog.scope_of(self.music)
        with self.catalog.writing() as write:
            for row, vector in enumerate(activations):
                number = first + row
                tags = Tags(
                    artist=world.artists[row] if world.artists else None,
                    genre=world.genres[row] if world.genres else None,
                )
                analysed = Analysis(vector, {}, 60.0 + number, ((0.0, 10.0),), self.model.space())
                file = self.music / f"{number}.wav"
                file.touch()
                stat = FileStat(file.name, 0, file.stat().st_mtime_ns)
                write.analysed(library, stat, str(number), tags, analysed, "test")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a network, and eight columns to its projection, made once."""
    return toy_models.with_descriptors(tmp_path_factory.mktemp("model") / "model", 0).folder


@pytest.fixture
def library(template: Path, tmp_path: Path) -> Iterator[Library]:
    (tmp_path / "music").mkdir()
    with Catalog.open(str(tmp_path / "library.db")) as catalog:
        model = ModelFiles(template)
        catalog.set_active(model.space(), {"model": str(template), "windowing": {}})
        yield Library(catalog, model, tmp_path / "music")


def worth_adapting() -> World:
    """Genres in the directions that the toy model's eight columns weigh down."""
    world = weighed_down(240)
    values = world.activations[:, :8].copy()
    return replace(world, activations=values)


def test_adapt_and_undo(library: Library) -> None:
    library.add(worth_adapting())
    before = library.recsys("similar", 1, "--json").json
    own = catalog_projector(library.catalog).space
    dry = library.recsys("adapt", "--dry-run", "--json").json
    assert (dry["measure"], dry["tracks"], dry["artists"], dry["dry_run"]) == (
        "genre",
        240,
        60,
        True,
    )
    assert dry["adapted"]
    assert catalog_projector(library.catalog).space == own
    done = library.recsys("adapt", "--json").json
    assert done == {**dry, "dry_run": False}
    adapted = catalog_projector(library.catalog)
    assert adapted.space != own
    with SimilarityService.open(library.catalog.url) as service:
        assert service.index().space == adapted.space
        assert service.catalog_index.path(library.catalog.state()).exists()
    assert library.recsys("similar", 1, "--json").json != before
    assert library.recsys("verify").status == 0
    status = library.recsys("status", "--json").json["projection"]
    assert (status["origin"], status["kind"], status["tracks"]) == ("adapted", done["kept"], 240)
    evaluated = library.recsys("evaluate")
    assert "these figures flatter it" in evaluated.out
    assert library.recsys("evaluate", "--json").json["adapted"]["kind"] == done["kept"]
    assert library.recsys("adapt", "--undo").out == "the model's own projection is used again.\n"
    assert library.recsys("adapt", "--undo", "--json").json == {"undone": False}
    assert "model's own projection is in use" in library.recsys("adapt", "--undo").out
    assert catalog_projector(library.catalog).space == own
    assert library.recsys("similar", 1, "--json").json == before
    assert library.recsys("evaluate", "--json").json["adapted"] is None


def test_adapting_again_begins_with_the_models_own_and_gives_the_same(library: Library) -> None:
    library.add(worth_adapting())
    first = library.recsys("adapt", "--json").json
    digest = catalog_projector(library.catalog).space.projection
    assert library.recsys("adapt", "--json").json == first
    assert catalog_projector(library.catalog).space.projection == digest


def test_music_that_no_longer_needs_it_drops_the_adaptation(library: Library) -> None:
    library.add(worth_adapting())
    assert library.recsys("adapt", "--json").json["adapted"]
    labels = library.music.with_name("labels.csv")
    genres = np.random.default_rng(1).choice(GENRES, 240)
    lines = [f"{row}.wav,{genre}" for row, genre in enumerate(genres)]
    labels.write_text("\n".join(["filename,genre", *lines]))
    again = library.recsys("adapt", "--labels", labels)
    assert again.status == 0
    assert "\nkept: as shipped. " in again.out
    space = library.model.space()
    assert library.catalog.projection(space, ProjectionOrigin.ADAPTED) is None


def test_what_is_printed(library: Library) -> None:
    library.add(worth_adapting())
    text = library.recsys("adapt", "--dry-run")
    assert (text.status, text.err) == (0, "")
    assert text.out.startswith("240 tracks by 60 artists (or without one); measured: precision@10")
    assert "genres learned, from the genre tags: folk, jazz, rock" in text.out
    table = [line for line in text.out.splitlines() if line.startswith(("as shipped", "evened"))]
    assert len(table) == 3 * 3  # neither gains nor loses a row in a pipe
    assert "\nwould be kept: " in text.out
    assert "before → after, on tracks held out: 0." in text.out


def test_unlabelled_and_unusable_tracks(library: Library) -> None:
    values = common_component(160)[:, :8]
    library.add(World(values))
    library.add(World(np.full((2, 8), np.nan, np.float32)), first=160)
    found = library.recsys("adapt", "--json").json
    assert (found["measure"], found["tracks"], found["artists"]) == ("hubs", 160, 160)
    assert found["candidates"][0]["value"] is None
    assert library.recsys("adapt", "--dry-run").status == 0


def test_what_cannot_be_adapted(library: Library, tmp_path: Path) -> None:
    cases: list[tuple[tuple[object, ...], str]] = [
        (("--undo", "--dry-run"), "--undo takes no other option"),
        ((), "holds no music that was analysed"),
        (("--labels", tmp_path / "absent.csv"), "holds no music"),
    ]
    empty = recsys("adapt", "--db", tmp_path / "absent.db")
    assert (empty.status, empty.err.count("\n")) == (1, 1)
    library.add(World(noise(20)[:, :8]))
    cases[1:] = [((), "20 tracks are too few"), (("--labels", tmp_path / "no.csv"), "no.csv")]
    for words, says in cases:
        refused = library.recsys("adapt", *words)
        assert (refused.status, refused.out, refused.err.count("\n")) == (1, "", 1), words
        assert says in refused.err


def test_without_the_extra_it_says_what_to_install(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    library.add(worth_adapting())
    for module in ("sklearn.discriminant_analysis", "scipy.stats"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            refused = library.recsys("adapt")
        assert refused.status == 1
        assert refused.err.count("\n") == 1
        assert "pip install 'recommender[study]'" in refused.err
    assert issubclass(UsageError, RecsysError)
