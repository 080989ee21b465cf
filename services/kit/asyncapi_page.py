"""The AsyncAPI document as one readable page, which needs no script and nothing from anywhere else."""

import json
import re
from collections.abc import Iterable
from html import escape
from typing import Any

Part = dict[str, Any]

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; color: #1b1f24; }
h2 { border-bottom: 2px solid #d0d7de; margin-top: 3rem; } h3 { margin-top: 2.5rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; background: #f4f6f8; border-radius: 4px; }
code { padding: .1em .3em; } pre { padding: .8rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } td, th { border: 1px solid #d0d7de; padding: .3rem .6rem; }
td, th { text-align: left; vertical-align: top; } a { color: #0550ae; } nav ul { columns: 2; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3; } a { color: #79b8ff; }
  code, pre { background: #161b22; } td, th, h2 { border-color: #30363d; } }
"""


def asyncapi_page(document: Part) -> str:
    """Return the page: each channel with its promises, each message with headers, data and an example."""
    info = document["info"]
    channels = document["channels"].items()
    body = [
        f"<h1>{escape(info['title'])}: topics</h1>",
        _prose(info["description"]),
        '<p><a href="asyncapi.json">This document as JSON</a> (AsyncAPI '
        f'{escape(document["asyncapi"])}) · <a href="docs">the HTTP API</a></p>',
        _contents(document),
        *(_channel(document, name, channel) for name, channel in channels),
        "<h2 id='shared'>Shared shapes</h2>",
        *(_shape(name, schema) for name, schema in _shared(document)),
    ]
    title = escape(f"{info['title']}: topics")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>{''.join(body)}</body></html>\n"
    )


def _contents(document: Part) -> str:
    lists = []
    for name, channel in document["channels"].items():
        links = "".join(f"<li>{_link(f'message-{each}', each)}</li>" for each in channel["messages"])
        lists.append(f"<p>{_link(f'channel-{name}', channel['title'])}</p><ul>{links}</ul>")
    return f"<nav>{''.join(lists)}</nav>"


def _channel(document: Part, name: str, channel: Part) -> str:
    kafka = channel["bindings"]["kafka"]
    facts = {"partitions": kafka["partitions"], **kafka["topicConfiguration"]}
    (action,) = (each["action"] for each in document["operations"].values() if each["channel"] == _to(name))
    rows = [
        ("topic", f"<code>{escape(_address(channel))}</code>"),
        ("Pipeloom", escape(f"{action}s")),
        *((escape(fact), f"<code>{escape(_compact(value))}</code>") for fact, value in facts.items()),
    ]
    messages = (_message(document, each) for each in channel["messages"])
    return (
        f'<h2 id="channel-{escape(name)}">{escape(channel["title"])}</h2><p>{escape(channel["summary"])}</p>'
        f"{_table(('', ''), rows)}{_prose(channel['description'])}{''.join(messages)}"
    )


def _to(channel: str) -> Part:
    return {"$ref": f"#/channels/{channel}"}


def _address(channel: Part) -> str:
    return str(channel["address"].format(**{name: each["default"] for name, each in channel["parameters"].items()}))


def _message(document: Part, name: str) -> str:
    message = document["components"]["messages"][name]
    payload = document["components"]["schemas"][name]
    shared, own = (_resolved(document, each) for each in message["headers"]["allOf"])
    uri = own["properties"]["ce_dataschema"]["const"].partition(":")[2].lstrip("/")
    parts = [
        f'<h3 id="message-{escape(name)}">{escape(message["title"])}</h3>',
        f"<p><code>{escape(message['name'])}</code> {escape(message['summary'])}</p>",
        "<h4>Data</h4>",
        _fields(payload["properties"], payload.get("required", ())),
        f'<p><a href="{escape(uri)}">JSON Schema</a></p>',
        f"<details><summary>Headers</summary>{_fields(shared['properties'] | own['properties'], shared['required'])}"
        "</details>",
    ]
    for example in message["examples"]:
        headers = "\n".join(f"{header}: {text}" for header, text in example["headers"].items())
        parts.append(f"<details open><summary>Example</summary><pre>{escape(headers)}</pre>{_json(example['payload'])}")
        parts.append("</details>")
    return "".join(parts)


def _fields(properties: Part, required: Iterable[str]) -> str:
    needed = set(required)
    rows = [
        (
            f"<code>{escape(name)}</code>",
            "yes" if name in needed else "no",
            _kind(form),
            _inline(form.get("description", "")),
        )
        for name, form in properties.items()
    ]
    return _table(("name", "required", "form", "meaning"), rows)


def _kind(form: Part) -> str:
    """Return in a few words what values a field has, with links to shared shapes."""
    if "$ref" in form:
        name = form["$ref"].rpartition("/")[2]
        return _link(f"shape-{name}", name)
    if "anyOf" in form:
        return " or ".join(_kind(each) for each in form["anyOf"])
    if form.get("type") == "array":
        return f"list of {_kind(form.get('items', {}))}"
    if "const" in form:
        return f"<code>{escape(_compact(form['const']))}</code>"
    if "enum" in form:
        return ", ".join(f"<code>{escape(_compact(each))}</code>" for each in form["enum"])
    told = " ".join(str(form[each]) for each in ("type", "format") if each in form) or "any JSON"
    pattern = f" matching <code>{escape(form['pattern'])}</code>" if "pattern" in form else ""
    return escape(told) + pattern


def _shared(document: Part) -> Iterable[tuple[str, Part]]:
    shown = set(document["components"]["messages"])
    return sorted((name, each) for name, each in document["components"]["schemas"].items() if name not in shown)


def _shape(name: str, schema: Part) -> str:
    return f'<h3 id="shape-{escape(name)}">{escape(name)}</h3>{_inline_block(schema)}{_json(schema)}'


def _inline_block(schema: Part) -> str:
    return f"<p>{_inline(schema['description'])}</p>" if "description" in schema else ""


def _resolved(document: Part, part: Part) -> Part:
    if "$ref" not in part:
        return part
    place: Any = document
    for key in part["$ref"].removeprefix("#/").split("/"):
        place = place[key]
    return dict(place)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table; the cells of `rows` are HTML already."""
    head = "".join(f"<th>{escape(each)}</th>" for each in heads) if any(heads) else ""
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{lines}</table>"


def _link(anchor: str, text: str) -> str:
    return f'<a href="#{escape(anchor)}">{escape(text)}</a>'


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(each)}</p>" for each in text.split("\n\n"))


def _inline(text: str) -> str:
    """Return text as HTML, with what our descriptions use of Markdown: code, bold, emphasis."""
    told = escape(text)
    told = re.sub(r"`([^`]+)`", r"<code>\1</code>", told)
    told = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", told)
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", told)


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _compact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
