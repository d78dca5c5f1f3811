"""The API's description as a page shows it: calls by area, with their fields and answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_METHODS: Final = ("get", "post", "put", "delete")
_DEPTH_MAX: Final = 6


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    """Dotted where it stands inside another; `[]` for each of a list."""
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    description: str
    content_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    method: str
    path: str
    summary: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    example: str
    gives: tuple[Field, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Area:
    name: str
    description: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    title: str
    version: str
    about: str
    areas: tuple[Area, ...]


def api_reference(document: Mapping[str, Any]) -> Reference:
    """Return the page's view of an OpenAPI document."""
    reader = _Reader(document.get("components", {}).get("schemas", {}))
    tags = {tag["name"]: tag.get("description", "") for tag in document.get("tags", [])}
    by_tag: dict[str, list[Call]] = {name: [] for name in tags}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                operation = operations[method]
                shared = operations.get("parameters", [])
                call = reader.call(method, path, operation, shared)
                by_tag.setdefault(operation.get("tags", ["api"])[0], []).append(call)
    info = document["info"]
    areas = tuple(
        Area(name, tags.get(name, ""), tuple(calls)) for name, calls in by_tag.items() if calls
    )
    return Reference(info["title"], info["version"], info.get("description", ""), areas)


class _Reader:
    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = schemas

    def call(
        self, method: str, path: str, operation: Mapping[str, Any], shared: list[dict[str, Any]]
    ) -> Call:
        content = operation.get("requestBody", {}).get("content", {})
        body: Mapping[str, Any] = next(iter(content.values()), {})
        responses = operation["responses"]
        good: Mapping[str, Any] = next(
            (one for status, one in responses.items() if status.startswith("2")), {}
        )
        good_json = good.get("content", {}).get("application/json", {})
        return Call(
            id=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
            method=method.upper(),
            path=path,
            summary=operation.get("summary", ""),
            parameters=tuple(
                Field(
                    f"{one['name']} ({one['in']})",
                    self._type(one.get("schema", {})),
                    one.get("required", False),
                    one.get("description", ""),
                )
                for one in (*shared, *operation.get("parameters", []))
            ),
            body=tuple(self._fields(body.get("schema", {}))),
            example=_shown(body.get("example")),
            gives=tuple(self._fields(good_json.get("schema", {}))),
            answers=tuple(
                Answer(status, one.get("description", ""), tuple(one.get("content", {})))
                for status, one in sorted(responses.items())
                if status != "default"
            ),
        )

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for part in (schema, *schema.get("allOf", []), *schema.get("anyOf", [])):
            if "$ref" in part:
                found: Mapping[str, Any] = self._schemas[part["$ref"].rpartition("/")[2]]
                return found
        return schema

    def _type(self, schema: Mapping[str, Any]) -> str:
        resolved = self._resolved(schema)
        kind = resolved.get("type", "object")
        kinds = [one for one in ([kind] if isinstance(kind, str) else kind) if one != "null"]
        words = " or ".join(kinds)
        if "enum" in resolved:
            words = " | ".join(str(one) for one in resolved["enum"] if one is not None)
        elif "format" in resolved:
            words = f"{words}, {resolved['format']}"
        return words

    def _fields(
        self, schema: Mapping[str, Any], prefix: str = "", depth: int = 0
    ) -> Iterator[Field]:
        resolved = self._resolved(schema)
        if depth == _DEPTH_MAX:
            return
        if "items" in resolved:
            inside = prefix.removesuffix(".") + "[]."
            yield from self._fields(resolved["items"], inside, depth + 1)
            return
        required = set(resolved.get("required", []))
        for name, inner in resolved.get("properties", {}).items():
            words = inner.get("description", "")
            yield Field(f"{prefix}{name}", self._type(inner), name in required, words)
            yield from self._fields(inner, f"{prefix}{name}.", depth + 1)


def _shown(example: object) -> str:
    return "" if example is None else json.dumps(example, indent=2, ensure_ascii=False)
