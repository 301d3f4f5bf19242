"""One request in curl, Python and JavaScript, made from what the OpenAPI document says of it: pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enlarger.server.docs.schema import Schema, alternatives, plain, resolve

KEY = "YOUR_KEY"
PHOTO, RESULT = "photo.jpg", "enlarged.png"
SAMPLES = {"prompt": "a cup of coffee", "email": "someone@example.org"}
"""Values for fields whose schema gives no example, by name."""


@dataclass(frozen=True)
class Call:
    """A request that may be sent as it is, but for the key and the picture."""

    method: str
    url: str
    headers: Mapping[str, str]
    fields: Mapping[str, str] | None
    """Of a multipart form; None where there is none."""
    files: tuple[str, ...]
    """Names of the form's fields that are pictures."""
    body: Any
    """JSON; None where there is none."""
    is_picture: bool
    """Whether the answer may be a picture."""


def calls_of(
    document: Schema, path: str, method: str, operation: Schema, base_url: str, headers: Mapping[str, str]
) -> list[tuple[str, Call]]:
    """A request for each example that the document has; else one with what is required, without a title.

    path     as the server answers it; `{name}` becomes `NAME`.
    headers  that carry the key.
    """
    content = operation.get("requestBody", {}).get("content", {})
    fields: dict[str, str] | None = None
    files: tuple[str, ...] = ()
    bodies: list[tuple[str, Any]] = [("", None)]
    if form := content.get("multipart/form-data"):
        schema = resolve(document, form["schema"])
        names = schema.get("required", ())
        properties = schema.get("properties", {})
        files = tuple(name for name in names if properties[name].get("format") == "binary")
        texts = [name for name in names if name not in files]
        fields = {name: str(sample(document, name, properties[name])) for name in texts}
    elif described := content.get("application/json"):
        given = described.get("examples", {}).items()
        bodies = [(one.get("summary", name), one["value"]) for name, one in given]
        if not bodies:
            body = described.get("example", sample(document, "", described.get("schema", {})))
            bodies = [("", body)]
    answer = operation.get("responses", {}).get("200", {}).get("content", {})
    return [
        (
            title,
            Call(
                method=method.upper(),
                url=base_url + re.sub(r"\{(\w+)\}", lambda match: snake(match[1]).upper(), path),
                headers=headers,
                fields=fields,
                files=files,
                body=body,
                is_picture=any(media_type.startswith("image/") for media_type in answer),
            ),
        )
        for title, body in bodies
    ]


def sample(document: Schema, name: str, schema: Schema) -> Any:
    """A value that the schema allows; of an object what is required."""
    schema = resolve(document, plain(schema))
    if "example" in schema:
        return schema["example"]
    for one in schema.get("examples", ()):
        return one
    for choice in alternatives(schema):
        return sample(document, name, choice)
    if "const" in schema or schema.get("enum"):
        return schema["const"] if "const" in schema else schema["enum"][0]
    if schema.get("default") is not None:
        return schema["default"]
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {
                key: sample(document, key, properties.get(key, {})) for key in schema.get("required", ())
            }
        case "array":
            return [sample(document, name, schema.get("items", {}))]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    text = SAMPLES.get(name, snake(name).upper() or "TEXT")
    return text.ljust(schema.get("minLength", 0), "_")


def curl(call: Call) -> str:
    """For a shell."""
    first = "curl --fail-with-body" + ("" if call.method in ("GET", "POST") else f" -X {call.method}")
    if call.method == "POST" and call.fields is None and call.body is None:
        first += " -X POST"
    lines = [f"{first} {shlex.quote(call.url)}"]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in call.headers.items()]
    lines += [f"-F {name}=@{PHOTO}" for name in call.files]
    lines += [f"-F {shlex.quote(f'{name}={value}')}" for name, value in (call.fields or {}).items()]
    if call.body is not None:
        lines += ["-H 'content-type: application/json'", f"-d {shlex.quote(json.dumps(call.body))}"]
    if call.is_picture:
        lines.append(f"-o {RESULT}")
    return " \\\n  ".join(lines)


def python(call: Call) -> str:
    """For Python with the package `requests`."""
    lines = [f'"{call.url}"', f"headers={dict(call.headers)!r}"]
    if call.files:
        lines.append("files={" + ", ".join(f'"{name}": open("{PHOTO}", "rb")' for name in call.files) + "}")
    if call.fields:
        lines.append(f"data={dict(call.fields)!r}")
    if call.body is not None:
        lines.append(f"json={call.body!r}")
    arguments = "".join(f"    {line},\n" for line in lines)
    end = f'open("{RESULT}", "wb").write(answer.content)' if call.is_picture else "print(answer.text)"
    name = call.method.lower()
    return f"import requests\n\nanswer = requests.{name}(\n{arguments})\nanswer.raise_for_status()\n{end}"


def javascript(call: Call) -> str:
    """For Node 20 or newer, as a module; in a browser the picture comes from an input."""
    lines = []
    body = None
    if call.files or call.is_picture:
        lines.append("import fs from 'node:fs';\n")
    if call.fields is not None:
        lines.append("const form = new FormData();")
        lines += [
            f"form.append('{name}', await fs.openAsBlob('{PHOTO}'), '{PHOTO}');" for name in call.files
        ]
        lines += [f"form.append('{name}', {json.dumps(value)});" for name, value in call.fields.items()]
        body = "form"
    headers = dict(call.headers)
    if call.body is not None:
        headers["content-type"] = "application/json"
        body = f"JSON.stringify({json.dumps(call.body)})"
    options = [f"method: '{call.method}'", f"headers: {json.dumps(headers)}"]
    options += [] if body is None else [f"body: {body}"]
    lines.append(f"const answer = await fetch('{call.url}', {{")
    lines += [f"  {option}," for option in options]
    lines += ["});", "if (!answer.ok) throw new Error(await answer.text());"]
    if call.is_picture:
        lines.append(f"fs.writeFileSync('{RESULT}', Buffer.from(await answer.arrayBuffer()));")
    else:
        lines.append("console.log(await answer.text());")
    return "\n".join(lines)


def snake(name: str) -> str:
    """`assetId` as `asset_id`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
