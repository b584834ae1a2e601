"""The package brings other weights: recommendations go on, and are never made of two spaces."""

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import sounds
import toy_models
from command_line import Output, recsys

from recommender.catalog import Catalog, FileStat, ProjectionOrigin, Tags
from recommender.catalog.projector import ModelProjection, catalog_projector
from recommender.embedding.duplicates import DESCRIPTOR_THRESHOLD, DuplicateDetector
from recommender.embedding.genre_head import GenreHead
from recommender.embedding.model_files import HEAD, PROJECTION, ModelFiles
from recommender.embedding.projection import Projection
from recommender.embedding.space import Analysis
from recommender.errors import SpaceMismatch
from recommender.ingestion import IngestSettings, ingest
from recommender.ingestion.report import NoProgress
from recommender.recommendation.service import SimilarityService

KILLED_IN_THE_MIDDLE = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from recommender.catalog import Catalog
    from recommender.ingestion import IngestSettings, ingest
    from recommender.ingestion.report import NoProgress

    class Killer(NoProgress):
        def done(self, path, outcome, reason=None):
            os.kill(os.getpid(), signal.SIGKILL)

    if __name__ == "__main__":
        settings = IngestSettings(
            model=sys.argv[3], workers=1, files_per_transaction=2
        )
        ingest(Catalog.open(sys.argv[1]), [Path(sys.argv[2])], settings, Killer())
""")


@dataclass
class Story:
    """Six recordings analysed with a model whose weights then changed; what was listed before."""

    music: Path
    model: Path
    catalog: Catalog
    before: list[object]

    def recsys(self, *words: object) -> Output:
        return recsys(*words, "--db", self.catalog.url)

    def ingest(self, *words: object) -> Output:
        return self.recsys("ingest", *words, "--model", self.model, "--workers", 1)

    def listed(self) -> list[object]:
        return [self.recsys("similar", track, "--json").json for track in range(1, 7)]

    def analysed_in_new_space(self) -> int:
        return dict(self.catalog.spaces()).get(ModelFiles(self.model).space(), 0)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("change")
    for seed in range(6):
        folder = root / "music" / ("first" if seed < 4 else "second")
        folder.mkdir(parents=True, exist_ok=True)
        sound = sounds.music(2 + seed / 5, 22_050, seed)
        sounds.write_sound(folder / f"{seed}.wav", sound, 22_050)
    model = toy_models.with_other_weights(root / "model", "mine").folder
    with Catalog.open(str(root / "catalog.db")) as catalog:
        story = Story(root / "music", model, catalog, [])
        assert story.ingest(story.music).err == ""
        story.before = story.listed()
        toy_models.with_other_weights(model, "mine")
        yield story


@pytest.mark.slow
def test_a_story_of_other_weights(story: Story) -> None:
    """One test, as each chapter goes on where the last one ended."""
    old, new = story.catalog.active_space(), ModelFiles(story.model).space()
    assert old is not None
    assert (old.model, old.analysis) == (new.model, new.analysis)
    assert old.weights != new.weights

    # Before anything is analysed anew
    assert story.listed() == story.before
    outside = story.music.parent / "outside.wav"
    shutil.copy(story.music / "first" / "0.wav", outside)
    refused = story.recsys("similar", outside)
    assert (refused.status, refused.err.count("\n")) == (1, 1)
    assert "recsys ingest" in refused.err
    assert "the installed model has other weights" in story.recsys("status").out
    assert story.recsys("evaluate", "--genre-from", "folder").status == 0
    assert story.recsys("export", story.music.parent / "e.npz").status == 0
    assert story.recsys("verify").status == 0

    # A run that is killed after two of six
    arguments = [story.catalog.url, str(story.music), str(story.model)]
    killed = subprocess.run([sys.executable, "-c", KILLED_IN_THE_MIDDLE, *arguments])
    assert killed.returncode == -9
    assert story.analysed_in_new_space() == 2
    assert story.catalog.active_space() == old
    assert story.listed() == story.before

    # One folder of two
    part = story.ingest(story.music / "first", "--json")
    assert part.json["analysed"] == 4 - 2
    assert (part.json["not_analysed"], part.json["switched"]) == (2, False)
    assert part.err.startswith("the model's weights have changed: 2 tracks of the catalogue")
    assert story.catalog.active_space() == old
    assert story.listed() == story.before

    # The rest
    whole = story.ingest(story.music)
    assert whole.err.splitlines() == [
        "the model's weights have changed: 2 tracks of the catalogue in these folders will be "
        "analysed again; until the whole catalogue is, recommendations stay as they are.",
        "every track is analysed by this model: it makes the recommendations from now on.",
    ]
    assert dict(story.catalog.spaces()) == {old: 6, new: 6}
    assert story.catalog.active_space() == new
    assert story.recsys("similar", outside).status == 0
    with SimilarityService.open(story.catalog.url) as service:
        assert service.index().space.unprojected == new
        assert len(service.index()) == 6
    assert story.ingest(story.music).err == ""


# Which projection is served


@dataclass
class World:
    """A catalogue of tracks that a toy model with descriptors analysed, as its activations say."""

    model: ModelFiles
    catalog: Catalog

    def add(self, name: str, seed: int, blur: float = 0.0) -> int:
        """A track; of one seed, the more blur the less alike, and from 0.3 on no duplicates."""
        space, size = self.model.space(), len(self.model.projection().mean)
        rng = np.random.default_rng(seed)
        activations = rng.normal(size=size) + blur * np.random.default_rng(99).normal(size=size)
        analysed = Analysis(activations.astype(np.float32), {}, 60.0, ((0.0, 10.0),), space)
        library, _ = self.catalog.scope_of(self.model.folder.parent / "music")
        with self.catalog.writing() as write:
            return write.analysed(library, FileStat(name, 1, 1), name, Tags(), analysed, "test")

    def ingest(self) -> None:
        """What an ingest with nothing new does."""
        settings = IngestSettings(model=str(self.model.folder), workers=1)
        ingest(self.catalog, [self.model.folder.parent / "nothing"], settings)

    def new_projection(self) -> Projection:
        """The package brings another projection for the same weights."""
        old = self.model.projection()
        new = Projection(old.mean, (old.matrix[:, ::-1] * 2).astype(np.float32))
        new.save(self.model.folder / PROJECTION)
        self.model = toy_models.with_card(self.model.folder, projection_digest=new.digest)
        return new

    def new_weights(self) -> None:
        toy_models.with_card(self.model.folder, weights_digest="0123456789ab")

    def served(self) -> tuple[str, bool]:
        """Digest of the projection in use, and whether the model is the installed one."""
        found = catalog_projector(self.catalog)
        with SimilarityService.open(self.catalog.url) as service:
            assert service.projector.space == found.space
            assert service.index().space == found.space
        return found.projection.digest, found.installed

    def adapt(self) -> Projection:
        own = self.model.projection()
        adapted = Projection(own.mean + 1, own.matrix[:, :4].copy())
        details = {"kept": "by hand", "tracks": 1}
        space = self.model.space()
        self.catalog.store_projection(space, ProjectionOrigin.ADAPTED, adapted, details)
        return adapted


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    model = toy_models.with_descriptors(tmp_path / "model", networks=0)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "music").mkdir()
    with Catalog.open(str(tmp_path / "world.db")) as catalog:
        made = World(model, catalog)
        made.ingest()
        for seed in range(3):
            made.add(f"{seed}.wav", seed)
        yield made


def test_an_ingest_keeps_the_projection(world: World) -> None:
    kept = ModelProjection.load(world.catalog, world.model.space())
    assert kept is not None
    assert kept.projection.digest == world.model.projection().digest
    assert kept.descriptors
    state = world.catalog.state()
    world.ingest()
    assert world.catalog.state() == state


def test_the_duplicate_threshold_is_kept_with_it(world: World) -> None:
    def limits() -> tuple[float | None, float]:
        kept = ModelProjection.load(world.catalog, world.model.space())
        assert kept is not None
        return kept.duplicate_threshold, catalog_projector(
            world.catalog
        ).duplicate_detector.threshold

    toy_models.with_card(world.model.folder, duplicate_threshold=None)
    world.ingest()
    assert limits() == (None, DESCRIPTOR_THRESHOLD)
    toy_models.with_card(world.model.folder, duplicate_threshold=0.9)
    world.ingest()
    assert limits() == (0.9, 0.9)
    world.new_weights()
    toy_models.with_card(world.model.folder, duplicate_threshold=0.8)
    assert limits() == (0.9, 0.9)  # that of what the catalogue was analysed with


def test_catalogues_of_older_versions_have_no_duplicate_threshold(world: World) -> None:
    kept = world.catalog.projection(world.model.space(), ProjectionOrigin.MODEL)
    assert kept is not None
    older = {name: kept.details[name] for name in ("descriptors", "similarity_calibration")}
    world.catalog.store_projection(
        world.model.space(), ProjectionOrigin.MODEL, kept.projection, older
    )
    found = ModelProjection.load(world.catalog, world.model.space())
    assert found is not None
    assert found.duplicate_threshold is None


def test_also_where_some_tracks_were_analysed_in_another_space_only(world: World) -> None:
    own, other = world.model, replace(world.model.space(), weights="another")
    analysed = Analysis(np.ones(4, np.float32), {}, 60.0, ((0.0, 10.0),), other)
    library, _ = world.catalog.scope_of(own.folder.parent / "music")
    with world.catalog.writing() as write:
        write.analysed(library, FileStat("other.wav", 1, 1), "other", Tags(), analysed, "test")
    assert world.catalog.drop_projection(own.space(), ProjectionOrigin.MODEL)
    world.ingest()
    assert ModelProjection.load(world.catalog, own.space()) is not None


def test_a_new_projection_of_the_same_weights_replaces_it(world: World) -> None:
    before, _ = world.served()
    new = world.new_projection()
    assert world.served() == (new.digest, True)  # also before the next ingest
    kept = ModelProjection.load(world.catalog, world.model.space())
    assert kept is not None
    assert kept.projection.digest == before
    world.ingest()
    kept = ModelProjection.load(world.catalog, world.model.space())
    assert kept is not None
    assert kept.projection.digest == new.digest


def test_networks_with_another_centre_crop_are_other_weights(world: World) -> None:
    before, _ = world.served()
    old = world.model.space()
    world.new_projection()
    toy_models.with_card(world.model.folder, network_frames=64)
    assert ModelFiles(world.model.folder).space().weights != old.weights
    assert world.served() == (before, False)
    world.ingest()  # of none of its tracks
    assert world.served() == (before, False)
    kept = ModelProjection.load(world.catalog, old)
    assert kept is not None
    assert kept.projection.digest == before


def test_another_head_predicts_the_genres_of_all_tracks_again(world: World) -> None:
    generator, folder, space = np.random.default_rng(1), world.model.folder, world.model.space()
    former = world.model.head()
    values = (generator.normal(0, 1e-2, a.shape) for a in (former.weight, former.bias))
    head = GenreHead(*(array.astype(np.float32) for array in values))
    head.save(folder / HEAD)
    toy_models.with_card(folder, head_digest=head.digest)
    assert ModelFiles(folder).space() == space
    state = world.catalog.state()
    world.ingest()
    assert world.catalog.state() != state
    ids, activations = world.catalog.activations(space)
    expected = head.probabilities(activations)
    assert len(ids) == 3
    for track_id, row in zip(ids.tolist(), expected, strict=True):
        analysis = world.catalog.analysis_of(track_id, space)
        assert analysis is not None
        assert list(analysis.genre_probabilities) == list(world.model.card.labels)
        assert list(analysis.genre_probabilities.values()) == pytest.approx(row.tolist())
    state = world.catalog.state()
    world.ingest()
    assert world.catalog.state() == state


def test_an_adapted_projection_comes_first_and_stays(world: World) -> None:
    adapted = world.adapt()
    assert world.served() == (adapted.digest, True)
    world.new_projection()
    world.ingest()
    assert world.served() == (adapted.digest, True)
    world.new_weights()
    assert world.served() == (adapted.digest, False)


def test_duplicates_are_detected_by_the_models_own_projection(world: World) -> None:
    seed = world.add("copied.wav", 7)
    world.add("copy.mp3", 7, blur=0.01)
    own = DuplicateDetector.of_model(world.model.projection(), descriptors=True)

    def listed() -> list[str]:
        with SimilarityService.open(world.catalog.url) as service:
            assert np.array_equal(service.projector.duplicate_detector.matrix, own.matrix)
            return sorted(found.track.path for found in service.similar(seed))

    expected = ["0.wav", "1.wav", "2.wav"]
    assert listed() == expected
    world.adapt()
    assert listed() == expected
    world.new_weights()
    assert listed() == expected


def test_without_a_kept_projection_other_weights_are_refused(world: World) -> None:
    assert world.catalog.drop_projection(world.model.space(), ProjectionOrigin.MODEL)
    assert not world.catalog.drop_projection(world.model.space(), ProjectionOrigin.MODEL)
    assert world.served()[1]
    world.new_weights()
    with pytest.raises(SpaceMismatch, match="recsys ingest"):
        SimilarityService.open(world.catalog.url)
    status = recsys("status", "--db", world.catalog.url)
    assert status.status == 0
    assert "none (vectors of two embedding spaces cannot be compared" in status.out


def test_a_catalogue_outlives_the_folder_of_its_weights(world: World) -> None:
    digest, _ = world.served()
    shutil.rmtree(world.model.folder)
    assert world.served() == (digest, False)


def test_a_switch_leaves_the_adaptation_behind(world: World, tmp_path: Path) -> None:
    """The tracks are said to be analysed in the new space, too, so that nothing needs analysis."""
    world.adapt()
    old = world.model.space()
    world.model = toy_models.with_descriptors(tmp_path / "other", networks=1)
    for seed in range(3):
        world.add(f"{seed}.wav", seed)
    settings = IngestSettings(model=str(world.model.folder), workers=1)
    report = ingest(world.catalog, [tmp_path / "nothing"], settings, NoProgress())
    assert (report.switched, report.adaptation_left) == (True, True)
    assert world.served() == (world.model.projection().digest, True)
    back = IngestSettings(model=str(tmp_path / "model"), workers=1)
    report = ingest(world.catalog, [tmp_path / "nothing"], back)
    assert (report.switched, report.adaptation_left) == (True, False)
    assert world.catalog.active_space() == old


def test_status_shows_the_projection(world: World) -> None:
    def shown() -> tuple[str, dict[str, object]]:
        out = recsys("status", "--db", world.catalog.url).out
        (line,) = [x.strip() for x in out.splitlines() if x.startswith("projection")]
        return line, recsys("status", "--db", world.catalog.url, "--json").json["projection"]

    line, plain = shown()
    assert line.endswith("the model's own")
    assert (plain["origin"], plain["digest"]) == ("model", world.model.projection().digest)
    adapted = world.adapt()
    line, plain = shown()
    assert "adapted, 20" in line
    assert line.endswith("UTC: by hand")
    assert (plain["origin"], plain["digest"]) == ("adapted", adapted.digest)
