"""A sample of files that are damaged or mean harm, the same for the same seed and number."""

import json
import os
import random
from dataclasses import asdict, dataclass
from pathlib import Path

import fuzz_damage
import fuzz_files

NUMBERS = {
    "mutation": 7_000,
    "header": 1_500,
    "tags": 500,
    "name": 300,
    "bomb": 300,
    "chain": 200,
    "playlist": 100,
    "ignore": 100,
}
"""Files of each kind in a whole run of 10,000."""

BASE_SECONDS = 8.0


@dataclass(frozen=True)
class Case:
    """One file.

    Attributes:
        path: below the folder of the sample.
        kind: one of `NUMBERS`, or ``base``.
        damage: what was done to it, for a mutation.
        base: the undamaged file, likewise.
    """

    path: str
    kind: str
    damage: str | None = None
    base: str | None = None


def write_sample(folder: Path, files: int, seed: int, port: int) -> list[Case]:
    """Write about `files` files below `folder`, and ``manifest.json`` beside it.

    Kinds keep their proportions; there is at least one of each. `port` is where playlists point.
    """
    (folder / "bases").mkdir(parents=True)
    bases = fuzz_files.base_sounds(folder / "bases", BASE_SECONDS)
    cases = [Case(f"bases/{path.name}", "base") for path in bases.values()]
    good = {name: path.read_bytes() for name, path in bases.items()}
    for kind, number in NUMBERS.items():
        count = max(1, round(number * files / sum(NUMBERS.values())))
        (folder / kind).mkdir()
        for index in range(count):
            rng = random.Random(f"{seed} {kind} {index}")
            if kind == "mutation":
                cases.append(_mutation(folder, bases, good, index, rng))
            elif kind == "ignore":
                cases.append(_ignored(folder, index, rng))
            else:
                cases.append(_other(folder, kind, good, index, rng, port))
    manifest = json.dumps([asdict(case) for case in cases], indent=1)
    folder.with_name("manifest.json").write_text(manifest)
    return cases


def _mutation(
    folder: Path, bases: dict[str, Path], good: dict[str, bytes], index: int, rng: random.Random
) -> Case:
    damages = list(fuzz_damage.DAMAGE)
    names = list(bases)
    name = names[index % len(names)]
    damage = damages[index // len(names) % len(damages)]
    path = f"mutation/{index:05} {name}{bases[name].suffix}"
    (folder / path).write_bytes(fuzz_damage.DAMAGE[damage](good[name], rng))
    return Case(path, "mutation", damage, f"bases/{bases[name].name}")


def _ignored(folder: Path, index: int, rng: random.Random) -> Case:
    path = f"ignore/{index:05}/x.mp3"
    (folder / path).parent.mkdir()
    (folder / path).write_bytes(b"no music")
    fuzz_files.write_ignore_file((folder / path).with_name(".recsysignore"), rng)
    return Case(path, "ignore")


def _other(
    folder: Path, kind: str, good: dict[str, bytes], index: int, rng: random.Random, port: int
) -> Case:
    if kind == "header":
        ending, data = fuzz_damage.headers(rng)
    elif kind == "tags":
        ending, data = fuzz_files.tags(good["mp3"], rng)
    elif kind == "name":
        ending, data = "wav", good["wav"]
    elif kind == "bomb":
        ending, data = fuzz_files.bombs(good["mp3"], folder.parent, rng)
    elif kind == "chain":
        ending, data = fuzz_damage.chains(rng)
    else:
        ending, data = fuzz_files.playlists(port, rng)
    path = f"{kind}/{index:05}.{ending}"
    if kind == "name":
        path = f"name/{fuzz_files.names(rng)} {index:05}.wav"
    with os.fdopen(os.open(folder / path, os.O_CREAT | os.O_WRONLY), "wb") as file:
        file.write(data)
    return Case(path, kind)
