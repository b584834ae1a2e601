"""`from recommender import …` gives what it says, however it is imported."""

import logging
import pkgutil
import subprocess
import sys

import pytest

import recommender
from recommender.embedding.model_files import find_model

CALLABLE = sorted(name for name in recommender.__all__ if name != "__version__")

CHECK = """
import inspect, recommender
from recommender import *
for name in recommender.__all__:
    value = getattr(recommender, name)
    assert globals()[name] is value, name
    assert name == "__version__" or callable(value), (name, value)
    assert name in dir(recommender), name
assert inspect.isfunction(recommender.ingest)
assert issubclass(recommender.AudioError, recommender.RecsysError)
"""

EVERY_SUBMODULE = """
import importlib, pkgutil, recommender
for module in pkgutil.walk_packages(recommender.__path__, "recommender."):
    if not module.name.startswith(("recommender.migrations", "recommender.data")):
        importlib.import_module(module.name)
"""


def run(code: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLABLE)
def test_each_name_first_in_a_fresh_interpreter(name: str) -> None:
    run(f"from recommender import {name}\nassert callable({name})\n{CHECK}")


@pytest.mark.parametrize("before", ["", "import recommender.ingestion.pipeline", EVERY_SUBMODULE])
def test_whatever_was_imported_before(before: str) -> None:
    run(before + CHECK)


def test_in_reverse_order() -> None:
    run("\n".join(f"from recommender import {name}" for name in reversed(CALLABLE)) + CHECK)


def test_no_public_name_is_a_submodule() -> None:
    submodules = {module.name for module in pkgutil.iter_modules(recommender.__path__)}
    assert not submodules & set(recommender.__all__)


def test_every_public_name_is_documented() -> None:
    for name in CALLABLE:
        assert getattr(recommender, name).__doc__, name


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'listen'"):
        recommender.listen  # noqa: B018


def test_the_library_prints_no_log_by_itself() -> None:
    assert any(
        isinstance(handler, logging.NullHandler)
        for handler in logging.getLogger("recommender").handlers
    )


def test_wrong_types_say_what_is_accepted() -> None:
    with pytest.raises(TypeError, match=r"database URL \(str\).*os\.PathLike"):
        recommender.SimilarityService.open(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"name of a shipped one \(str\)"):
        recommender.Embedder.load(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"windowing must be a recommender\.Windowing"):
        recommender.Embedder.load("default", windowing=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"catalog must be an open recommender\.Catalog, not str"):
        recommender.ingest("catalog.db", "music")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values",
    [
        {"genre": ["rock"]},
        {"predicted_genre": 3},
        {"min_duration": "3:00"},
        {"max_duration": True},
        {"per_artist": 1.5},
    ],
    ids=str,
)
def test_filters_of_wrong_types(values: dict[str, object]) -> None:
    [name] = values
    with pytest.raises(TypeError, match=f"^{name} must be .* None, not "):
        recommender.Filters(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": 3}, "model must be a str or an os.PathLike, not int"),
        ({"windowing": 3}, r"windowing must be a recommender\.Windowing or None, not int"),
        ({"workers": "2"}, "workers must be an int, not str"),
        ({"timeout_s": None}, "timeout_s must be a number of seconds, not NoneType"),
        ({"exclude": "*.mp3"}, "patterns to exclude must be several, as in a list, not one str"),
    ],
    ids=str,
)
def test_settings_of_wrong_types(values: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        recommender.IngestSettings(**values)  # type: ignore[arg-type]


def test_a_model_by_its_path() -> None:
    folder = find_model().folder
    settings = recommender.IngestSettings(model=folder)
    assert settings.space() == recommender.IngestSettings(model=str(folder)).space()
    assert settings.analysis_settings()["model"] == str(folder.resolve())
