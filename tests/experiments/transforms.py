"""Does a track find itself when its sound was changed a little?

Copies of sound files, each changed one way, ask a gallery of GTZAN's 1,000 stored tracks and the
files of SHARED/music as analysed. Printed is the share of copies whose nearest neighbour is the
original (for SHARED/music: or its other bit rate, ``X.hq.ogg`` beside ``X.ogg``): the nearest leads
every list of recommendations, too (`recommender.search.reranking`). Apart: the sound
files of SHARED/gtzan/audio that the model was trained on and those it was not, whose originals are
their stored spectrograms, and SHARED/music, of which the first `--seconds` are analysed, in the
gallery as in the copies.

    OMP_NUM_THREADS=1 python tests/experiments/transforms.py --shared SHARED [--model NAME …]
        [--write FOLDER]

Without --model: the shipped models that were not trained on the test tracks.

Changes: none (analysed from sound); mp3 at 64 kbit/s (mono, 44,100 Hz, LAME); 9 dB softer; a
semitone up and down; 5 % faster and slower (both by librosa's phase vocoder); 8 kHz low-pass
(Butterworth, eighth order).
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import librosa
import numpy as np
import scipy.signal
import soxr
import torch
from stored import judged, outputs

from recommender.audio.reader import AudioClip, read_whole
from recommender.embedding.embedder import Embedder
from recommender.embedding.model_files import find_model
from recommender.errors import AudioError
from recommender.features.log_mel import FrontEnd
from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import load_tracks
from recommender.utils.arrays import FloatArray

ENDINGS = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".au", ".aiff", ".wma"}
MP3_RATE = 44_100

Change = Callable[[FloatArray, int], FloatArray]
"""Mono samples [n] at a rate in Hz to changed ones at the same rate."""


def unchanged(samples: FloatArray, rate: int) -> FloatArray:
    return samples


def through_mp3(samples: FloatArray, rate: int) -> FloatArray:
    """Encoded with LAME at 64 kbit/s, and analysed again."""
    loud = np.clip(soxr.resample(samples, rate, MP3_RATE), -1, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.mp3"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libmp3lame", rate=MP3_RATE)
            stream.bit_rate, stream.layout = 64_000, "mono"
            frame = av.AudioFrame.from_ndarray(loud[None].astype(np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = MP3_RATE, 0, Fraction(1, MP3_RATE)
            container.mux([*stream.encode(frame), *stream.encode(None)])
        return read_whole(path, rate).samples


def softer(samples: FloatArray, rate: int) -> FloatArray:
    return samples * np.float32(10 ** (-9 / 20))


def shifted(samples: FloatArray, rate: int, semitones: int) -> FloatArray:
    return librosa.effects.pitch_shift(samples, sr=rate, n_steps=semitones, res_type="soxr_hq")


def stretched(samples: FloatArray, rate: int, faster: float) -> FloatArray:
    return librosa.effects.time_stretch(samples, rate=faster)


def low_passed(samples: FloatArray, rate: int) -> FloatArray:
    sections = scipy.signal.butter(8, 8_000, fs=rate, output="sos")
    return scipy.signal.sosfiltfilt(sections, samples).astype(np.float32)


CHANGES: dict[str, Change] = {
    "none": unchanged,
    "mp3, 64 kbit/s": through_mp3,
    "9 dB softer": softer,
    "a semitone up": partial(shifted, semitones=1),
    "a semitone down": partial(shifted, semitones=-1),
    "5 % faster": partial(stretched, faster=1.05),
    "5 % slower": partial(stretched, faster=0.95),
    "8 kHz low-pass": low_passed,
}


@dataclass(frozen=True)
class Original:
    """A file that copies are made of: its samples, what its original is called, its group."""

    clip: AudioClip
    name: str
    group: str


def embedded(embedder: Embedder, clip: AudioClip) -> FloatArray:
    """Unit vector of samples analysed through the windows that a file gets, [p]."""
    length = round(embedder.windowing.seconds * clip.sample_rate)
    firsts = [int(s * clip.sample_rate) for s in embedder.windowing.starts(clip.duration)]
    pieces = [AudioClip(clip.samples[p : p + length], clip.sample_rate) for p in firsts]
    sounding = tuple(piece for piece in pieces if np.abs(piece.samples).max() > 0)
    return embedder.project(embedder.analyse_clips(sounding)[0][None])[0]


def gtzan_files(folder: Path, rate: int) -> list[Original]:
    """GTZAN's sound files, by whether they are of the training split."""
    learned = set(gtzan.split_ids("filtered", "train"))
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    return [
        Original(
            read_whole(path, rate),
            path.stem,
            "GTZAN, trained on" if path.stem in learned else "GTZAN, not trained on",
        )
        for path in files
    ]


def music_files(folder: Path, rate: int, seconds: float) -> list[Original]:
    """The beginnings of a music folder's files; two bit rates of a recording have one name."""
    originals = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS):
        try:
            samples = read_whole(path, rate).samples[: round(seconds * rate)]
        except AudioError as error:
            print(f"not analysed: {path.relative_to(folder)}: {error}")
            continue
        name = str(path.relative_to(folder)).removesuffix(path.suffix).removesuffix(".hq")
        originals.append(Original(AudioClip(samples, rate), name, "music"))
    return originals


@dataclass(frozen=True, eq=False)
class Gallery:
    """A model, and the tracks among which it finds the originals of copies.

    Attributes:
        embedder: the model.
        vectors: unit vectors [n, p] of the stored tracks and of the music as analysed.
        names: of each.
    """

    embedder: Embedder
    vectors: FloatArray
    names: list[str]

    @classmethod
    def of(cls, model: str, data: gtzan.Gtzan, music: list[Original]) -> "Gallery":
        embedder = Embedder(find_model(model))
        found = np.stack([embedded(embedder, original.clip) for original in music])
        stored, _ = outputs(find_model(model), load_tracks(data, data.track_ids))
        names = [*data.track_ids, *(original.name for original in music)]
        return cls(embedder, np.concatenate([stored, found]), names)

    def nearest(self, copy: AudioClip) -> str:
        """Name of the nearest neighbour."""
        return self.names[int((self.vectors @ embedded(self.embedder, copy)).argmax())]


Outcomes = dict[str, dict[str, list[bool]]]
"""Change → group → whether each copy's nearest neighbour is its original."""


def outcomes(galleries: dict[str, Gallery], originals: list[Original]) -> dict[str, Outcomes]:
    """Of each model, by name."""
    found: dict[str, Outcomes] = {model: {change: {} for change in CHANGES} for model in galleries}
    for original in originals:
        rate = original.clip.sample_rate
        for name, change in CHANGES.items():
            copy = AudioClip(change(original.clip.samples, rate), rate)
            for model, where in galleries.items():
                hits = found[model][name].setdefault(original.group, [])
                hits.append(where.nearest(copy) == original.name)
    return found


def show(model: str, gallery: Gallery, found: Outcomes, groups: list[str]) -> None:
    """Print a table."""
    print(f"\n{model}: nearest of {len(gallery.vectors)} is the original\n")
    print("| change | " + " | ".join(groups) + " |\n|" + (1 + len(groups)) * "---|")
    for change, by_group in found.items():
        cells = [f"{sum(by_group[g])}/{len(by_group[g])}" for g in groups]
        print(f"| {change} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder with gtzan/ and music/")
    parser.add_argument("--model", action="append", help="name or folder; may be repeated")
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="analysed of SHARED/music's files"
    )
    parser.add_argument("--write", type=Path, help="folder for the figures, MODEL.json each")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rate = FrontEnd().sample_rate
    data = gtzan.load(args.shared / "gtzan" / "gtzan_logmel.npz")
    music = music_files(args.shared / "music", rate, args.seconds)
    galleries = {name: Gallery.of(name, data, music) for name in judged(args.model)}
    originals = [*gtzan_files(args.shared / "gtzan" / "audio", rate), *music]
    groups = sorted({original.group for original in originals})
    for model, found in outcomes(galleries, originals).items():
        show(model, galleries[model], found, groups)
        if args.write:
            plain = {
                change: {
                    g: {"found": sum(hits), "queries": len(hits)} for g, hits in by_group.items()
                }
                for change, by_group in found.items()
            }
            content = {"gallery": len(galleries[model].vectors), "changes": plain}
            args.write.mkdir(parents=True, exist_ok=True)
            (args.write / f"{Path(model).name}.json").write_text(
                json.dumps(content, indent=2) + "\n"
            )


if __name__ == "__main__":
    main()
