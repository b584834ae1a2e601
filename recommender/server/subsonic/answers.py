"""Answers of a Subsonic server: one tree, as JSON or as XML."""

import json
import re
from collections.abc import Mapping
from enum import IntEnum
from typing import Any
from xml.etree import ElementTree

from fastapi.responses import Response

from recommender.version import __version__

PROTOCOL = "1.16.1"
"""The version of Subsonic's protocol that is spoken."""

NAMESPACE = "http://subsonic.org/restapi"
ROOT = "subsonic-response"

Tree = dict[str, Any]
"""Part of an answer, as JSON has it."""

_AS_ELEMENTS = frozenset({"similarity"})
"""Values that are elements in XML; others are attributes, and `value` is an element's text."""

_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class ErrorCode(IntEnum):
    """What is wrong, as the protocol numbers it."""

    GENERIC = 0
    MISSING_PARAMETER = 10
    WRONG_LOGIN = 40
    NO_SUCH_LOGIN = 42
    CONFLICTING_LOGINS = 43
    WRONG_KEY = 44
    NOT_PERMITTED = 50
    NOT_FOUND = 70


class SubsonicError(Exception):
    """An answer that is an error.

    Attributes:
        code: of the protocol.
        message: shown to the user of a player.
        status: of HTTP; 200 for everything that a method answers.
    """

    def __init__(self, code: ErrorCode, message: str, status: int = 200) -> None:
        """Say what is wrong."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def succeeded(content: Mapping[str, Any] = {}, **envelope: Any) -> Tree:
    """The whole answer with this content; `envelope` replaces what is said of the server."""
    return {ROOT: {**_envelope("ok"), **envelope, **content}}


def failed(error: SubsonicError) -> Tree:
    """The whole answer that says what is wrong."""
    said = {"code": int(error.code), "message": error.message}
    return {ROOT: {**_envelope("failed"), "error": said}}


def _envelope(status: str) -> Tree:
    return {
        "status": status,
        "version": PROTOCOL,
        "type": "recsys",
        "serverVersion": __version__,
        "openSubsonic": True,
    }


def response_of(tree: Tree, format: str, status: int = 200) -> Response:
    """A whole answer as ``json``, or else as XML, which is the protocol's default."""
    cleaned = _cleaned(tree)
    headers = {"Cache-Control": "no-store"}
    if format == "json":
        text = json.dumps(cleaned, ensure_ascii=False, allow_nan=False)
        return Response(text.encode(), status, headers, "application/json")
    content = as_xml(cleaned)
    return Response(content, status, headers, "application/xml")


def as_xml(tree: Tree) -> bytes:
    """A whole answer as XML: values are attributes, trees and lists are elements."""
    root = ElementTree.Element(ROOT, {"xmlns": NAMESPACE})
    _fill(root, tree[ROOT])
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _fill(element: ElementTree.Element, tree: Mapping[str, Any]) -> None:
    for name, value in tree.items():
        if name == "value":
            element.text = _text(value)
        elif isinstance(value, list | dict) or name in _AS_ELEMENTS:
            for one in value if isinstance(value, list) else [value]:
                child = ElementTree.SubElement(element, name)
                if isinstance(one, dict):
                    _fill(child, one)
                else:
                    child.text = _text(one)
        else:
            element.set(name, _text(value))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cleaned(value: Any) -> Any:
    """Without what is None, and with text that XML can hold."""
    if isinstance(value, str):
        return _NO_XML.sub(_REPLACEMENT, value)
    if isinstance(value, dict):
        return {name: _cleaned(one) for name, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    return value
