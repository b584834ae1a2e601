"""What can be queried: ids, paths, words, embeddings, sounds outside the catalogue."""

import io
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile
from mutagen.id3 import TPE1
from mutagen.wave import WAVE
from toy_world import COPY, SPACE, ToyEmbedder, direction

from recommender.embedding.space import Analysis, Embedding, SpaceId
from recommender.errors import (
    AmbiguousTrack,
    EmptyFile,
    SpaceMismatch,
    TrackNotFound,
)
from recommender.recommendation.service import SimilarityService


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

    def test_a_missing_track_can_still_be_a_query(self, world):
        expected = world.names(self.waltz)
        with world.catalog.writing() as write:
            write.missing([self.waltz])
        assert world.names("waltz") == expected

    @pytest.mark.parametrize(
        "query",
        [3.5, None, True, b"polka.ogg", ["polka"], object()],
        ids=lambda q: type(q).__name__,
    )
    def test_other_types_are_refused_with_what_is_accepted(self, world, query):
        with pytest.raises(TypeError, match=r"track id \(int\).*os\.PathLike.*Embedding, not"):
            world.service.similar(query)

    def test_numpy_integers_are_ids(self, world):
        assert world.names(np.int64(self.waltz)) == world.names(self.waltz)

    def test_copies_of_one_recording_are_one_match(self, world):
        world.add("b/waltz.mp3", COPY, duration=60.4, title="Evening Waltz", artist="Ana")
        world.add("c/waltz.flac", 2 * COPY, duration=59.8, title="Evening Waltz", artist="Ana")
        found = world.service.recommend("evening waltz")
        assert found.seed.track == world.catalog.track(self.waltz + 4)  # the first by path
        assert [n.track.title for n in found.neighbours] == ["Polka", "Polka for two", "1999"]
        world.add("live.ogg", 90, duration=60, title="Evening Waltz", artist="Ana")
        with pytest.raises(AmbiguousTrack, match="2 tracks match 'evening waltz'"):
            world.service.similar("evening waltz")

    def test_embedding(self, world):
        unit = direction(19) / 3
        query = Embedding(unit, ToyEmbedder.space)
        assert world.names(query) == ["polka", "slow/waltz", "other", "1999"]

    def test_an_embedding_of_another_space_is_refused(self, world):
        with pytest.raises(SpaceMismatch):
            world.service.similar(Embedding(direction(19) / 3, SPACE))

    def test_a_track_analysed_by_another_model_only(self, world):
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

    def test_a_file_outside_the_catalogue_is_analysed(self, world):
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

    def test_a_file_object_gives_what_its_path_gives(self, world):
        world.add("a.ogg", 0, artist="Björk")
        world.add("b.ogg", 90, artist="Ben")
        path = self.wav(world, 5, artist="BJORK")
        expected = world.names(path, same_artist=False)
        assert expected == ["b"]
        data = path.read_bytes()
        with path.open("rb") as file:
            file.read(10)
            assert world.names(file, same_artist=False) == expected
            assert file.read(10) == data[10:20]  # still open, where it was
        assert world.names(io.BytesIO(data), same_artist=False) == expected
        found = world.service.recommend(io.BytesIO(data))
        assert (found.seed.path, found.seed.artist, found.seed.duration) == (None, "BJORK", 60.0)
        assert found.seed.track is None

    def test_a_text_file_object_is_refused(self, world):
        world.add("a.ogg", 0)
        with pytest.raises(TypeError, match="binary mode"):
            world.service.similar(io.StringIO("x"))

    def test_an_upload_that_cannot_be_analysed_says_so(self, world):
        world.add("a.ogg", 0)
        with pytest.raises(EmptyFile, match="the uploaded sound"):
            world.service.similar(io.BytesIO())

    def test_analysed_in_another_space_it_is_refused(self, world):
        world.add("a.ogg", 0)

        class Other(ToyEmbedder):
            def analyse(self, sound: Path | BinaryIO) -> Analysis:
                return replace(super().analyse(sound), space=SpaceId("other", "w", "h"))

        service = SimilarityService(world.catalog, ToyEmbedder(), Other, "cpu")
        with pytest.raises(SpaceMismatch, match=r"toy.*other|other.*toy"):
            service.similar(self.wav(world, 45))
