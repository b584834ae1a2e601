"""From a file to its embedding: what must not move it, what must be refused.

Bounds hold for any weights that learned something; where a number would depend on the weights, the
test compares with another change of the same sound instead.
"""

import io
from pathlib import Path

import numpy as np
import pytest
import sounds
import torch
import toy_models

from recommender.audio.reader import AudioClip, read_whole, read_windows
from recommender.audio.windows import Windowing
from recommender.embedding.embedder import Embedder
from recommender.embedding.model_files import find_model
from recommender.errors import FileVanished, NotFinite, SpaceMismatch
from recommender.features.descriptors import DIMENSION, describe
from recommender.features.log_mel import FrontEnd, centre_crop, log_mel, standardised
from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import load_tracks
from recommender.research.model_building.trained_model import model_activations

RATE = 44_100
ANALYSED_RATE = 22_050


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load()


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def beats(seconds: float, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Decaying chords over a beat of noise, like music: np.ndarray [shape=(n,)], float32."""
    generator = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    chord = generator.choice(np.arange(40, 72), 3, replace=False)
    tones = sum(
        np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * k * time) / k**1.5
        for note in chord
        for k in range(1, 9)
    )
    hits = np.exp(-20 * (time % 0.25)) * generator.normal(0, 0.1, len(time))
    return (0.1 * tones * np.exp(-2 * (time % 1)) + hits).astype(np.float32)


class TestAnalyse:
    def test_fields(self, embedder, tmp_path) -> None:
        path = sounds.write_sound(tmp_path / "piece.flac", beats(45))
        analysis = embedder.analyse(path)
        assert analysis.duration == pytest.approx(45)
        assert analysis.windows == tuple((start, 10.0) for start in embedder.windowing.starts(45))
        assert len(analysis.windows) == embedder.windowing.count
        assert tuple(analysis.genre_probabilities) == embedder.labels
        assert sum(analysis.genre_probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert min(analysis.genre_probabilities.values()) >= 0
        assert analysis.activations.shape == find_model().projection().mean.shape
        assert analysis.activations.dtype == np.float32
        assert analysis.space == embedder.space.unprojected != embedder.space

    def test_embedding_is_the_projected_analysis(self, embedder, tmp_path) -> None:
        path = sounds.write_sound(tmp_path / "piece.wav", beats(12))
        embedding = embedder.embed(path)
        analysis = embedder.analyse(path)
        np.testing.assert_array_equal(
            embedding.vector, embedder.project(analysis.activations[None])[0]
        )
        assert embedding.space == embedder.space
        assert embedding.similarity(embedding) == pytest.approx(1, abs=1e-5)

    def test_paths_text_and_file_objects_are_one_sound(self, embedder, tmp_path) -> None:
        path = sounds.write_sound(tmp_path / "piece.flac", beats(12))
        with path.open("rb") as file:
            given = [path, str(path), file, io.BytesIO(path.read_bytes())]
            found = list(embedder.embed_many(given))
        assert len({embedding.vector.tobytes() for embedding in found}) == 1
        assert {embedding.space for embedding in found} == {embedder.space}

    def test_many_are_embedded_one_by_one(self, embedder, tmp_path) -> None:
        path = sounds.write_sound(tmp_path / "piece.wav", beats(12))
        found = embedder.embed_many(iter([path, tmp_path / "absent.wav"]))
        assert next(found).vector.tobytes() == embedder.embed(path).vector.tobytes()
        with pytest.raises(FileVanished):
            next(found)

    def test_twice_is_bit_equal(self, embedder, tmp_path) -> None:
        path = sounds.write_sound(tmp_path / "piece.ogg", beats(31))
        first, again, anew = (who.analyse(path) for who in (embedder, embedder, Embedder.load()))
        assert first.activations.tobytes() == again.activations.tobytes()
        assert first.activations.tobytes() == anew.activations.tobytes()
        assert first.genre_probabilities == again.genre_probabilities == anew.genre_probabilities


class TestDescriptors:
    @pytest.mark.parametrize("networks", [0, 1])
    def test_follow_the_networks_and_are_of_the_windows_pooled(self, networks, tmp_path) -> None:
        path = sounds.write_sound(tmp_path / "piece.wav", beats(45))
        weights = toy_models.with_descriptors(tmp_path / "model", networks)
        embedder = Embedder(weights)
        analysis = embedder.analyse(path)
        windows = read_windows(path, embedder.windowing, ANALYSED_RATE).clips
        decibels = [mel.values for mel in log_mel(windows, embedder.front_end)]
        np.testing.assert_array_equal(analysis.activations[-DIMENSION:], describe(decibels))
        before = analysis.activations[:-DIMENSION]
        if networks:
            (network,) = weights.networks()
            crop = centre_crop(decibels[0].shape[1], weights.card.network_frames)
            crops = [standardised(window[:, crop]) for window in decibels]
            batch = torch.from_numpy(np.stack(crops))
            with torch.no_grad():
                expected = network.activations(batch).mean(dim=0).numpy()
            np.testing.assert_allclose(before, expected, atol=1e-4)
        else:
            assert not len(before)
        expected = weights.head().probabilities(analysis.activations[None])[0]
        found = np.array(list(analysis.genre_probabilities.values()), np.float32)
        np.testing.assert_array_equal(found, expected)
        assert expected.max() > 0.11  # the head is no shrug

    def test_short_clips_and_absurd_samples(self, tmp_path) -> None:
        embedder = Embedder(toy_models.with_descriptors(tmp_path / "model", 0))
        short = embedder.analyse(sounds.write_sound(tmp_path / "short.wav", beats(1.5)))
        assert np.isfinite(short.activations).all()
        path = sounds.write_float_wav(tmp_path / "huge.wav", beats(12) * np.float32(1e25))
        with pytest.raises(NotFinite, match="export it again"):
            embedder.analyse(path)

    def test_windows_shorter_than_a_segment_are_repeated(self, tmp_path) -> None:
        weights = toy_models.with_descriptors(tmp_path / "model", 1)
        usual, brief = Embedder(weights), Embedder(weights, Windowing(count=2, seconds=4.0))
        path = sounds.write_sound(tmp_path / "piece.wav", beats(12))
        assert np.isfinite(brief.analyse(path).activations).all()
        assert brief.space.analysis != usual.space.analysis


class TestNetworkFrames:
    def test_networks_get_the_centre_of_windows_and_descriptors_all(self, tmp_path) -> None:
        files = toy_models.with_descriptors(tmp_path / "model", networks=1)
        whole = Embedder(toy_models.with_card(files.folder, network_frames=0))
        generator = np.random.default_rng(0)
        windows = list(generator.normal(0, 10, (2, 128, 130)).astype(np.float32))
        middles = [window[:, 32:97] for window in windows]
        part = Embedder(toy_models.with_card(files.folder, network_frames=65))
        found, _ = part.analyse_spectrograms(windows)
        networks = slice(0, -DIMENSION)
        (of_middles,) = whole._network_activations(middles)
        np.testing.assert_allclose(found[networks], of_middles, rtol=1e-5, atol=1e-6)
        of_whole, _ = whole.analyse_spectrograms(windows)
        np.testing.assert_array_equal(found[-DIMENSION:], of_whole[-DIMENSION:])
        assert not np.allclose(found[networks], of_whole[networks], rtol=1e-2)
        assert part.space.weights != whole.space.weights
        assert part.space.analysis == whole.space.analysis


class TestWhatDoesNotMoveIt:
    @pytest.fixture
    def analysed(self, embedder, tmp_path):
        def analyse(samples: np.ndarray, name: str = "piece.wav", channels: int = 1) -> np.ndarray:
            path = sounds.write_sound(tmp_path / name, samples, channels=channels)
            return embedder.embed(path).vector

        return analyse

    def test_lossless_formats(self, analysed) -> None:
        wav, *others = (
            analysed(beats(31), name) for name in ("a.wav", "a.flac", "a.aiff", "a.au", "a.m4a")
        )
        assert all(cosine(wav, other) > 0.9999 for other in others[:3])
        assert cosine(wav, others[3]) > cosine(wav, analysed(beats(31, seed=1)))  # aac

    def test_channels(self, analysed) -> None:
        assert cosine(analysed(beats(31)), analysed(beats(31), channels=2)) > 0.9999

    @pytest.mark.parametrize("decibels", [-12, 6])
    def test_loudness(self, analysed, decibels: float) -> None:
        assert cosine(analysed(beats(31)), analysed(beats(31) * 10 ** (decibels / 20))) > 0.999

    def test_loudness_of_floats_far_beyond_full_scale(self, embedder, tmp_path) -> None:
        usual, huge = (
            embedder.embed(sounds.write_float_wav(tmp_path / "float.wav", gain * beats(12)))
            for gain in (np.float32(1), np.float32(1e9))
        )
        assert usual.similarity(huge) > 0.999


class TestShortClips:
    """Four seconds are repeated, as a spectrogram, to the ten that the network is used to."""

    SECONDS = 4.0

    @pytest.fixture
    def distances(self, embedder, tmp_path):
        def of(*variants: np.ndarray) -> list[float]:
            """Distance of each embedding from that of the short clip."""
            short = embedder.embed(sounds.write_sound(tmp_path / "short.wav", beats(self.SECONDS)))
            return [
                float(np.linalg.norm(short.vector - embedder.embed(path).vector))
                for path in (
                    sounds.write_sound(tmp_path / f"{i}.wav", samples)
                    for i, samples in enumerate(variants)
                )
            ]

        return of

    def test_padding_moves_it_far_less_than_silence_or_other_music(self, distances) -> None:
        short = beats(self.SECONDS)
        looped = np.tile(short, 3)[: 10 * RATE]
        zeros = np.concatenate([short, np.zeros(10 * RATE - len(short), np.float32)])
        to_looped, to_zeros, to_other = distances(looped, zeros, beats(10, seed=1))
        assert to_looped < 0.3  # cosine above 0.95
        assert to_looped < to_zeros / 3
        assert to_looped < to_other / 2  # of the same instruments

    def test_padded_is_close_to_the_frames_alone(self, embedder, tmp_path) -> None:
        path = sounds.write_sound(tmp_path / "short.wav", beats(self.SECONDS))
        analysis = embedder.analyse(path)
        assert analysis.windows == ((0.0, self.SECONDS),)
        (mel,) = log_mel([read_whole(path)], embedder.front_end)
        frames = torch.from_numpy(standardised(mel.values))[None]
        assert frames.shape[2] < embedder.front_end.frames(embedder.windowing.seconds) / 2
        with torch.no_grad():
            bare = find_model().networks()[0].activations(frames)[0].numpy()
        assert cosine(analysis.activations[: len(bare)], bare) > 0.99


class TestSpaces:
    def test_another_windowing_is_another_space(self, embedder, tmp_path) -> None:
        other = Embedder.load(windowing=Windowing(count=embedder.windowing.count + 1))
        assert other.space.analysis != embedder.space.analysis
        assert other.space.weights == embedder.space.weights
        path = sounds.write_sound(tmp_path / "piece.wav", beats(12))
        with pytest.raises(SpaceMismatch, match="recsys ingest"):
            embedder.embed(path).similarity(other.embed(path))

    def test_the_windowing_of_the_card_is_the_default(self, embedder) -> None:
        named = Embedder.load(windowing=Windowing(**find_model().card.windowing))
        assert named.space == embedder.space


class TestProject:
    def test_rows_are_unit_vectors_of_each_row_alone(self, embedder) -> None:
        dimensions = len(find_model().projection().mean)
        activations = np.random.default_rng(0).normal(size=(20, dimensions)).astype(np.float32)
        rows = embedder.project(activations)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        alone = np.concatenate([embedder.project(row[None]) for row in activations])
        np.testing.assert_allclose(rows, alone, atol=1e-5)


class TestNotFinite:
    """Finite samples whose power is not: nothing that is not finite may reach a catalogue."""

    @pytest.mark.parametrize("gain", [1e19, 1e25, 1e37])
    def test_absurdly_large_samples_are_refused(self, embedder, tmp_path, gain: float) -> None:
        samples = beats(12) * np.float32(gain)
        assert np.isfinite(samples).all()
        path = sounds.write_float_wav(tmp_path / "huge.wav", samples)
        with pytest.raises(NotFinite, match="export it again"):
            embedder.analyse(path)

    def test_one_bad_window_spoils_the_track(self, embedder) -> None:
        clips = [beats(10, seed, ANALYSED_RATE) for seed in range(3)]
        clips[1] = clips[1] * np.float32(1e25)
        with pytest.raises(NotFinite):
            embedder.analyse_clips(tuple(AudioClip(clip, ANALYSED_RATE) for clip in clips))


class TestStoredSpectrograms:
    """Measured by tests/experiments/serving.py; the bounds leave two or three times the room."""

    def test_served_files_resemble_what_was_trained_on(self, embedder, shared: Path) -> None:
        data = gtzan.load(shared / "gtzan" / "gtzan_logmel.npz")
        files = sorted(p for p in (shared / "gtzan" / "audio").rglob("*") if p.is_file())
        twins = data.select([path.stem for path in files])
        split = load_tracks(data, [data.track_ids[i] for i in twins])
        card, networks = find_model().card, find_model().networks()
        frames = FrontEnd(**card.front_end).frames(card.windowing["seconds"])
        lengths = [frames] * len(networks)
        stored = model_activations(
            networks, lengths, split, card.descriptors, card.network_frames
        ).tracks
        analysed = [embedder.analyse(path) for path in files]
        served = np.stack([analysis.activations for analysis in analysed])

        bare = [cosine(one, other) for one, other in zip(served, stored, strict=True)]
        assert min(bare) > 0.96
        projected = embedder.project(served) @ embedder.project(stored).T
        assert np.median(projected.diagonal()) > 0.95
        assert projected.diagonal().min() > 0.88
        assert (projected.argmax(axis=1) == np.arange(len(files))).all()

        served_shares = np.array(
            [list(analysis.genre_probabilities.values()) for analysis in analysed]
        )
        shares = find_model().head().probabilities(stored)
        apart = np.abs(served_shares - shares).sum(axis=1) / 2
        assert apart.max() < 0.3
