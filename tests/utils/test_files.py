"""Files are replaced whole or not at all; devices are neither replaced nor read."""

import os
import stat
from pathlib import Path

import pytest

from recommender.utils.files import replace_file, replacing_file, require_regular


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "file"
    replace_file(path, b"one")
    with pytest.raises(ZeroDivisionError), replacing_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]


def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(os.devnull)
    replace_file(link, b"lost")
    assert link.is_symlink()
    assert stat.S_ISCHR(link.stat().st_mode)
    assert list(tmp_path.iterdir()) == [link]


def test_what_never_ends_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    require_regular(tmp_path / "file")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path / "absent"):
        with pytest.raises(OSError, match=r"Not a regular file|No such file"):
            require_regular(path)
