"""What commands do with files that are none: devices, pipes, links to them, files that shrink.

    python tests/bench/special_files.py [--program RECSYS]

Every command that takes a file gets each of them, within 120 s and 6 GB of address space; prints a
Markdown table of status, seconds and the last line said. `--program` is the `recsys` to try. Linux;
needs root, for a device like /dev/zero of its own, as a program might replace the real one.
"""

import argparse
import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
import sounds

LIMIT_S = 120.0
_ADDRESS_SPACE = 6 << 30
SPECIAL = ("link to a zero device", "fifo", "link to itself", "folder")
_ZERO = (1, 5)  # its numbers


def make(path: Path, kind: str, device: Path) -> Path:
    """Something at `path` that is no regular file; a link leads to `device`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path if "itself" in kind else device)
    return path


def cases(folder: Path, database: Path, model: Path) -> Iterator[tuple[str, list[str]]]:
    """What is special, and the command."""
    device = folder / "zero"
    os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(*_ZERO))
    for number, kind in enumerate(SPECIAL):
        at = folder / str(number)
        for ending in ("mp3", "wav", "m3u", "cue"):
            yield (
                f"sound.{ending}: {kind}",
                ["similar", str(make(at / f"sound.{ending}", kind, device))],
            )
        file = make(at / "one" / "sound.flac", kind, device)
        yield f"sound.flac: {kind}", ["ingest", str(file)]
        for name in ("sound.mp3", "album.cue", "list.m3u8", "other"):
            make(at / "music" / name, kind, device)
        yield f"a folder of four: {kind}", ["ingest", str(at / "music")]
        ignored = make(at / "ignore" / ".recsysignore", kind, device)
        yield f".recsysignore: {kind}", ["ingest", str(ignored.parent)]
        labels = str(make(at / "labels.csv", kind, device))
        for reading in (["evaluate"], ["compare", "fast", "default"], ["adapt"]):
            yield f"labels: {kind}", [*reading, "--labels", labels]
        for name in ("card.json", "head.safetensors", "projection.safetensors"):
            copy = at / f"model {name}"
            shutil.copytree(model, copy)
            (copy / name).unlink()
            make(copy / name, kind, device)
            # Into a catalogue of its own.
            own = ["--db", str(at / f"{name}.db")]
            music = str(folder / "good")
            yield f"{name}: {kind}", ["ingest", music, "--model", str(copy), *own]
        yield f"database: {kind}", ["list", "--db", str(make(at / "catalog.db", kind, device))]
        for target in () if kind == "fifo" else ("list.m3u", "out.npz"):  # it waits for a reader
            output = str(make(at / "out" / target, kind, device))
            write = ["similar", "1", "--m3u", output] if "m3u" in target else ["export", output]
            yield f"written: {kind}", write
    for ending in ("mp3", "wav", "ogg"):
        for command in ("similar", "ingest"):
            yield f"shrinks: {ending}", [command, str(folder / "shrinking" / f"sound.{ending}")]


def shrink(file: Path, content: bytes, done: threading.Event) -> None:
    """Cut a file off and write it again, over and over."""
    while not done.is_set():
        with file.open("rb+") as opened:
            opened.truncate(5_000)
            time.sleep(0.02)
            opened.seek(0)
            opened.write(content)
        time.sleep(0.02)


def run(command: list[str], database: Path, scratch: Path) -> tuple[str, float, str]:
    """Status, seconds and the last line of a command."""
    shrinking = Path(command[1]) if "shrinking" in str(command[1:2]) else None
    done = threading.Event()
    if shrinking is not None:
        arguments = (shrinking, shrinking.read_bytes(), done)
        threading.Thread(target=shrink, args=arguments).start()
    begun = time.monotonic()
    with (scratch / "output").open("w+", errors="replace") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "RECSYS_DB": str(database), "COLUMNS": "500"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE,) * 2),
            start_new_session=True,
        )
        try:
            status = str(process.wait(LIMIT_S))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            status = "hangs"
        done.set()
        output.seek(0)
        lines = [line.strip() for line in output if line.strip()]
    return status, time.monotonic() - begun, lines[-1] if lines else ""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    program = Path(sys.executable).with_name("recsys")
    parser.add_argument("--program", type=Path, default=program)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    options = parser.parse_args()
    from recommender.embedding.model_files import find_model

    print("| what | command | status | s | says |\n|---|---|---|---:|---|")
    with tempfile.TemporaryDirectory() as scratch:
        folder, database = Path(scratch), Path(scratch) / "catalog.db"
        for name in ("good", "shrinking"):
            (folder / name).mkdir()
        for number in range(4):
            sound = sounds.music(4, 22_050, number)
            sounds.write_sound(folder / "good" / f"{number}.wav", sound, 22_050)
        for ending in ("mp3", "wav", "ogg"):
            sound = sounds.music(120, 44_100, 9)
            sounds.write_sound(folder / "shrinking" / f"sound.{ending}", sound, 44_100)
        model = find_model("fast").folder
        first = ["ingest", str(folder / "good"), "--model", "fast"]
        run([str(options.program), *first], database, folder)
        for what, command in cases(folder, database, model):
            if options.only in what:
                status, seconds, line = run([str(options.program), *command], database, folder)
                shown = " ".join(command).replace(scratch, "…").replace("|", "\\|")
                said = line.replace(scratch, "…").replace("|", "\\|")[:160]
                print(f"| {what} | `{shown}` | {status} | {seconds:.1f} | {said} |", flush=True)


if __name__ == "__main__":
    main()
