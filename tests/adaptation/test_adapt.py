"""`adapt` and `undo` on a catalogue, by way of the command line."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import toy_models
from adaptation_worlds import GENRES, World, common_component, noise, weighed_down
from command_line import Output, recsys

from recommender.catalog import Catalog, FileStat, ProjectionOrigin, Tags
from recommender.catalog.projector import catalog_projector
from recommender.embedding.model_files import ModelFiles
from recommender.embedding.space import Analysis
from recommender.errors import RecsysError, UsageError
from recommender.recommendation.service import SimilarityService
from recommender.search.index_file import index_file


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
    database = library.catalog.folder / "library.db"  # type: ignore[operator]
    assert index_file(adapted.space, library.catalog.state().catalog, database).exists()
    assert library.recsys("similar", 1, "--json").json != before
    assert library.recsys("verify").status == 0
    status = library.recsys("status", "--json").json["projection"]
    assert (status["origin"], status["kind"], status["tracks"]) == ("adapted", done["kept"], 240)
    evaluated = library.recsys("evaluate")
    assert "these figures are optimistic" in evaluated.out
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
    assert "\nadopted: as shipped. " in again.out
    space = library.model.space()
    assert library.catalog.projection(space, ProjectionOrigin.ADAPTED) is None


def test_what_is_printed(library: Library) -> None:
    library.add(worth_adapting())
    text = library.recsys("adapt", "--dry-run")
    assert (text.status, text.err) == (0, "")
    assert text.out.startswith("240 tracks by 60 artists (or without one); criterion: precision@10")
    assert "genres that LDA was fitted to, from the genre tags: folk, jazz, rock" in text.out
    table = [line for line in text.out.splitlines() if line.startswith(("as shipped", "whitened"))]
    assert len(table) == 3 * 3  # neither gains nor loses a row in a pipe
    assert "\nwould be adopted: " in text.out
    assert "before → after, held-out tracks: precision@10 0." in text.out


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
    library.add(worth_adapting())
    for module in ("sklearn.discriminant_analysis", "scipy.stats"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            refused = library.recsys("adapt")
        assert refused.status == 1
        assert refused.err.count("\n") == 1
        assert "pip install 'recommender[study]'" in refused.err
    assert issubclass(UsageError, RecsysError)
