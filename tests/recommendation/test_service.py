"""Neighbours in a toy world: tracks on a circle, where the nearest angle is the right answer."""

import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.id3 import TPE1
from mutagen.wave import WAVE

from recommender.catalog import Catalog, FileStat, Tags, Track
from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.embedding.space import Analysis, Embedding, SpaceId
from recommender.errors import (
    AmbiguousTrack,
    CatalogError,
    SpaceMismatch,
    TrackNotFound,
    UsageError,
)
from recommender.recommendation.service import Filters, SimilarityService
from recommender.search import index_file
from recommender.search.index import FaissIndex

SPACE = SpaceId("toy", "w", "h")
GENRES = ("folk", "rock")
COPY = 0.1
"""Degrees between copies of a recording; other tracks here are at least 4 degrees apart."""

same_sound = DuplicateDetector(threshold=float(np.cos(np.radians(1))))


def direction(degrees: float) -> np.ndarray:
    """Activations of length 3 that point to an angle."""
    turn = np.radians(degrees)
    return 3 * np.array([np.cos(turn), np.sin(turn)], np.float32)


def analysis(degrees: float, duration: float, predicted: str = "rock") -> Analysis:
    probabilities = {label: 0.75 if label == predicted else 0.25 for label in GENRES}
    return Analysis(direction(degrees), probabilities, duration, ((0.0, duration),), SPACE)


class ToyEmbedder:
    """Projects by normalising; analyses in a sound file the angle that its samples say."""

    space = replace(SPACE, projection="unit")

    def project(self, activations: np.ndarray) -> np.ndarray:
        return activations / np.linalg.norm(activations, axis=1, keepdims=True)

    def analyse(self, path: Path) -> Analysis:
        samples, rate = soundfile.read(path, dtype="float32")
        return analysis(360 * float(samples.mean()), len(samples) / rate)


@dataclass
class World:
    """A catalogue in a folder, and the service over it."""

    folder: Path
    catalog: Catalog
    service: SimilarityService

    def add(
        self,
        path: str,
        degrees: float,
        *,
        duration: float = 60.0,
        predicted: str = "rock",
        space: SpaceId = SPACE,
        **tags: str,
    ) -> int:
        library, _ = self.catalog.scope_of(self.folder / "music")
        one = replace(analysis(degrees, duration, predicted), space=space)
        with self.catalog.writing() as write:
            return write.analysed(library, FileStat(path, 1, 1), path, Tags(**tags), one, "test")

    def names(self, query: object, k: int = 10, **filters: object) -> list[str]:
        found = self.service.similar(query, k, Filters(**filters))
        assert [neighbour.rank for neighbour in found] == list(range(1, len(found) + 1))
        scores = [neighbour.score for neighbour in found]
        assert scores == sorted(scores, reverse=True)
        return [neighbour.track.path.removesuffix(".ogg") for neighbour in found]


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory):
    """Made once, and copied for each test."""
    path = tmp_path_factory.mktemp("empty") / "toy.db"
    with Catalog.open(str(path)) as catalog:
        catalog.set_active(SPACE, {"model": "toy", "windowing": {}})
    return path


@pytest.fixture
def world(tmp_path, empty_database):
    (tmp_path / "music").mkdir()
    shutil.copy(empty_database, tmp_path / "toy.db")
    with Catalog.open(str(tmp_path / "toy.db")) as catalog:
        embedder = ToyEmbedder()
        service = SimilarityService(catalog, embedder, lambda: embedder, "cpu", same_sound)
        yield World(tmp_path, catalog, service)


def test_nearest_angle_first_and_never_the_seed(world):
    angles = {"a": 0, "b": 90, "c": 10, "d": -25}
    ids = {name: world.add(f"{name}.ogg", angle) for name, angle in angles.items()}
    assert world.names(ids["a"]) == ["c", "d", "b"]
    assert world.names(ids["a"], k=2) == ["c", "d"]
    found = world.service.similar(ids["a"], 1)[0]
    assert found.score == found.similarity
    assert found.similarity == pytest.approx(np.cos(np.radians(10)), abs=1e-6)
    assert found.track == world.catalog.track(ids["c"])


def test_equally_near_tracks_come_by_id(world):
    seed = world.add("seed.ogg", 0)
    for number in range(5):
        world.add(f"{number}.ogg", 90, duration=100 * (number + 1))
    assert world.names(seed) == ["0", "1", "2", "3", "4"]
    assert world.names(seed, k=3) == ["0", "1", "2"]


class TestQueries:
    @pytest.fixture(autouse=True)
    def tracks(self, world):
        self.waltz = world.add("slow/waltz.ogg", 0, title="Évening Waltz", artist="Ana")
        self.polka = world.add("polka.ogg", 20, title="Polka", artist="Ana")
        self.other = world.add("other.ogg", 40, title="Polka for two", artist="Ben")
        self.digits = world.add("1999.ogg", 60, title="1999", artist="Prince")

    def test_id_path_and_words_mean_the_same_track(self, world):
        path = world.folder / "music" / "slow" / "waltz.ogg"
        expected = world.names(self.waltz)
        assert expected == ["polka", "other", "1999"]
        for query in (str(self.waltz), path, str(path), "evening waltz", "WALTZ", "ana waltz"):
            assert world.names(query) == expected

    def test_relative_path(self, world, monkeypatch):
        (world.folder / "music" / "slow").mkdir()
        monkeypatch.chdir(world.folder / "music" / "slow")
        assert world.names("waltz.ogg") == world.names(self.waltz)
        assert world.names("../polka.ogg") == world.names(self.polka)

    def test_digits_that_are_no_id_are_words(self, world):
        assert world.names("1999") == world.names(self.digits)

    def test_a_whole_title_beats_titles_that_contain_it(self, world):
        assert world.names("polka") == world.names(self.polka)

    def test_several_tracks_are_listed_with_their_ids(self, world):
        with pytest.raises(AmbiguousTrack) as raised:
            world.service.similar("ana")
        message = str(raised.value)
        assert "2 tracks match 'ana'" in message
        assert f"{self.waltz}  Ana - Évening Waltz" in message
        assert f"{self.polka}  Ana - Polka" in message

    def test_at_most_ten_are_listed(self, world):
        for number in range(12):
            world.add(f"etude/{number}.ogg", 100 + 5 * number, title=f"Etude {number}")
        with pytest.raises(AmbiguousTrack) as raised:
            world.service.similar("etude")
        assert len(str(raised.value).splitlines()) == 12
        assert "and 2 more" in str(raised.value)

    @pytest.mark.parametrize("query", ["tango", "", "  ", "4711", Path("tango.ogg"), 4711])
    def test_nothing_found_says_what_to_do(self, world, query):
        with pytest.raises(TrackNotFound, match=r"recsys|no track"):
            world.service.similar(query)

    def test_a_track_that_is_there_beats_a_missing_one(self, world):
        gone = world.add("backup/polka.ogg", 20, title="Polka")
        with world.catalog.writing() as write:
            write.missing([gone])
        assert world.names("polka") == world.names(self.polka)

    def test_a_missing_track_can_still_be_asked_about(self, world):
        expected = world.names(self.waltz)
        with world.catalog.writing() as write:
            write.missing([self.waltz])
        assert world.names("waltz") == expected

    def test_embedding(self, world):
        unit = direction(19) / 3
        query = Embedding(unit, ToyEmbedder.space)
        assert world.names(query) == ["polka", "slow/waltz", "other", "1999"]

    def test_an_embedding_of_another_space_is_refused(self, world):
        with pytest.raises(SpaceMismatch):
            world.service.similar(Embedding(direction(19) / 3, SPACE))

    def test_a_track_heard_by_another_model_only(self, world):
        other = world.add("new.ogg", 0, space=SpaceId("other", "w", "h"))
        with pytest.raises(SpaceMismatch, match="recsys ingest"):
            world.service.similar(other)


class TestOutsideFiles:
    def wav(self, world, degrees: float, seconds: int = 60, artist: str | None = None) -> Path:
        path = world.folder / "outside.wav"
        soundfile.write(path, np.full(100 * seconds, degrees / 360, np.float32), 100, "FLOAT")
        if artist:
            sound = WAVE(path)
            sound.add_tags()
            sound.tags.add(TPE1(encoding=3, text=artist))
            sound.save()
        return path

    def test_a_file_outside_the_catalogue_is_heard(self, world):
        world.add("a.ogg", 0, duration=100)
        world.add("b.ogg", 50, duration=100)
        path = self.wav(world, 45)
        assert world.names(path) == world.names(str(path)) == ["b", "a"]

    def test_its_copy_in_the_catalogue_is_not_recommended(self, world):
        world.add("a.ogg", 0)
        world.add("same.ogg", 45 + COPY)
        path = self.wav(world, 45)
        assert world.names(path) == ["a"]
        assert world.names(path, keep_duplicates=True) == ["same", "a"]

    def test_its_artist_is_read_from_its_tags(self, world):
        world.add("a.ogg", 0, artist="Björk")
        world.add("b.ogg", 90, artist="Ben")
        path = self.wav(world, 5, artist="BJORK")
        assert world.names(path) == ["a", "b"]
        assert world.names(path, same_artist=False) == ["b"]

    def test_heard_in_another_space_it_is_refused(self, world):
        world.add("a.ogg", 0)

        class Other(ToyEmbedder):
            def analyse(self, path: Path) -> Analysis:
                return replace(super().analyse(path), space=SpaceId("other", "w", "h"))

        service = SimilarityService(world.catalog, ToyEmbedder(), Other, "cpu")
        with pytest.raises(SpaceMismatch, match=r"toy.*other|other.*toy"):
            service.similar(self.wav(world, 45))


class TestArtists:
    @pytest.fixture(autouse=True)
    def tracks(self, world):
        self.seed = world.add("seed.ogg", 0, artist="Ana")
        for number in range(4):
            world.add(f"ana{number}.ogg", 5 + 5 * number, artist=("Ana", "ÁNA", " ana")[number % 3])
            world.add(f"ben{number}.ogg", 40 + 5 * number, album_artist="Ben")
            world.add(f"none{number}.ogg", 80 + 5 * number)
        world.add("feat.ogg", 60, artist="Ana feat. Ben")

    def test_two_of_each_artist_by_default_the_seeds_own_included(self, world):
        nobody = [f"none{number}" for number in range(4)]
        assert world.names(self.seed) == ["ana0", "ana1", "ben0", "ben1", "feat", *nobody]

    def test_other_limits(self, world):
        nobody = [f"none{number}" for number in range(4)]
        assert world.names(self.seed, per_artist=1) == ["ana0", "ben0", "feat", *nobody]
        assert len(world.names(self.seed, k=99, per_artist=None)) == 13

    def test_without_the_seeds_artist(self, world):
        nobody = [f"none{number}" for number in range(4)]
        assert world.names(self.seed, same_artist=False) == ["ben0", "ben1", "feat", *nobody]

    def test_a_seed_without_artist_shares_it_with_nobody(self, world):
        seed = world.add("unnamed.ogg", 78)
        assert world.names(seed, k=1, same_artist=False) == ["none0"]


class TestFilters:
    @pytest.fixture(autouse=True)
    def tracks(self, world):
        self.seed = world.add("seed.ogg", 0)
        world.add("short.ogg", 10, duration=20, genre="Hip-Hop", predicted="folk")
        world.add("middle.ogg", 20, duration=200, genre="hip hop; Pop", predicted="rock")
        world.add("long.ogg", 30, duration=2000, genre="Chanson Française", predicted="folk")
        world.add("bare.ogg", 40, duration=90)

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"genre": "HIP-HOP"}, ["short", "middle"]),
            ({"genre": "chanson francaise"}, ["long"]),
            ({"genre": "hip"}, []),
            ({"predicted_genre": "Folk"}, ["short", "long"]),
            ({"predicted_genre": "folk", "genre": "hip-hop"}, ["short"]),
            ({"min_duration": 90}, ["middle", "long", "bare"]),
            ({"max_duration": 90}, ["short", "bare"]),
            ({"min_duration": 90, "max_duration": 200}, ["middle", "bare"]),
        ],
        ids=str,
    )
    def test_each(self, world, filters, expected):
        assert world.names(self.seed, **filters) == expected

    def test_a_genre_that_the_network_does_not_know(self, world):
        with pytest.raises(UsageError, match="it knows folk, rock"):
            world.service.similar(self.seed, filters=Filters(predicted_genre="polka"))

    @pytest.mark.parametrize(
        "filters", [{"per_artist": 0}, {"min_duration": 10, "max_duration": 9}], ids=str
    )
    def test_values_that_no_track_can_meet(self, filters):
        with pytest.raises(UsageError):
            Filters(**filters)

    def test_k_below_one(self, world):
        with pytest.raises(UsageError):
            world.service.similar(self.seed, 0)


class TestCopies:
    def test_copies_of_the_seed_and_of_each_other_are_collapsed(self, world):
        seed = world.add("seed.ogg", 0)
        world.add("seed 128k.ogg", COPY, duration=60.5)
        world.add("tune.ogg", 20, duration=100)
        world.add("tune flac.ogg", 20 + COPY, duration=101)
        world.add("tune again.ogg", 20 + 2 * COPY, duration=99.5)
        assert world.names(seed) == ["tune"]
        assert world.names(seed, keep_duplicates=True) == [
            "seed 128k",
            "tune",
            "tune flac",
            "tune again",
        ]

    def test_another_length_or_a_little_distance_is_another_recording(self, world):
        seed = world.add("seed.ogg", 0, duration=100)
        world.add("radio edit.ogg", COPY, duration=97)
        world.add("karaoke.ogg", 4, duration=100)
        assert world.names(seed) == ["radio edit", "karaoke"]

    def test_a_copy_that_the_filters_drop_does_not_hide_the_one_they_keep(self, world):
        seed = world.add("seed.ogg", 0)
        world.add("untagged.ogg", 20, duration=100)
        world.add("tagged.ogg", 20 + COPY, duration=100, genre="Rock")
        assert world.names(seed, genre="rock") == ["tagged"]

    def test_a_copy_does_not_use_up_its_artists_places(self, world):
        seed = world.add("seed.ogg", 0)
        for number in range(3):
            world.add(f"one {number}.ogg", 20 + COPY * number, duration=100, artist="Ana")
        world.add("two.ogg", 40, duration=100, artist="Ana")
        assert world.names(seed) == ["one 0", "two"]

    def test_limits(self):
        one = Recording(np.array([1, 0], np.float32), 100.0)
        near = np.array([np.cos(0.01), np.sin(0.01)], np.float32)
        far = np.array([np.cos(0.03), np.sin(0.03)], np.float32)
        assert same_sound(one, Recording(near, 102.0))
        assert not same_sound(one, Recording(near, 102.1))
        assert not same_sound(one, Recording(far, 100.0))
        assert not same_sound(one, Recording(np.zeros(2, np.float32), 100.0))


@dataclass
class Crowd:
    """Enough tracks for neighbourhoods."""

    service: SimilarityService
    tracks: list[Track]

    @staticmethod
    def distance(one: Track, other: Track) -> float:
        """In degrees."""
        return abs(float(Path(one.path).stem) - float(Path(other.path).stem))

    def scores(self, seed_at: int, ranking: str) -> np.ndarray:
        """Of all tracks with one, as `evaluate` would have them."""
        compared = self.service.index().comparable(ranking)
        if ranking == "cosine":
            return compared @ compared[seed_at]
        scores = (compared.database_vectors @ compared.query_vectors[seed_at]).astype(np.float64)
        scores[compared.pinned_first[seed_at]] = (
            scores.max() + 1e-9
        )  # first, and as good as the best
        return scores


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, empty_database):
    """200 tracks at uneven steps on an arc; their paths say where."""
    path = tmp_path_factory.mktemp("crowd") / "crowd.db"
    shutil.copy(empty_database, path)
    random = np.random.default_rng(0)
    with Catalog.open(str(path)) as catalog:
        library, _ = catalog.scope_of(path.parent)
        with catalog.writing() as write:
            for number in range(200):
                angle = 0.4 * number + random.uniform(0, 0.2)
                stat = FileStat(f"{angle:.6f}.ogg", 1, 1)
                tags = Tags(artist=f"artist {random.integers(20)}")
                analysed = analysis(angle, duration=float(random.uniform(10, 300)))
                write.analysed(library, stat, str(number), tags, analysed, "test")
        embedder = ToyEmbedder()
        no_copies = DuplicateDetector(threshold=1.1)
        service = SimilarityService(catalog, embedder, lambda: embedder, "cpu", no_copies)
        yield Crowd(service, list(catalog.all_tracks()))


@settings(max_examples=30, deadline=None)
@given(
    k=st.integers(1, 120),
    seed_at=st.integers(0, 199),
    shortest=st.integers(0, 310),
    per_artist=st.sampled_from([None, 1, 2, 50]),
    ranking=st.sampled_from(["reranked", "cosine"]),
)
def test_never_fewer_than_could_be_had(crowd, k, seed_at, shortest, per_artist, ranking):
    """However few tracks pass, the search widens until it has them, in the right order."""
    seed = crowd.tracks[seed_at]
    scores = crowd.scores(seed_at, ranking)
    wanted, counts = [], {}
    for place in np.argsort(-scores, kind="stable"):
        track = crowd.tracks[place]
        if track.id != seed.id and track.duration >= shortest:
            counts[track.artist] = counts.get(track.artist, 0) + 1
            if per_artist is None or counts[track.artist] <= per_artist:
                wanted.append(float(scores[place]))

    filters = Filters(min_duration=shortest, per_artist=per_artist)
    found = crowd.service.similar(seed.id, k, filters, ranking)
    assert len(found) == min(k, len(wanted))
    np.testing.assert_allclose([n.score for n in found], wanted[:k], atol=1e-5)
    away = [np.radians(crowd.distance(n.track, seed)) for n in found]
    np.testing.assert_allclose([n.similarity for n in found], np.cos(away), atol=1e-5)


def test_the_default_is_by_neighbourhood(crowd):
    seed = crowd.tracks[60]
    both = [crowd.service.similar(seed.id, 20, ranking=r) for r in ("reranked", "cosine")]
    assert [n.score for n in crowd.service.similar(seed.id, 20)] == [n.score for n in both[0]]
    assert [n.track.id for n in both[0]] != [n.track.id for n in both[1]]
    assert [n.score for n in both[1]] == [n.similarity for n in both[1]]
    away = [crowd.distance(n.track, seed) for n in both[1]]
    assert away == sorted(away)
    with pytest.raises(UsageError, match="reranked or cosine"):
        crowd.service.similar(seed.id, ranking="loudness")


def test_a_copy_from_outside_finds_its_track_first(crowd):
    for track in crowd.tracks:
        analysed = Embedding(direction(float(Path(track.path).stem)) / 3, ToyEmbedder.space)
        best, second = crowd.service.similar(analysed, 2)
        assert best.track.id == track.id
        assert best.similarity == pytest.approx(1, abs=1e-6)
        assert best.score >= second.score


def test_a_missing_track_of_many_is_asked_about_as_one_from_outside(crowd):
    seed = crowd.tracks[100]
    similar = crowd.service.similar(seed.id, 30)
    with crowd.service.catalog.writing() as write:
        write.missing([seed.id])
    try:
        found = crowd.service.similar(seed.id, 30)
        assert seed.id not in {n.track.id for n in found}
        assert len({n.track.id for n in found} & {n.track.id for n in similar}) > 20
    finally:
        with crowd.service.catalog.writing() as write:
            write.found_again([seed.id])


class TestIndexFile:
    def test_it_is_written_once_and_used_by_the_next_service(self, world):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        assert world.names(seed) == ["b"]
        (path,) = world.folder.glob("toy.*.index")
        written = path.stat().st_mtime_ns

        class Refuses(ToyEmbedder):
            def project(self, activations: np.ndarray) -> np.ndarray:
                assert len(activations) == 1, "the index was built again"
                return super().project(activations)

        service = SimilarityService(world.catalog, Refuses(), ToyEmbedder, "cpu")
        assert [n.track.path for n in service.similar(seed)] == ["b.ogg"]
        assert path.stat().st_mtime_ns == written

    def test_a_changed_catalogue_is_seen_at_once(self, world):
        seed = world.add("a.ogg", 0)
        far = world.add("far.ogg", 90)
        assert world.names(seed) == ["far"]
        near = world.add("near.ogg", 20)
        assert world.names(seed) == ["near", "far"]
        with world.catalog.writing() as write:
            write.missing([near])
        assert world.names(seed) == ["far"]
        with world.catalog.writing() as write:
            write.found_again([near])
            library, _ = world.catalog.scope_of(world.folder / "music")
            write.failed(library, FileStat("far.ogg", 2, 2), "unreadable", "no sound in it")
        assert world.names(seed) == ["near"]
        assert world.catalog.track(far).state == "failed"

    @pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other catalogue"])
    def test_a_bad_file_is_replaced(self, world, damage):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        assert world.names(seed) == ["b"]
        (path,) = world.folder.glob("toy.*.index")
        whole = path.read_bytes()
        if damage == "other catalogue":
            index = FaissIndex.load(path)
            index.state = replace(index.state, catalog="another")
            index.save(path)
        else:
            middle = len(whole) // 2
            flipped = whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :]
            path.write_bytes({"truncated": whole[:-9], "flipped": flipped, "empty": b""}[damage])
        service = SimilarityService(world.catalog, ToyEmbedder(), ToyEmbedder, "cpu")
        assert [n.track.path for n in service.similar(seed)] == ["b.ogg"]
        assert path.read_bytes() == whole

    def test_a_file_of_an_older_version_is_replaced_without_a_word(
        self, world, caplog, monkeypatch
    ):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        monkeypatch.setattr(index_file, "FORMAT", "recsys-index-1")
        assert world.names(seed) == ["b"]
        (path,) = world.folder.glob("toy.*.index")
        old = path.read_bytes()
        monkeypatch.undo()
        service = SimilarityService(world.catalog, ToyEmbedder(), ToyEmbedder, "cpu")
        assert [n.track.path for n in service.similar(seed)] == ["b.ogg"]
        assert path.read_bytes() != old
        assert FaissIndex.load(path).ids.tolist() == [1, 2]
        assert caplog.text == ""

    def test_a_folder_that_cannot_be_written_costs_only_time(self, world, caplog):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        state = world.catalog.state()
        world.service.catalog_index.path(state).mkdir()  # a folder where the file should be
        assert world.names(seed) == ["b"]
        assert "cannot be saved" in caplog.text

    def test_one_bad_vector_harms_no_other_track(self, world, caplog):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        world.add("bad.ogg", float("nan"))
        assert world.names(seed) == ["b"]
        assert "1 tracks have no usable embedding" in caplog.text

    def test_another_active_space_is_told(self, world):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        other = SpaceId("other", "w", "h")
        world.catalog.set_active(other, {})
        world.add("c.ogg", 30, space=other)
        with pytest.raises(SpaceMismatch):
            world.service.similar(seed)


def test_an_empty_catalogue_says_what_to_do(world, tmp_path):
    with pytest.raises(CatalogError, match="recsys ingest FOLDER"):
        world.service.similar("anything")
    with pytest.raises(CatalogError, match="recsys ingest FOLDER"):
        SimilarityService.open(str(tmp_path / "new.db"))


def test_a_catalogued_track_is_asked_about_without_torch(world):
    seed = world.add("a.ogg", 0)
    world.add("b.ogg", 20)
    code = f"""
import sys
from types import SimpleNamespace
import numpy as np
from recommender.catalog import Catalog
from recommender.embedding.projection import Projection
from recommender.recommendation.service import SimilarityService
catalog = Catalog.open({str(world.folder / "toy.db")!r})
projection = Projection(np.zeros(2, np.float32), np.eye(2, dtype=np.float32))
projector = SimpleNamespace(space=catalog.active_space(), project=projection.apply)
found = SimilarityService(catalog, projector, None).similar({seed})
heavy = ("torch", "librosa", "soundfile", "pandas", "alembic")
print([n.track.path for n in found], [m for m in heavy if m in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['b.ogg'] []"
