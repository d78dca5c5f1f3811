"""Plaid's published OpenAPI description: its schemas as checks of what we send, and as answers.

The official SDK is generated from the description, one class for each schema, so the
description can be had from it without keeping a copy, which its publisher does not license.
With `PLAID_DESCRIPTION` in the environment, the file itself is used as well.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import plaid
import yaml
from plaid.api.plaid_api import PlaidApi
from plaid.model_utils import ModelComposed, ModelSimple, none_type

Schema = Mapping[str, Any]

PATHS = {
    "link_token_create": "/link/token/create",
    "link_token_get": "/link/token/get",
    "item_public_token_exchange": "/item/public_token/exchange",
    "item_get": "/item/get",
    "item_remove": "/item/remove",
    "accounts_get": "/accounts/get",
    "transactions_sync": "/transactions/sync",
    "transactions_refresh": "/transactions/refresh",
    "institutions_search": "/institutions/search",
    "institutions_get_by_id": "/institutions/get_by_id",
    "webhook_verification_key_get": "/webhook_verification_key/get",
}
"""Every call that the adapter makes: the SDK's name of it, and its path."""

_PREFIX = "#/components/schemas/"
_JSON_TYPES: dict[type, tuple[type, ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
    dict: (dict,),
    list: (list,),
}
_NAMES = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": float,
    "object": dict,
    "array": list,
}
_SAMPLES = {
    "string": "string",
    "boolean": False,
    "integer": 1,
    "number": 12.5,
    "date-time": "2030-01-01T00:00:00Z",
    "date": "2030-01-01",
}
_DEPTH_MAX = 8
_BOUNDS = {
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "inclusive_minimum": "minimum",
    "inclusive_maximum": "maximum",
}


class Description:
    """An OpenAPI 3 document, as far as Plaid's needs it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    @classmethod
    def of_file(cls, path: Path) -> Description:
        return cls(yaml.load(path.read_text(), Loader=yaml.CSafeLoader))

    @classmethod
    def of_sdk(cls, *operations: str) -> Description:
        """Put together the document from the classes that the SDK made of it."""
        api = PlaidApi(plaid.ApiClient(plaid.Configuration(host="http://127.0.0.1")))
        schemas: dict[str, Schema] = {}
        paths = {}
        for operation in operations:
            endpoint = getattr(api, f"{operation}_endpoint")
            (request,) = endpoint.openapi_types[f"{operation}_request"]
            (answer,) = endpoint.settings["response_type"]
            paths[endpoint.settings["endpoint_path"]] = {
                "post": {
                    "requestBody": {"content": _content(_of_type((request,), schemas))},
                    "responses": {"200": {"content": _content(_of_type((answer,), schemas))}},
                }
            }
        return cls({"paths": paths, "components": {"schemas": schemas}})

    def violations(self, path: str, body: object) -> list[str]:
        """Return what is wrong with a request, field by field; an unknown field is wrong too."""
        operation = self._document["paths"][path]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        return list(self._violations(schema, body, path))

    def answer(self, path: str, *, full: bool) -> Any:
        """Return an answer: with every field and the published example's values, or the barest."""
        content = self._document["paths"][path]["post"]["responses"]["200"]["content"]
        media = content["application/json"]
        value = self._value(media["schema"], full=full)
        if not full:
            return value
        for example in media.get("examples", {}).values():
            value = _laid_over(value, example["value"])
        return value

    def _resolved(self, schema: Schema) -> Schema:
        """Follow references and join what `allOf` adds up."""
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].removeprefix(_PREFIX)]
        if "allOf" not in schema:
            return schema
        joined = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            for key, value in self._resolved(part).items():
                if key == "properties":
                    joined[key] = {**joined.get(key, {}), **value}
                elif key == "required":
                    joined[key] = [*joined.get(key, []), *value]
                else:
                    joined.setdefault(key, value)
        return joined

    def _violations(self, schema: Schema, value: Any, at: str) -> Iterator[str]:
        schema = self._resolved(schema)
        if value is None:
            if not schema.get("nullable"):
                yield f"{at} is null"
            return
        kind = _NAMES.get(schema.get("type", ""), dict if "properties" in schema else None)
        if kind is None:
            return
        if not isinstance(value, _JSON_TYPES[kind]) or (
            isinstance(value, bool) and kind is not bool
        ):
            yield f"{at} is no {kind.__name__}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{at} is none of the allowed values"
        yield from _beyond_bounds(schema, value, at)
        if kind is list:
            for number, item in enumerate(value):
                yield from self._violations(schema.get("items", {}), item, f"{at}[{number}]")
        if kind is dict:
            yield from self._violations_of_fields(schema, value, at)

    def _violations_of_fields(self, schema: Schema, value: Any, at: str) -> Iterator[str]:
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{at}.{name} is missing"
        for name, item in value.items():
            if name in properties:
                yield from self._violations(properties[name], item, f"{at}.{name}")
            elif properties:
                yield f"{at}.{name} is unknown"

    def _value(self, schema: Schema, *, full: bool, depth: int = 0) -> Any:
        schema = self._resolved(schema)
        for choice in ("oneOf", "anyOf"):
            if schema.get(choice):
                schema = self._resolved(schema[choice][0])
        full = full and depth <= _DEPTH_MAX  # schemas can hold themselves
        if schema.get("nullable") and not full:
            return None
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if kind == "object":
            required = schema.get("required", [])
            return {
                name: self._value(part, full=full, depth=depth + 1)
                for name, part in schema.get("properties", {}).items()
                if name in required or full
            }
        if kind == "array":
            return [self._value(schema.get("items", {}), full=full, depth=depth + 1)] * full
        return _SAMPLES.get(schema.get("format", ""), _SAMPLES[kind])


@functools.cache
def described(source: str) -> Description:
    """Return the description, out of the SDK (`sdk`) or from a file."""
    return Description.of_sdk(*PATHS) if source == "sdk" else Description.of_file(Path(source))


def _content(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _beyond_bounds(schema: Schema, value: Any, at: str) -> Iterator[str]:
    size = len(value) if isinstance(value, str | list) else value
    suffix = {str: "Length", list: "Items"}.get(type(value), "imum")
    if f"min{suffix}" in schema and size < schema[f"min{suffix}"]:
        yield f"{at} is too small"
    if f"max{suffix}" in schema and size > schema[f"max{suffix}"]:
        yield f"{at} is too large"


def _laid_over(value: Any, example: Any) -> Any:
    if isinstance(value, dict) and isinstance(example, dict):
        return {**value, **{k: _laid_over(value.get(k), v) for k, v in example.items()}}
    return example


def _of_type(types: tuple[Any, ...], schemas: dict[str, Schema]) -> Schema:
    """Turn the SDK's way of saying a type into the description's."""
    nullable = {"nullable": True} if none_type in types else {}
    kinds = [kind for kind in types if kind is not none_type]
    if len(kinds) > 1:  # anything goes
        return nullable
    kind = kinds[0]
    if isinstance(kind, list):
        return {"type": "array", "items": _of_type(tuple(kind), schemas), **nullable}
    if isinstance(kind, dict):
        return {"type": "object", **nullable}
    if kind in (date, datetime):
        format_ = "date-time" if kind is datetime else "date"
        return {"type": "string", "format": format_, **nullable}
    plain = {python: name for name, python in _NAMES.items()}.get(kind)
    if plain:
        return {"type": plain, **nullable}
    if kind.__name__ not in schemas:
        schemas[kind.__name__] = {}  # it may hold itself
        schemas[kind.__name__] = _of_model(kind, schemas)
    return {"allOf": [{"$ref": _PREFIX + kind.__name__}], **nullable}


def _of_model(model: Any, schemas: dict[str, Schema]) -> Schema:
    nullable = {"nullable": True} if model._nullable else {}
    if issubclass(model, ModelSimple):
        schema = {**_of_type(model.openapi_types["value"], schemas), **nullable}
        allowed = model.allowed_values.get(("value",))
        return {**schema, "enum": list(allowed.values())} if allowed else schema
    types = dict(model.openapi_types)
    required = _required(model)
    if issubclass(model, ModelComposed):
        for part in model._composed_schemas["allOf"]:
            types |= part.openapi_types
    names = {attribute: model.attribute_map.get(attribute, attribute) for attribute in types}
    properties = {}
    for attribute, kinds in types.items():
        schema = dict(_of_type(kinds, schemas))
        for bound, amount in model.validations.get((attribute,), {}).items():
            schema[_BOUNDS[bound]] = amount
        if allowed := model.allowed_values.get((attribute,)):
            schema["enum"] = [value for value in allowed.values() if value is not None]
        properties[names[attribute]] = schema
    return {
        "type": "object",
        "properties": properties,
        "required": [names.get(name, name) for name in required],
        **nullable,
    }


def _required(model: Any) -> list[str]:
    """The parameters that the SDK insists on when it reads the wire."""
    parts = model._composed_schemas["allOf"] if issubclass(model, ModelComposed) else [model]
    found: list[str] = []
    for part in [model, *parts]:
        parameters = inspect.signature(part._from_openapi_data).parameters.values()
        found += [
            parameter.name
            for parameter in parameters
            if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
            and parameter.default is inspect.Parameter.empty
            and parameter.name != "self"
        ]
    return list(dict.fromkeys(found))
