"""What content hashes cost: milliseconds of a processor a file, by kind of hash, twice over.

python tests/bench/content_hash.py FOLDER
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from recommender.ingestion.content_hash import hash_content, hash_payload
from recommender.ingestion.file_types import FileType, file_type_of
from recommender.ingestion.three_block_hash import hash_three_blocks


def milliseconds(hash_of: Callable[[Path], str], files: list[Path]) -> float:
    """Mean processor time that one file takes."""
    began = time.process_time()
    for file in files:
        hash_of(file)
    return (time.process_time() - began) / len(files) * 1e3


def main() -> None:
    """Hash every sound of a folder with each function."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and file_type_of(path.name) is FileType.AUDIO
    ]
    size = sum(file.stat().st_size for file in files) / len(files)
    print(f"{len(files)} files of {size / 1e6:.1f} MB on average")
    for _ in range(2):
        for hash_of in (hash_three_blocks, hash_content, hash_payload):
            print(f"{hash_of.__name__:20} {milliseconds(hash_of, files):7.2f} ms a file")


if __name__ == "__main__":
    main()
