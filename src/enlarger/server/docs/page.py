"""Pages of HTML made from OpenAPI documents: pure, nothing in them that is not here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

from enlarger.server.docs.examples import KEY, calls_of, curl, javascript, python
from enlarger.server.docs.schema import Row, Schema, alternatives, resolve, row_of, rows_of, type_of

STYLE = files("enlarger.server.docs").joinpath("style.css").read_text("utf-8")
METHODS = ("get", "put", "post", "delete", "patch")
LANGUAGES = (("curl", curl), ("Python", python), ("JavaScript", javascript))
OPERATOR = (
    ("/healthz", "This process is alive."),
    ("/readyz", "A request sent now would be served; if not, which part is missing."),
    ("/metrics", "For Prometheus: from this machine, or with ENLARGER_METRICS_TOKEN."),
)


@dataclass(frozen=True)
class Book:
    """One dialect's document, and where it is served."""

    name: str
    """In `/docs/NAME` and `/NAME/openapi.json`."""
    document: Mapping[str, Any]
    prefix: str
    """Before every path of the document; empty where the vendor's own paths are at the root."""

    def operations(self) -> Iterator[tuple[str, str, Schema]]:
        """Path, method and description of every operation."""
        for path, methods in self.document["paths"].items():
            for method in METHODS:
                if method in methods:
                    yield path, method, methods[method]


def index(books: Sequence[Book]) -> str:
    """The list of all books."""
    rows = [
        (
            f'<a href="/docs/{book.name}">{escape(book.document["info"]["title"])}</a>',
            str(len(list(book.operations()))),
            f'<a href="/{book.name}/openapi.json">/{book.name}/openapi.json</a>',
        )
        for book in books
    ]
    operator = [(f"<code>{path}</code>", escape(text)) for path, text in OPERATOR]
    return _page(
        "Enlarger",
        "<p>Self-hosted image upscaling behind the APIs that programs already call. One key opens all of"
        " them; every vendor answers at its own paths, and once more below a prefix.</p>",
        "<h2>APIs</h2>",
        _table(("API", "Routes", "OpenAPI"), rows),
        "<h2>For whoever watches the server</h2>",
        _table(("Path", "Says"), operator),
    )


def page(book: Book, base_url: str) -> str:
    """One dialect.

    base_url  scheme and host of the examples.
    """
    info = book.document["info"]
    parts = [
        f'<p><a href="/docs">All APIs</a> · <a href="/{book.name}/openapi.json">OpenAPI</a> ·'
        f" version {escape(info['version'])}</p>",
        _paragraph(info.get("description")),
        "<ul>",
        *(
            f'<li><a href="#{_anchor(operation, path, method)}">{_title(book, path, method)}</a>'
            f" {escape(_summary(operation))}</li>"
            for path, method, operation in book.operations()
        ),
        "</ul>",
    ]
    for path, method, operation in book.operations():
        parts += _operation(book, path, method, operation, base_url)
    schemas = book.document.get("components", {}).get("schemas", {})
    if schemas:
        parts.append("<h2>Schemas</h2>")
    for name, schema in schemas.items():
        parts.append(f'<h3 id="schema-{escape(name)}">{escape(name)}</h3>')
        parts += [_paragraph(schema.get("description")), _fields(rows_of(schema))]
        if "enum" in schema:
            parts.append(_paragraph(f"One of {', '.join(map(str, schema['enum']))}."))
    return _page(info["title"], *parts)


def _summary(operation: Schema) -> str:
    mark = " (deprecated)" if operation.get("deprecated") else ""
    return f"{operation.get('summary', '')}{mark}"


def _operation(book: Book, path: str, method: str, operation: Schema, base_url: str) -> Iterator[str]:
    document = book.document
    yield f'<h2 id="{_anchor(operation, path, method)}">{_title(book, path, method)}</h2>'
    yield _paragraph(_summary(operation))
    yield _paragraph(operation.get("description"))
    parameters = [resolve(document, one) for one in operation.get("parameters", ())]
    for place in ("path", "query", "header"):
        rows = [_parameter(one) for one in parameters if one["in"] == place]
        if rows:
            yield f"<h3>In the {place}</h3>{_fields(rows)}"
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = resolve(document, content.get("schema", {}))
        yield f"<h3>Body, <code>{escape(media_type)}</code></h3>"
        yield _paragraph(schema.get("description")) + _fields(rows_of(schema))
        for choice in alternatives(schema):
            if "$ref" in choice:
                yield f"<p>It may be {_type(*type_of(choice))}.</p>"
    yield "<h3>Answers</h3>"
    answers = operation.get("responses", {}).items()
    yield _table(("Status", "Meaning", "Body"), [_answer(document, *answer) for answer in answers])
    for status, answer in answers:
        for media_type, content in resolve(document, answer).get("content", {}).items():
            if rows := list(rows_of(content.get("schema", {}))):
                yield f"<details><summary>{status}, <code>{escape(media_type)}</code></summary>"
                yield f"{_fields(rows)}</details>"
    calls = calls_of(document, book.prefix + path, method, operation, base_url, headers_of(document))
    for title, call in calls:
        yield f"<h3>Example{f': {_prose(title)}' if title else ''}</h3>"
        for number, (language, write) in enumerate(LANGUAGES):
            opened = "" if number else " open"
            yield f"<details{opened}><summary>{language}</summary>"
            yield f"<pre>{escape(write(call))}</pre></details>"


def _parameter(said: Schema) -> Row:
    schema = {"description": said.get("description", ""), **said.get("schema", {})}
    return row_of(said["name"], schema, is_required=said.get("required", False))


def headers_of(document: Schema) -> dict[str, str]:
    """The header that carries the key: the first of the document's security schemes."""
    for scheme in document.get("components", {}).get("securitySchemes", {}).values():
        if scheme["type"] == "apiKey" and scheme["in"] == "header":
            return {scheme["name"]: KEY}
        break
    return {"authorization": f"Bearer {KEY}"}


def _answer(document: Schema, status: str, answer: Schema) -> tuple[str, str, str]:
    answer = resolve(document, answer)
    bodies = []
    for media_type, content in answer.get("content", {}).items():
        kind, refers_to = type_of(content.get("schema", {}))
        named = _type(kind, refers_to) if refers_to else ""
        bodies.append(f"<code>{escape(media_type)}</code> {named}".strip())
    return escape(status), _prose(answer.get("description", "")), "<br>".join(bodies)


def _fields(rows: Iterable[Row]) -> str:
    cells = [
        (
            f"<code>{escape(row.name)}</code>",
            _type(row.type, row.refers_to) + (", required" if row.is_required else ""),
            escape(row.limits),
            _prose(row.description),
        )
        for row in rows
    ]
    return _table(("Field", "Type", "Limits", "Meaning"), cells) if cells else ""


def _type(kind: str, refers_to: str | None) -> str:
    if refers_to is None:
        return escape(kind)
    link = f'<a href="#schema-{escape(refers_to)}">{escape(refers_to)}</a>'
    return escape(kind).replace(escape(refers_to), link, 1)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _title(book: Book, path: str, method: str) -> str:
    return f'<span class="method">{method}</span> <code>{escape(book.prefix + path)}</code>'


def _anchor(operation: Schema, path: str, method: str) -> str:
    return escape(operation.get("operationId", f"{method}-{path}"))


def _paragraph(text: str | None) -> str:
    return f"<p>{_prose(text)}</p>" if text else ""


def _prose(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _page(title: str, *parts: str) -> str:
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )
