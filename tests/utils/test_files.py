"""Files are replaced whole or not at all; devices are neither replaced nor read."""

import contextlib
import os
import stat
from pathlib import Path

import pytest

from recommender.utils.files import replace_file, replacing_file, require_regular


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file"
    replace_file(path, b"one")
    with contextlib.suppress(ZeroDivisionError), replacing_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with replacing_file(pipe) as file:
        file.write(b"..ntent")
        file.seek(0)  # as archives are written
        file.write(b"co")
    assert os.read(reader, 10) == b"content"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


def test_what_never_ends_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    require_regular(tmp_path / "file")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path / "absent"):
        with pytest.raises(OSError, match=r"Not a regular file|No such file"):
            require_regular(path)
