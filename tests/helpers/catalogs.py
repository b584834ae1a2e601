"""Tracks for catalogues that no file was analysed for."""

import os
import re

import numpy as np
import sqlalchemy as sa

from recommender.catalog import Catalog, FileStat, Library, Tags
from recommender.catalog.database_url import catalog_url
from recommender.embedding.space import Analysis, SpaceId

SPACE = SpaceId("conv1d-encoder", "0a1b", "2c3d")
OTHER_SPACE = SpaceId("other-net", "ffff", "2c3d")
DIMENSION = 4


def analysis(seed: int = 0, space: SpaceId = SPACE) -> Analysis:
    """Random activations that half precision holds; 60 s and a second for each `seed`."""
    rng = np.random.default_rng(seed)
    return Analysis(
        activations=rng.normal(size=DIMENSION).astype(np.float16).astype(np.float32),
        genre_probabilities={"rock": 0.25, "jazz": 0.75},
        duration=60.0 + seed,
        windows=((0.0, 10.0), (25.5, 10.0)),
        space=space,
    )


def stat(path: str, size: int = 1000, mtime_ns: int = 1) -> FileStat:
    return FileStat(path, size, mtime_ns)


def hash_of(path: str) -> str:
    """The content hash that `analyse` gives a track."""
    return os.fsencode(path).hex()


def analyse(
    catalog: Catalog,
    library: Library,
    path: str,
    *,
    content_hash: str | None = None,
    tags: Tags | None = None,
    analysed: Analysis | None = None,
) -> int:
    """Store one track in a transaction of its own; returns its id."""
    with catalog.writing() as write:
        return write.analysed(
            library,
            stat(path),
            content_hash or hash_of(path),
            tags or Tags(),
            analysed or analysis(),
            "recsys 0.1.0",
        )


def revision(catalog: Catalog) -> int:
    return catalog.state().revision


def alter(catalog: Catalog, statement: str, *values: object) -> None:
    """Change the database behind the catalogue's back; ``?`` stands for each of `values`."""
    names = iter(range(len(values)))
    named = re.sub(r"\?", lambda _: f":v{next(names)}", statement)
    engine = sa.create_engine(catalog_url(catalog.url))
    try:
        with engine.begin() as connection:
            connection.execute(sa.text(named), {f"v{at}": value for at, value in enumerate(values)})
    finally:
        engine.dispose()
