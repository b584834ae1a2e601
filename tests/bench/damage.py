"""How much of the damage that decoders pass over is noticed, and how much harm it does.

Damages a piece in every encoding in many ways (seeded), analyses each file, and prints for each
kind of damage: files, how many were accepted, how many of those were over a tenth shorter than the
undamaged file, how many had an embedding whose cosine with that of the undamaged file is below .5,
and of both how many were not called damaged. The last columns count alarms without much harm: files
called damaged whose length is right and whose cosine is at least .95, or above .99.

    OMP_NUM_THREADS=1 python tests/bench/damage.py --seeds 4
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from recommender.embedding.embedder import Embedder
from recommender.errors import AudioError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
import containers
import sounds

Damager = Callable[[bytearray, np.random.Generator], bytes]
SHORT, FAR, NEAR, SAME = 0.9, 0.5, 0.95, 0.99


def bits(rate: float) -> Damager:
    """Flip each bit with this probability."""

    def damage(data: bytearray, generator: np.random.Generator) -> bytes:
        count = max(generator.poisson(8 * len(data) * rate), 1)
        for place in generator.integers(0, len(data), count):
            data[place] ^= 1 << int(generator.integers(8))
        return bytes(data)

    return damage


def header(data: bytearray, generator: np.random.Generator) -> bytes:
    """Flip eight bits of the first 400 bytes."""
    for place in generator.integers(0, 400, 8):
        data[place] ^= 1 << int(generator.integers(8))
    return bytes(data)


def length_field(data: bytearray, generator: np.random.Generator) -> bytes:
    """Replace four bytes of the first 200."""
    place = int(generator.integers(0, 200))
    data[place : place + 4] = generator.bytes(4)
    return bytes(data)


def truncated(data: bytearray, generator: np.random.Generator) -> bytes:
    """Keep 5 to 95 percent."""
    return bytes(data[: int(len(data) * generator.uniform(0.05, 0.95))])


def part(data: bytearray, generator: np.random.Generator) -> tuple[int, int]:
    """A random part of 5 to 60 percent."""
    length = int(len(data) * generator.uniform(0.05, 0.6))
    start = int(generator.integers(0, len(data) - length))
    return start, start + length


def hole(data: bytearray, generator: np.random.Generator) -> bytes:
    """Zeros in place of a part."""
    start, end = part(data, generator)
    data[start:end] = bytes(end - start)
    return bytes(data)


def noise(data: bytearray, generator: np.random.Generator) -> bytes:
    """Random bytes in place of a part."""
    start, end = part(data, generator)
    data[start:end] = generator.bytes(end - start)
    return bytes(data)


def cut(data: bytearray, generator: np.random.Generator) -> bytes:
    """A part is left out."""
    start, end = part(data, generator)
    del data[start:end]
    return bytes(data)


def inserted(data: bytearray, generator: np.random.Generator) -> bytes:
    """Random bytes between, a tenth of the file."""
    place = int(generator.integers(0, len(data)))
    return bytes(data[:place]) + generator.bytes(len(data) // 10) + bytes(data[place:])


def spliced(data: bytearray, generator: np.random.Generator) -> bytes:
    """A part is moved elsewhere."""
    start, end = part(data, generator)
    moved = data[start:end]
    del data[start:end]
    place = int(generator.integers(0, len(data)))
    return bytes(data[:place] + moved + data[place:])


def headless(data: bytearray, generator: np.random.Generator) -> bytes:
    """The first bytes are missing."""
    return bytes(data[int(generator.integers(1, len(data) // 3)) :])


def tail(data: bytearray, generator: np.random.Generator) -> bytes:
    """Random bytes follow."""
    return bytes(data) + generator.bytes(20_000)


DAMAGE: dict[str, Damager] = {
    **{f"bits {rate:g}": bits(rate) for rate in (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)},
    **{
        damage.__name__.replace("_", " "): damage
        for damage in (
            *(header, length_field, truncated, hole, noise),
            *(cut, inserted, spliced, headless, tail),
        )
    },
}


def row(counts: Counter[str]) -> str:
    """The columns of a kind of damage."""
    names = ("files", "accepted", "short", "unsaid", "far", "far unsaid", "alarms", "same")
    return " ".join(f"{counts[name]:>10}" for name in names)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=4, help="files of each kind and encoding")
    parser.add_argument("--source", type=Path, help="piece to encode, of 44,100 Hz in stereo")
    parser.add_argument("--kinds", action="store_true", help="show unnoticed harm by encoding too")
    options = parser.parse_args()
    samples = np.repeat(sounds.music(40.0)[:, None], 2, axis=1)
    if options.source:
        samples = soundfile.read(options.source, 40 * 44_100, dtype="float32", always_2d=True)[0]
    embedder = Embedder.load()
    by_kind, by_encoding = {name: Counter() for name in DAMAGE}, Counter()
    with tempfile.TemporaryDirectory() as folder:
        bases = containers.write_containers(Path(folder), samples)
        for name, base in bases.items():
            undamaged = embedder.analyse(base)
            vector = embedder.project(undamaged.activations[None])[0]
            assert getattr(undamaged, "damage", None) is None, name
            for kind, damage in DAMAGE.items():
                for seed in range(options.seeds):
                    generator = np.random.default_rng([seed, *name.encode(), *kind.encode()])
                    file = Path(folder) / f"damaged{base.suffix}"
                    file.write_bytes(damage(bytearray(base.read_bytes()), generator))
                    counts = by_kind[kind]
                    counts["files"] += 1
                    try:
                        found = embedder.analyse(file)
                    except AudioError:
                        continue
                    cosine = float(embedder.project(found.activations[None])[0] @ vector)
                    short = found.duration < SHORT * undamaged.duration
                    said = getattr(found, "damage", None) is not None
                    counts["accepted"] += 1
                    counts["short"] += short
                    counts["unsaid"] += short and not said
                    counts["far"] += cosine < FAR
                    counts["far unsaid"] += cosine < FAR and not said
                    counts["alarms"] += said and not short and cosine >= NEAR
                    counts["same"] += said and not short and cosine > SAME
                    by_encoding[name, kind] += (short or cosine < FAR) and not said
    print(
        f"{'damage':14}",
        "     files   accepted      short     unsaid   cos < .5     unsaid     alarms      > .99",
    )
    for kind, counts in by_kind.items():
        print(f"{kind:14}", row(counts))
    print(f"{'all':14}", row(sum(by_kind.values(), Counter())))
    if options.kinds:
        for (name, kind), count in by_encoding.items():
            if count:
                print(f"{name:12} {kind:14} {count}")


if __name__ == "__main__":
    main()
