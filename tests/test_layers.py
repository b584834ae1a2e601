"""Imports point one way, and the light commands stay light."""

import ast
import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recommender.catalog.migrations import upgrade

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "recommender"

# Lower packages first; a package imports only from itself and from the lines above its own.
ORDER = (
    {"errors", "version"},
    {"utils"},
    {"demo"},
    {"networks"},
    {"audio"},
    {"features"},
    {"musical_descriptors"},
    {"embedding"},
    {"projections", "catalog", "pretrained"},
    {"search"},
    {"ingestion"},
    {"recommendation", "evaluation"},
    {"library_map"},
    {"history"},
    {"playlists"},
    {"players", "adaptation", "verification", "tagging"},
    {"server"},
    {"research"},
    {"cli"},
)
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}


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


def package(dotted: str) -> str | None:
    parts = dotted.split(".")
    return parts[1] if parts[0] == "recommender" and len(parts) > 1 else None


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_packages_import_only_packages_below_them(path: Path) -> None:
    relative = path.relative_to(PACKAGE)
    if relative == Path("__init__.py"):
        return
    own = relative.parts[0].removesuffix(".py")
    assert own in LEVEL, f"add {own} to ORDER"
    for name in imported(path):
        assert name != "recommender", f"{relative} imports the package that imports it"
        target = package(name)
        if target in LEVEL and target != own:
            assert LEVEL[target] < LEVEL[own], f"{relative} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_product_does_not_import_research(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] != "research":
        assert not {name for name in imported(path) if package(name) == "research"}


def test_the_first_level_is_short() -> None:
    names = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py"}
    assert names == {"__init__", "errors", "verification", "version"}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages | names - {"__init__"} | {"cli"} == set(LEVEL)


def test_the_library_does_not_speak_of_options() -> None:
    """Nothing outside the commands names an option of the command line."""
    naming = {
        f"{path.relative_to(PACKAGE)}: {node.value}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(r"(?<![\w-])--[a-z]", node.value)
    }
    assert not naming


def importers(library: str) -> set[str]:
    return {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if any(name.split(".")[0] == library for name in imported(path))
    }


def test_only_the_faiss_backend_imports_faiss() -> None:
    assert importers("faiss") == {"search/faiss_backend.py"}


def test_only_the_catalogue_imports_sqlalchemy() -> None:
    assert all(name.startswith("catalog/") for name in importers("sqlalchemy"))


@pytest.mark.slow
def test_only_the_commands_import_the_server() -> None:
    importing = {
        str(path.relative_to(PACKAGE))
        for path in modules()
        if any(package(name) == "server" for name in imported(path))
    }
    assert all(name.startswith("server/") for name in importing)
    for library in (
        "fastapi",
        "starlette",
        "uvicorn",
        "sse_starlette",
        "prometheus_client",
        "httpx2",
    ):
        assert all(name.startswith("server/") for name in importers(library))


def test_networks_import_nothing_but_errors() -> None:
    for path in (PACKAGE / "networks").glob("*.py"):
        packages = {package(name) for name in imported(path)} - {None}
        assert packages <= {"errors", "networks"}, path


HEAVY = (
    *("torch", "faiss", "librosa", "sqlalchemy", "alembic", "soundfile", "av", "numba", "scipy"),
    *("fastapi", "uvicorn", "httpx2"),
)


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
        ("import recommender.embedding.model_files", set()),
        ("import recommender.catalog", {"sqlalchemy"}),
        (STATUS, {"sqlalchemy"}),
    ],
    ids=["package", "help", "weights", "catalog", "status"],
)
def test_light_things_stay_light(code: str, allowed: set[str]) -> None:
    assert loaded_by(code) <= allowed


@pytest.mark.slow
def test_status_of_a_full_catalogue_stays_light(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"  # as $RECSYS_DB says in tests
    packed = ROOT / "tests" / "catalog" / "default_0002.db.gz"
    file.write_bytes(gzip.decompress(packed.read_bytes()))
    upgrade(file)
    assert loaded_by(STATUS) <= {"sqlalchemy"}
    for words in ("exclude add --artist A", "exclude list", "playlist list", "history list"):
        named = str(words.split())[1:-1]
        assert loaded_by(HELP.replace('"--help"', named)) <= {"sqlalchemy"}, words
