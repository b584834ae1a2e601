"""OpenSubsonic's own OpenAPI document, one file for each endpoint, as one schema for each."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs


def validator(folder: Path, endpoint: str) -> Any:
    """Checks answers of an endpoint; `folder` holds ``openapi.json`` and what it refers to."""
    document = json.loads((folder / "endpoints" / f"{endpoint}.json").read_text("utf-8"))
    answer = document["get"]["responses"]["200"]
    definitions: dict[str, Any] = {}
    root = _bundled(answer, folder / "endpoints", definitions)
    schema = root["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator(
        {**schema, "$defs": definitions}, validate_formats=True
    )


def _bundled(part: Any, folder: Path, definitions: dict[str, Any]) -> Any:
    """The same with references to files replaced by references into `definitions`."""
    if isinstance(part, list):
        return [_bundled(one, folder, definitions) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" not in part:
        return {name: _bundled(one, folder, definitions) for name, one in part.items()}
    file = (folder / part["$ref"]).resolve()
    key = f"{file.parent.name}-{file.stem}"
    if key not in definitions:
        definitions[key] = {}
        content = json.loads(file.read_text("utf-8"))
        definitions[key] = _bundled(content, file.parent, definitions)
    if "content" in definitions[key]:  # a response, which is no schema
        return definitions[key]
    return {"$ref": f"#/$defs/{key}"}
