"""The command line: thin Typer commands that parse, call one method and print."""


def main() -> None:
    """Run the `recsys` command."""
    raise SystemExit("not yet")
