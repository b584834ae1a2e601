"""Imports point one way, and the light commands stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "recommender"

# Lower rooms first; a module may import from its own line and the lines above it.
LAYERS = [
    {"errors"},
    {"space", "files", "windowing", "metrics", "quiet", "memory", "printable", "permutation"},
    {"audio", "av_decoding", "decoding", "mp3", "models", "projection", "demo"},
    {"patches", "shrinkage", "neighbourhood", "exact_search", "index_file"},
    {"descriptors"},
    {"features", "augmentation", "head", "parts", "weights", "row_ranker"},
    {"catalog", "index", "retrieval", "gtzan", "measuring", "objectives", "training", "embedding"},
    {
        "evaluation",
        "filters",
        "labels",
        "plots",
        "discriminants",
        "steadiness",
        "candidates",
        "playlist",
        "recordings",
        "projector",
        "resolve",
        "comparison",
        "shared_tracks",
        "calibration",
    },
    {"ingest", "selection", "results", "last_layer", "unseen"},
    {"similarity", "study", "recipe", "guard", "publishing", "making", "remaking"},
    {"verification", "export", "adaptation"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Names of modules imported anywhere in a file, functions and type checking included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(dotted: str) -> str | None:
    parts = dotted.split(".")
    return parts[1] if parts[0] == "recommender" and len(parts) > 1 else None


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    if relative == Path("__init__.py"):
        return
    own = relative.parts[0].removesuffix(".py")
    assert own in LEVEL, f"give {own} a place in LAYERS"
    for name in imported(path):
        target = room(name)
        if target in LEVEL:
            assert LEVEL[target] <= LEVEL[own], f"{relative} imports {name}"
        assert target != "cli", f"{relative} imports the command line"


def importers(library: str) -> set[str]:
    return {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if any(name.split(".")[0] == library for name in imported(path))
    }


def test_only_the_index_imports_faiss() -> None:
    assert importers("faiss") == {"index.py"}


def test_only_the_catalogue_imports_sqlalchemy() -> None:
    assert all(name.startswith("catalog/") for name in importers("sqlalchemy"))


def test_models_know_nothing_of_files() -> None:
    for path in (PACKAGE / "models").glob("*.py"):
        rooms = {room(name) for name in imported(path)} - {None}
        assert rooms <= {"errors", "models"}, path


HEAVY = ("torch", "faiss", "librosa", "sqlalchemy", "alembic", "soundfile", "av", "numba", "scipy")


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(ast.literal_eval(run.stdout.strip().splitlines()[-1]))


HELP = """
from recommender.cli import main
sys.argv = ["recsys", "--help"]
try:
    main()
except SystemExit:
    pass
"""
STATUS = HELP.replace("--help", "status")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import recommender", set()),
        (HELP, set()),
        ("import recommender.weights", set()),
        ("import recommender.catalog", {"sqlalchemy"}),
        (STATUS, {"sqlalchemy", "alembic"}),  # alembic makes the empty catalogue
    ],
    ids=["package", "help", "weights", "catalog", "status"],
)
def test_light_things_stay_light(code: str, allowed: set[str]) -> None:
    assert loaded_by(code) <= allowed
