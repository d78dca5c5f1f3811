"""What every call of the API shares: how it is declared, read, limited, listed and refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, TypeVar, cast

from flask import Response, current_app, request, stream_with_context
from flask_smorest import Api, Blueprint
from marshmallow import RAISE, Schema, fields, validate
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import MultiDict

from app.extensions import limiter
from app.kernel import limits
from app.kernel.errors import Invalid, PreconditionFailed
from app.kernel.texts import is_storable
from app.reports.paging import Page
from app.tenancy.permissions import Permission
from app.web.access import KEY_HEADER, needs
from app.web.idempotency import HEADER as IDEMPOTENCY_HEADER
from app.web.idempotency import answered_once
from app.web.problems import CONTENT_TYPE as PROBLEM_TYPE

View = TypeVar("View", bound=Callable[..., Any])

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
_ALWAYS_REFUSED: Final = (401, 403, 429, 500, 503)
_ADDRESSES_ONE: Final = (404,)


class Body(Schema):
    """What is sent: unknown fields are a mistake that is better heard of."""

    class Meta:
        unknown = RAISE


class Query(Schema):
    """What stands behind the question mark."""


class Instant(fields.AwareDateTime):
    """A time with its zone that is still one when told in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **others: Any) -> datetime:
        try:
            return super()._deserialize(value, attr, data, **others).astimezone(UTC)
        except OverflowError:
            raise self.make_error("invalid", input=value, obj_type="datetime") from None


class Paging(Query):
    limit = fields.Int(
        load_default=limits.API_PAGE_ROWS,
        validate=validate.Range(1, limits.API_PAGE_ROWS_MAX),
        metadata={"description": "Rows of one page."},
    )
    cursor = fields.Str(
        load_default="",
        validate=validate.Length(max=500),
        metadata={"description": "`next_cursor` of the page before; left out for the first."},
    )


class Problem(Schema):
    """RFC 9457."""

    type = fields.Str(required=True)
    title = fields.Str(required=True)
    status = fields.Int(required=True)
    detail = fields.Str(required=True)
    code = fields.Str(required=True)
    request_id = fields.Str(required=True)
    errors = fields.Dict(
        keys=fields.Str(),
        values=fields.List(fields.Str()),
        metadata={"description": "Messages by field, or by line of a file."},
    )


def page_of(schema: type[Schema]) -> Schema:
    """Return the schema of a page of these."""
    return Schema.from_dict(
        {
            "data": fields.List(fields.Nested(schema), required=True),
            "next_cursor": fields.Str(required=True, allow_none=True),
        },
        name=f"{schema.__name__}Page",
    )()


def wrapped(name: str, **parts: Schema | fields.Field[Any] | type[Schema]) -> Schema:
    """Return the schema of an object with these parts."""
    members = {
        key: part if isinstance(part, fields.Field) else fields.Nested(part, required=True)
        for key, part in parts.items()
    }
    return Schema.from_dict(members, name=name)()


class StrictParser(FlaskParser):
    """Reads JSON as it is meant: no name twice, no depth without end, no NaN."""

    def load_json(self, req: Any, schema: Any) -> Any:
        del schema
        if req.mimetype != JSON and not req.mimetype.endswith("+json"):
            raise _Unsupported
        req.max_content_length = limits.API_JSON_BYTES_MAX
        return strict_json(req.get_data())

    def load_querystring(self, req: Any, schema: Any) -> Any:
        _refuse_nul(req.args)
        return super().load_querystring(req, schema)

    def load_form(self, req: Any, schema: Any) -> Any:
        _refuse_nul(req.form)
        return super().load_form(req, schema)


def _refuse_nul(values: MultiDict[str, str]) -> None:
    """Refuse the one character that no text of the database can hold."""
    wrong = {name for name, value in values.items(multi=True) if not is_storable(name + value)}
    if wrong:
        sentence = "This holds the character U+0000, which no text has."
        raise Invalid(sentence, {name.replace("\0", ""): [sentence] for name in wrong})


class _Unsupported(Invalid):
    code = "unsupported_media_type"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    title = "Unsupported media type"

    def __init__(self) -> None:
        super().__init__("Send the body as application/json; nothing was done.")


class NotJson(Invalid):
    code = "not_json"
    status = HTTPStatus.BAD_REQUEST
    title = "The body is not JSON"


def strict_json(data: bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        NotJson: It is none, names a member twice, or nests too deep.
    """
    try:
        value = json.loads(data, object_pairs_hook=_once_each, parse_constant=_no_constant)
    except RecursionError:
        raise NotJson("The body nests too deep; nothing was done.") from None
    except ValueError as error:
        raise NotJson(f"The body is not JSON: {error}. Nothing was done.") from None
    _refuse_unfit(value)
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"“{twice[:60]}” stands twice in one object")
    return members


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")


def _refuse_unfit(value: object) -> None:
    """Refuse what nests too deep or holds a text that cannot be kept; without recursion.

    Raises:
        NotJson: It does.
    """
    level = [value]
    for _ in range(limits.API_JSON_DEPTH_MAX):
        if not all(is_storable(one) for one in level if isinstance(one, str)):
            raise NotJson("The body holds U+0000 or half a character; nothing was done.")
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise NotJson("The body nests too deep; nothing was done.")


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return (*value, *value.values())
    return value if isinstance(value, list) else ()


def key_of_caller() -> str:
    """Return whose calls are counted together: one API key, or who sends none."""
    key = request.headers.get(KEY_HEADER, "")
    return hashlib.sha256(key.encode()).hexdigest() if key else request.remote_addr or "unknown"


class TieoutApi(Api):  # type: ignore[misc]
    """The description; what is refused is rendered by the application's own handlers."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """One handler answers for pages and programs: `app.web.refusals`."""


@dataclass(frozen=True, slots=True)
class Takes:
    """How the body of a call is sent.

    Args:
        schema: Of JSON, or of the other fields of a form with files.
        files: Of a form with files.
        example: One that works.
    """

    schema: type[Body]
    files: type[Schema] | None = None
    example: Mapping[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Link:
    """A call that goes on with a value of an answer.

    Args:
        operation: Name of its view.
        parameter: Of its address.
        pointer: JSON pointer to the value in the answer's body.
    """

    operation: str
    parameter: str
    pointer: str

    def described(self) -> dict[str, Any]:
        value = f"$response.body#{self.pointer}"
        return {"operationId": self.operation, "parameters": {self.parameter: value}}


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """An area of the API, whose calls say in one place all that the description tells."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, url_prefix: str, description: str) -> None:
        super().__init__(name, __name__, url_prefix=url_prefix, description=description)
        limiter.shared_limit(limits.API_CALLS_PER_MINUTE, "api", key_func=key_of_caller)(self)

    def call(
        self,
        method: str,
        rule: str,
        *,
        needs_permission: Permission,
        gives: Schema | type[Schema],
        status: int = 200,
        takes: Takes | None = None,
        query: type[Query] | None = None,
        refuses: Sequence[int] = (),
        also_gives: Iterable[tuple[int, Schema | type[Schema] | None, str]] = (),
        leads_to: Sequence[Link] = (),
    ) -> Callable[[View], View]:
        """Declare one call of the API.

        Args:
            refuses: Statuses beside those that every call can answer with.
            also_gives: Other good answers: status, schema, content type.
            leads_to: Calls that go on with what this one gives.
        """

        def declare(view: View) -> View:
            declared: Any = needs(needs_permission)(view)
            declared = self.response(status, gives)(declared)
            for other_status, schema, content_type in also_gives:
                declared = self._also(declared, other_status, schema, content_type)
            refused = {*refuses, *((422,) if method == "POST" else ())}
            declared = self._refusals(declared, rule, takes, query, refused)
            if takes is not None:
                declared = self._taking(declared, takes)
            if query is not None:
                declared = self.arguments(query, location="query")(declared)
            if method == "POST":
                declared = answered_once(declared)
                declared = self.doc(parameters=[_IDEMPOTENCY])(declared)
            described: dict[str, Any] = {"operationId": view.__name__}
            if leads_to:
                links = {link.operation: link.described() for link in leads_to}
                described["responses"] = {status: {"links": links}}
            declared = self.doc(**described)(declared)
            options = {"methods": [method], "strict_slashes": False}
            self.route(rule, **options)(declared)
            return view

        return declare

    def _taking(self, view: Any, takes: Takes) -> Any:
        """Give the view its body; of a form the files come first, then the other fields."""
        if takes.files is None:
            return self.arguments(takes.schema, example=takes.example)(view)
        for schema, location in ((takes.schema, "form"), (takes.files, "files")):
            view = self.ARGUMENTS_PARSER.use_args(schema, location=location)(view)
        # What is sent as one body is described as one.
        parts = {**takes.schema().fields, **takes.files().fields}
        whole = Schema.from_dict(parts, name=f"{takes.files.__name__}Form")
        content = {"multipart/form-data": {"schema": whole}}
        return self.doc(requestBody={"required": True, "content": content})(view)

    def _also(
        self, view: Any, status: int, schema: Schema | type[Schema] | None, content_type: str
    ) -> Any:
        shown = {"type": "string"} if schema is None else schema
        return self.alt_response(status, schema=shown, content_type=content_type)(view)

    def _refusals(
        self,
        view: Any,
        rule: str,
        takes: Takes | None,
        query: type[Query] | None,
        refuses: Iterable[int],
    ) -> Any:
        statuses = {*_ALWAYS_REFUSED, *refuses}
        if "<" in rule:
            statuses |= {404}
        if takes is not None:
            statuses |= {400, 413, 415, 422}
        if query is not None:
            statuses |= {422}
        for status in sorted(statuses):
            view = self.alt_response(status, schema=Problem, content_type=PROBLEM_TYPE)(view)
        return view


_IDEMPOTENCY: Final = {
    "in": "header",
    "name": IDEMPOTENCY_HEADER,
    "required": False,
    "schema": {"type": "string", "maxLength": limits.IDEMPOTENCY_KEY_CHARACTERS_MAX},
    "description": "The same key and body within 24 hours give the first answer again.",
}


def etag_of(representation: Mapping[str, Any]) -> str:
    """Return the mark of what was read, by which a later change can name it."""
    text = json.dumps(representation, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def with_etag(schema: Schema, value: Any) -> Response:
    """Answer with one thing and its mark; 304 for who has it already."""
    document = schema.dump(value)
    response = cast("Response", current_app.json.response(document))
    response.set_etag(etag_of(document))
    response.make_conditional(request)
    return response


def require_match(schema: Schema, value: Any) -> None:
    """Hold an update to what its sender has read, where they say what that was.

    Raises:
        PreconditionFailed: It changed since.
    """
    if not request.if_match:
        return
    if not request.if_match.contains(etag_of(schema.dump(value))):
        raise PreconditionFailed(
            "It was changed since you read it; nothing was changed now. Read it again."
        )


def as_page(page: Page[Any]) -> dict[str, Any]:
    """Return a page as its schema shows it."""
    return {"data": page.rows, "next_cursor": page.next_cursor}


def wants_ndjson() -> bool:
    """Tell whether all rows are asked for, one JSON object a line, and not a page."""
    return request.accept_mimetypes.best_match([JSON, NDJSON]) == NDJSON


def ndjson(schema: Schema, rows: Iterable[Any]) -> Response:
    """Answer with every row, one JSON object a line, as they are read."""
    lines = (json.dumps(schema.dump(row), ensure_ascii=False) + "\n" for row in rows)
    return Response(stream_with_context(lines), mimetype=NDJSON)
