"""Any path a file system can hold comes back from a database as it went in."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, MetaData, Table, create_engine, insert, select

from recommender.catalog.column_types import PathText, decode_path, encode_path

file_names = st.binary().map(os.fsdecode)
any_text = st.text(st.characters(codec=None, exclude_categories=()))

PATHS = Table("paths", MetaData(), Column("path", PathText))


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    file = tmp_path_factory.mktemp("path-text") / "paths.db"
    engine = create_engine(f"sqlite:///{file}")
    PATHS.metadata.create_all(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@given(file_names | any_text)
@settings(deadline=None)
def test_sqlite_gives_back_every_path_and_finds_it(sqlite: Connection, path: str) -> None:
    with sqlite.begin():
        sqlite.execute(PATHS.delete())
        sqlite.execute(insert(PATHS).values(path=path))
        assert sqlite.scalars(select(PATHS.c.path).where(PATHS.c.path == path)).all() == [path]


@given(file_names | any_text)
def test_code_is_storable_text(path: str) -> None:
    code = encode_path(path)
    code.encode("utf-8")
    assert "\x00" not in code
    assert decode_path(code) == path


@given(file_names, file_names)
def test_code_of_a_folder_begins_the_code_of_its_files(folder: str, name: str) -> None:
    assert encode_path(f"{folder}/{name}") == f"{encode_path(folder)}/{encode_path(name)}"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (b"a/Bj\xc3\xb6rk - J\xc3\xb3ga.flac", "a/Björk - Jóga.flac"),
        (b"Bj\xf6rk.mp3", r"Bj\xf6rk.mp3"),
        (rb"AC\DC.mp3", r"AC\\DC.mp3"),
        (rb"\xf6", r"\\xf6"),
        (b"\\\xf6", r"\\\xf6"),
        (b"line\nbreak", "line\nbreak"),
    ],
)
def test_code_is_readable(name: bytes, code: str) -> None:
    assert encode_path(os.fsdecode(name)) == code
    assert os.fsencode(decode_path(code)) == name


def test_nothing_stays_nothing(sqlite: Connection) -> None:
    with sqlite.begin():
        sqlite.execute(PATHS.delete())
        sqlite.execute(insert(PATHS).values(path=None))
        assert sqlite.scalars(select(PATHS.c.path)).all() == [None]
