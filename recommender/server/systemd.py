"""A unit file by which systemd runs the server as a service of the user."""

from collections.abc import Sequence

_UNIT = """\
# A service of your own account: save it as ~/.config/systemd/user/recsys.service, enable and start
# it with systemctl; `loginctl enable-linger` lets it run while you are not logged in.
[Unit]
Description=recsys: recommends music that sounds alike
After=network.target

[Service]
ExecStart={command}
Restart=on-failure
RestartSec=5
TimeoutStopSec=45
NoNewPrivileges=true
UMask=0077

[Install]
WantedBy=default.target
"""


def unit_file(command: Sequence[str]) -> str:
    """The text of the unit that runs a command."""
    return _UNIT.format(command=" ".join(map(_quoted, command)))


def _quoted(word: str) -> str:
    """A word as systemd reads it: specifiers and variables doubled, special characters quoted."""
    escaped = word.replace("%", "%%").replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    escaped = escaped.replace("\n", "\\n").replace("\t", "\\t")
    plain = escaped and all(char not in " '\";" for char in word)
    return escaped if plain else f'"{escaped}"'
