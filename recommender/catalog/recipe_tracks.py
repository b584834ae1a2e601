"""Tracks and playlists that the recipes of playlists name, inside of JSON.

Recipes are what `recommendation.mix_request` and `playlists.recipes` store. Every function works on
a connection, inside the caller's transaction; one whose JSON is damaged is left as it is.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, cast, select, update

from recommender.catalog.schema import PlaylistRow, table

_PLAYLISTS = table(PlaylistRow)
_LISTS = (("seeds", "like"), ("seeds", "unlike"), ("rules", "previous"))
_FIRST = "first"
_RULES, _NOT_OF = "rules", "previous_playlists"


def named_in_recipes(connection: Connection) -> set[int]:
    """The ids of all tracks that any recipe names, there or gone."""
    return {track_id for _, recipe in _recipes(connection) for track_id in _ids(recipe)}


def rename_in_recipes(connection: Connection, heirs: Mapping[int, int]) -> None:
    """Have recipes name other tracks: track id → the one that has its place."""
    for playlist_id, recipe in _recipes(connection) if heirs else ():
        if heirs.keys().isdisjoint(_ids(recipe)):
            continue
        statement = update(_PLAYLISTS).where(_PLAYLISTS.c.id == playlist_id)
        connection.execute(statement.values(recipe=_renamed(recipe, heirs)))


def rename_playlist_in_recipes(connection: Connection, user: str, old: str, new: str) -> None:
    """Have a user's recipes name a playlist as it is called, where they do not repeat it."""
    for playlist_id, recipe in _recipes(connection, _PLAYLISTS.c.user_name == user):
        names = _list(recipe, _RULES, _NOT_OF)
        if old not in names:
            continue
        names = [new if name == old else name for name in names]
        recipe[_RULES] = {**recipe[_RULES], _NOT_OF: names}
        statement = update(_PLAYLISTS).where(_PLAYLISTS.c.id == playlist_id)
        connection.execute(statement.values(recipe=recipe))


def _recipes(
    connection: Connection, *conditions: ColumnElement[bool]
) -> list[tuple[int, dict[str, Any]]]:
    # As text: the type of the column would raise for damaged JSON.
    query = select(_PLAYLISTS.c.id, cast(_PLAYLISTS.c.recipe, Text)).where(*conditions)
    found = []
    for playlist_id, text in connection.execute(query.where(_PLAYLISTS.c.recipe.is_not(None))):
        try:
            recipe = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(recipe, dict):
            found.append((playlist_id, recipe))
    return found


def _ids(recipe: Mapping[str, Any]) -> Iterator[int]:
    values = [value for part, name in _LISTS for value in _list(recipe, part, name)]
    yield from (value for value in (*values, recipe.get(_FIRST)) if _is_id(value))


def _list(recipe: Mapping[str, Any], part: str, name: str) -> list[Any]:
    within = recipe.get(part)
    found = within.get(name) if isinstance(within, dict) else None
    return found if isinstance(found, list) else []


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _renamed(recipe: dict[str, Any], heirs: Mapping[int, int]) -> dict[str, Any]:
    """A recipe with heirs named; what it is to be like is not also what it is to be unlike."""

    def heir(value: Any) -> Any:
        return heirs.get(value, value) if _is_id(value) else value

    found = dict(recipe)
    for part, name in _LISTS:
        values = _list(recipe, part, name)
        if values:
            found[part] = {**found[part], name: [heir(value) for value in values]}
    like = _list(found, "seeds", "like")
    unlike = _list(found, "seeds", "unlike")
    if unlike:
        found["seeds"] = {**found["seeds"], "unlike": [one for one in unlike if one not in like]}
    if found.get(_FIRST) is not None:
        found[_FIRST] = heir(found[_FIRST])
    return found
