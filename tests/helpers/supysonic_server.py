"""Supysonic 0.7.9 (AGPL) under waitress, by a Python of its own: imported by nothing here."""

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peers import peer_python

LOGIN, PASSWORD = "anna", "a secret"
_WAIT_S = 60.0

_CONFIGURATION = """\
[base]
database_uri = sqlite:///{folder}/supysonic.db
[webapp]
cache_dir = {folder}/cache
mount_webui = off
[daemon]
socket = {folder}/daemon.sock
run_watcher = off
"""


@contextmanager
def supysonic(music: Path, folder: Path) -> Iterator[str]:
    """The address of a server of a music folder; what it keeps is in `folder`."""
    python = peer_python("supysonic")
    folder.mkdir()
    (folder / "supysonic.conf").write_text(_CONFIGURATION.format(folder=folder))
    environment = {**os.environ, "HOME": str(folder)}
    for words in (
        ("user", "add", LOGIN, "-p", PASSWORD),
        ("folder", "add", "Music", str(music)),
        ("folder", "scan", "-f", "Music"),
    ):
        subprocess.run(
            [python.with_name("supysonic-cli"), *words],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            timeout=_WAIT_S,
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [python.with_name("waitress-serve"), f"--listen=127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*command, "--call", "supysonic.web:create_application"], cwd=folder, env=environment
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/rest/ping.view")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(_WAIT_S)


def _wait_for(url: str) -> None:
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} does not answer")
