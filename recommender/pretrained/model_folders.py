"""The folder of added models: a model is put there whole or not at all."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recommender.embedding.model_files import CARD, added_models, models_folder, shipped_models
from recommender.errors import WeightsError


@contextmanager
def new_model_folder(name: str) -> Iterator[Path]:
    """A folder to fill, which becomes the model of that name once the body has ended.

    A model of that name that is there already is replaced then. Where the body raises, everything
    stays as it was. Raises `WeightsError` where the folder of models cannot be written.
    """
    try:
        models_folder().mkdir(parents=True, exist_ok=True)
        temporary = models_folder() / f".{secrets.token_hex(8)}.tmp"
        temporary.mkdir()
    except OSError as error:
        raise WeightsError(
            f"models cannot be added to {models_folder()} ({error.strerror or error})."
        ) from error
    try:
        yield temporary
        _replace(models_folder() / name, temporary)
    except OSError as error:
        raise WeightsError(
            f"the model {name!r} cannot be written to {models_folder()} "
            f"({error.strerror or error}); nothing was changed."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_model(name: str) -> Path:
    """Delete an added model; returns the folder that it was in.

    Catalogues that it has analysed keep their embeddings, and are recommended as before.

    Raises:
        WeightsError: no model of that name was added, or it cannot be deleted.
    """
    if name not in added_models():
        if name in shipped_models():
            raise WeightsError(f"the model {name!r} is part of the package and cannot be removed.")
        there = ", ".join(added_models()) or "none"
        raise WeightsError(f"no model {name!r} was added; there are: {there}.")
    folder = models_folder() / name
    try:
        (folder / CARD).unlink()  # without its card it is no model any more
        shutil.rmtree(folder)
    except OSError as error:
        raise WeightsError(
            f"{folder} cannot be deleted ({error.strerror or error}); delete it yourself."
        ) from error
    return folder


def _replace(folder: Path, new: Path) -> None:
    """Put `new` in the place of `folder`. Raises `OSError`."""
    if not folder.exists():
        new.rename(folder)
        return
    old = folder.with_name(f".{secrets.token_hex(8)}.tmp")
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
