"""What musical descriptors cost, and how often they are right.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/bench/descriptors.py \
        [--shared DIR] [--tempi DIR] [--keys DIR] [--show]

- Processor milliseconds a track, beside the floor: decoding of the same windows (the least of
  `--runs` runs over files of DIR/music, or over rendered pieces).
- Tempo (within 4 %; with halves, doubles and thirds allowed) and key (exact; weighted as by MIREX)
  of rendered pieces, whose scores are known, and of GTZAN's tracks in DIR/gtzan/audio, where
  `--tempi` and `--keys` are checkouts of github.com/TempoBeatDownbeat/gtzan_tempo_beat (annotations
  of Marchand & Peeters) and github.com/alexanderlerch/gtzan_key (of Kraft, Lerch & Zölzer).
- Loudness and loudness range against pyloudnorm on the whole of each file of DIR/music.
- Speech and vocals: area under the ROC curve on DIR/music, whose folders say which files are sung
  (songs of two lyrics collections), played or read; a song against its instrumental.
- Genres: median of each descriptor over GTZAN's tracks, as a check of their order.
- `--show`: all descriptors of ten tracks.

Intervals of shares are Wilson's, of areas those of 1,000 bootstraps, both at 95 %.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from recommender.audio.decoder import DecoderError
from recommender.audio.reader import DecodedWindows, read_whole, read_windows
from recommender.audio.windows import Windowing
from recommender.demo import library, styles
from recommender.demo.score import Score
from recommender.embedding.model_files import find_model
from recommender.errors import AudioError
from recommender.musical_descriptors import NAMES, MusicalDescriptors
from recommender.musical_descriptors.extraction import describe_windows
from recommender.musical_descriptors.loudness import loudness_range
from recommender.musical_descriptors.record import MAJOR, MINOR
from recommender.musical_descriptors.spectra import spectra

WINDOWING = Windowing(**find_model("default").card.windowing)
FAMILY = (1, 2, 1 / 2, 3, 1 / 3)
SOUNDS = {".mp3", ".ogg", ".flac", ".wav", ".au"}

READ = ("198-209-0000", "3436-172162-0000", "5703-47212-0000")
NO_MUSIC = ("pibble", "humpback", "robin")
SUNG = ("jamendolyrics/", "ultrastar/", "Karissa_Hobbs")
SHOWN = (
    "tuxemon/Chibi Ninja.ogg",
    "tuxemon/JRPG_town_loop.ogg",
    "tuxemon/JRPG_mysticIsle.ogg",
    "tuxemon/02 - BWV 1007 - Prelude.ogg",
    "opensurge/speed.ogg",
    "librosa/147793__setuniman__sweet-waltz-0i-22mi.hq.ogg",
    "librosa/3436-172162-0000.hq.ogg",
    "jamendolyrics/Fantasma_-_Los_Rombos.mp3",
    "ultrastar/Jonathan Coulton - Code Monkey/audio.ogg",
    "ultrastar/Pornophonique - Space Invaders/audio.mp3",
)

_Result = TypeVar("_Result")
Truth = tuple[MusicalDescriptors, float | None, tuple[int, str] | None]
"""What was found, the true tempo, the true key."""


def main() -> None:
    options = _options()
    print("## Known scores (rendered pieces)\n")
    _print_accuracy(_rendered(options.seeds))
    if options.shared is None:
        return
    music = options.shared / "music"
    files = sorted(file for file in music.rglob("*") if file.suffix in SOUNDS)
    _print_cost(files, options.runs)
    found = {str(file.relative_to(music)): _described(file) for file in files}
    known = {name: one for name, one in found.items() if one is not None}
    _print_loudness(music, known)
    _print_voices(known)
    _print_gtzan(options.shared / "gtzan" / "audio", options.tempi, options.keys)
    if options.show:
        _print_shown(known)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shared", type=Path, help="folder with music/ and gtzan/")
    parser.add_argument("--tempi", type=Path, help="checkout of gtzan_tempo_beat")
    parser.add_argument("--keys", type=Path, help="checkout of gtzan_key")
    parser.add_argument("--seeds", type=int, default=3, help="rendered libraries")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--show", action="store_true", help="ten tracks with all descriptors")
    return parser.parse_args()


def _described(file: Path) -> MusicalDescriptors | None:
    try:
        return describe_windows(read_windows(file, WINDOWING))
    except (AudioError, DecoderError):
        return None


def _print_cost(files: Sequence[Path], runs: int) -> None:
    rows = []
    for file in files[::5]:
        try:
            decoded, decoding = _least(lambda file=file: read_windows(file, WINDOWING), runs)
        except AudioError:
            continue
        _, describing = _least(lambda decoded=decoded: describe_windows(decoded), runs)
        rows.append((len(decoded.clips), decoding, describing))
    full = np.array([row for row in rows if row[0] == max(row[0] for row in rows)])
    print("\n## Cost, processor milliseconds a track\n")
    print("| windows | tracks | decoding (floor), median | descriptors, median | most |")
    print("|---:|---:|---:|---:|---:|")
    print(
        f"| {full[0, 0]:.0f} | {len(full)} | {np.median(full[:, 1]):.0f} | "
        f"{np.median(full[:, 2]):.0f} | {full[:, 2].max():.0f} |"
    )


def _least(work: Callable[[], _Result], runs: int) -> tuple[_Result, float]:
    """The result, and the least processor time in milliseconds."""
    least = np.inf
    for _ in range(runs):
        began = time.process_time()
        result = work()
        least = min(least, time.process_time() - began)
    return result, 1e3 * least


def _rendered(seeds: int) -> dict[str, list[Truth]]:
    """Style → what was found in each piece, with the tempo and the key of its score."""
    found: dict[str, list[Truth]] = defaultdict(list)
    for seed in range(seeds):
        for piece in library.plan(Path()):
            rng = np.random.default_rng([seed, piece.number])
            score = Score(rng, 22_050, float(rng.uniform(30, 36)))
            mix = np.asarray(styles.STYLES[piece.style](score)).mean(axis=0)
            clips = [
                mix[int(start * 22_050) :][:220_500].astype(np.float32)
                for start in WINDOWING.starts(len(mix) / 22_050)
            ]
            mode = MINOR if 3 in score.scale and 4 not in score.scale else MAJOR
            record = describe_windows(_as_decoded(clips))
            found[piece.style].append((record, 60 / score.beat, (score.key % 12, mode)))
    return found


def _as_decoded(clips: Sequence[np.ndarray]) -> DecodedWindows:
    from recommender.audio.reader import AudioClip

    made = tuple(AudioClip(clip, 22_050) for clip in clips)
    return DecodedWindows(made, tuple(range(len(made))), 35.0)


def _print_accuracy(by_group: dict[str, list[Truth]]) -> None:
    print("| | tracks | tempo within 4 % | halves, doubles, thirds allowed | of either candidate |")
    print("|---|---:|---:|---:|---:|")
    everything = [one for group in by_group.values() for one in group]
    groups = {**by_group, "all": everything} if len(by_group) > 1 else by_group
    for name, rows in groups.items():
        known = [(found, tempo) for found, tempo, _ in rows if tempo is not None]
        exact = [_near(found.tempo, tempo, (1,)) for found, tempo in known]
        family = [_near(found.tempo, tempo, FAMILY) for found, tempo in known]
        either = [
            one or _near(found.second_tempo, tempo, (1,))
            for one, (found, tempo) in zip(exact, known, strict=True)
        ]
        shares = " | ".join(_share(hits) for hits in (exact, family, either))
        print(f"| {name} | {len(known)} | {shares} |")
    print("\n| | tracks | key exact | MIREX-weighted | none told |")
    print("|---|---:|---:|---:|---:|")
    for name, rows in groups.items():
        keys = [(found, key) for found, _, key in rows if key is not None]
        scores = [_mirex(found, key) for found, key in keys]
        none = sum(found.key is None for found, _ in keys)
        exact = _share([score == 1 for score in scores])
        print(f"| {name} | {len(keys)} | {exact} | {np.mean(scores):.2f} | {none} |")
    _print_confidence(everything)


def _print_confidence(rows: Iterable[Truth]) -> None:
    """Whether what is said to be sure is right more often."""
    print("\n| confidence | tempo right (family) | key right |")
    print("|---|---:|---:|")
    rows = list(rows)
    for low, high in ((0, 0.4), (0.4, 0.7), (0.7, 1.01)):
        tempi = [
            _near(found.tempo, tempo, FAMILY)
            for found, tempo, _ in rows
            if tempo and found.tempo and low <= (found.tempo_confidence or 0) < high
        ]
        keys = [
            _mirex(found, key) == 1
            for found, _, key in rows
            if key and found.mode and low <= (found.key_confidence or 0) < high
        ]
        print(f"| {low:.1f} to {min(high, 1):.1f} | {_share(tempi)} | {_share(keys)} |")


def _near(found: float | None, true: float, ratios: Sequence[float]) -> bool:
    return found is not None and any(abs(found / (true * by) - 1) < 0.04 for by in ratios)


def _mirex(found: MusicalDescriptors, key: tuple[int, str]) -> float:
    """1 for the key, .5 a fifth away, .3 for the relative, .2 for the parallel one."""
    if found.key is None or found.mode is None:
        return 0.0
    apart, same = (found.key - key[0]) % 12, found.mode == key[1]
    if same:
        return {0: 1.0, 5: 0.5, 7: 0.5}.get(apart, 0.0)
    relative = 9 if key[1] == MAJOR else 3
    return {relative: 0.3, 0: 0.2}.get(apart, 0.0)


def _share(hits: Sequence[bool]) -> str:
    """A share with Wilson's interval."""
    count = len(hits)
    if not count:
        return "–"
    share, z = sum(hits) / count, 1.96
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return f"{share:.2f} ({centre - half:.2f}–{centre + half:.2f})"


def _print_loudness(music: Path, known: dict[str, MusicalDescriptors]) -> None:
    try:
        import pyloudnorm
        import soundfile
    except ImportError as error:
        print(f"\nLoudness is left out: {error}.")
        return
    errors, ranges = [], []
    for name, one in known.items():
        samples, rate = soundfile.read(music / name)
        if one.loudness is None or len(samples) < 4 * rate:
            continue
        whole = pyloudnorm.Meter(rate).integrated_loudness(samples)
        if np.isfinite(whole):
            errors.append(one.loudness - whole)
        range_of_whole = loudness_range([spectra(read_whole(music / name).samples).weighted])
        if one.loudness_range is not None and range_of_whole is not None:
            ranges.append(one.loudness_range - range_of_whole)
    print("\n## Loudness of the windows against whole files\n")
    print("| | files | mean error | median of amounts | 90 % within | worst |")
    print("|---|---:|---:|---:|---:|---:|")
    for what, values in (("loudness, LU", errors), ("loudness range, LU", ranges)):
        amounts = np.abs(values)
        print(
            f"| {what} | {len(values)} | {np.mean(values):+.2f} | {np.median(amounts):.2f} | "
            f"{np.percentile(amounts, 90):.2f} | {amounts.max():.2f} |"
        )


def _print_voices(known: dict[str, MusicalDescriptors]) -> None:
    names = [n for n in known if not any(part in n for part in NO_MUSIC)]
    read = {n for n in names if any(part in n for part in READ)}
    sung = {n for n in names if any(part in n for part in SUNG) and "instrumental" not in n}
    print("\n## Voices\n\n| | positive | negative | area under the curve |\n|---|---:|---:|---:|")
    for what, name, positive, among in (
        ("speech", "speech", read, names),
        ("vocals, music alone", "vocals", sung, [n for n in names if n not in read]),
    ):
        told = [n for n in among if getattr(known[n], name) is not None]
        values = np.array([getattr(known[n], name) for n in told])
        is_one = np.array([n in positive for n in told])
        print(f"| {what} | {is_one.sum()} | {(~is_one).sum()} | {_area(values, is_one)} |")
    for name in sorted(known):
        if "Space Invaders" in name:
            print(f"\n{name}: vocals {known[name].vocals}")


def _area(values: np.ndarray, is_one: np.ndarray) -> str:
    rng = np.random.default_rng(0)

    def area(chosen: np.ndarray) -> float:
        ones, others = values[chosen][is_one[chosen]], values[chosen][~is_one[chosen]]
        if not len(ones) or not len(others):
            return float("nan")
        above = (ones[:, None] > others).mean() + 0.5 * (ones[:, None] == others).mean()
        return float(above)

    every = np.arange(len(values))
    drawn = [area(rng.choice(every, len(every))) for _ in range(1_000)]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return f"{area(every):.3f} ({low:.2f}–{high:.2f})"


def _print_gtzan(audio: Path, tempi: Path | None, keys: Path | None) -> None:
    rows: list[Truth] = []
    genres: dict[str, list[MusicalDescriptors]] = defaultdict(list)
    for file in sorted(file for file in audio.rglob("*") if file.suffix in SOUNDS):
        found = _described(file)
        if found is None:
            continue
        genre, number = file.name.split(".")[:2]
        genres[genre].append(found)
        rows.append((found, _annotated_tempo(tempi, genre, number), _annotated_key(keys, file)))
    print("\n## GTZAN\n")
    if tempi is not None or keys is not None:
        _print_accuracy({"annotated": rows})
    shown = [name for name in NAMES if name not in ("key", "mode", "second_tempo", "tuning")]
    print("\n| median | " + " | ".join(name.replace("_", " ") for name in shown) + " |")
    print("|---|" + "---:|" * len(shown))
    for genre, of_genre in genres.items():
        print(f"| {genre} | " + " | ".join(_median(of_genre, name) for name in shown) + " |")


def _median(records: Sequence[MusicalDescriptors], name: str) -> str:
    values = [value for one in records if (value := getattr(one, name)) is not None]
    return f"{np.median(values):.3g}" if values else "–"


def _annotated_tempo(folder: Path | None, genre: str, number: str) -> float | None:
    file = None if folder is None else folder / "tempo" / f"gtzan_{genre}_{number}.bpm"
    return None if file is None or not file.exists() else float(file.read_text().split()[0])


def _annotated_key(folder: Path | None, sound: Path) -> tuple[int, str] | None:
    """A is 0 in the annotations, minor keys are 12 higher, -1 stands for none."""
    if folder is None:
        return None
    genre, number = sound.name.split(".")[:2]
    file = folder / "gtzan_key" / "genres" / genre / f"{genre}.{number}.lerch.txt"
    code = int(file.read_text().split()[0]) if file.exists() else -1
    return None if code < 0 else ((code + 9) % 12, MAJOR if code < 12 else MINOR)


def _print_shown(known: dict[str, MusicalDescriptors]) -> None:
    print("\n## Ten tracks\n")
    records = [(name, known[name]) for name in SHOWN if name in known]
    print("| | " + " | ".join(Path(name).stem for name, _ in records) + " |")
    print("|---|" + "---|" * len(records))
    for name in (*NAMES, "key_name", "camelot"):
        values = (getattr(record, name) for _, record in records)
        cells = ("–" if v is None else f"{v:g}" if isinstance(v, float) else str(v) for v in values)
        print(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
