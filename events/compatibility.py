"""Tells whether a changed model still keeps the promises of its checked-in JSON Schema."""

from collections.abc import Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]

ANYTHING = "anything"
_LOWER_LIMITS = ("minLength", "minimum", "exclusiveMinimum", "minItems")
_UPPER_LIMITS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems")


class _Part(NamedTuple):
    """A schema within a document, with the definitions that its references point to."""

    schema: Schema
    definitions: dict[str, Schema]

    def at(self, schema: Schema) -> "_Part":
        """Return the part that `schema` describes, its reference followed."""
        reference = schema.get("$ref")
        if reference is None:
            return _Part(schema, self.definitions)
        return self.at(self.definitions[reference.removeprefix("#/$defs/")])

    def alternatives(self) -> "dict[str, _Part]":
        """Return the alternatives of this part by their type; one without a type takes anything."""
        if "anyOf" not in self.schema:
            return {self.schema.get("type", ANYTHING): self}
        found: dict[str, _Part] = {}
        for schema in self.schema["anyOf"]:
            for kind, part in self.at(schema).alternatives().items():
                if kind in found:
                    raise ValueError(f"two alternatives of type {kind} cannot be told apart: {self.schema}")
                found[kind] = part
        return found

    def fields(self) -> "dict[str, _Part]":
        return {name: self.at(schema) for name, schema in self.schema.get("properties", {}).items()}

    def values(self) -> list[Any] | None:
        """Return the only values that are allowed, or None when any are."""
        return [self.schema["const"]] if "const" in self.schema else self.schema.get("enum")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Return what was valid under `old` and is refused or ignored under `new`; nothing when the change is harmless."""
    before, after = _root(old), _root(new)
    removed = sorted(set(_paths(before, "")) - set(_paths(after, "")))
    return [
        *(f"{path}: the field is gone" for path in removed),
        *(f"{difference}: was valid, is refused now" for difference in _only_in(before, after, "")),
        *_other_meanings(before, after, ""),
    ]


def surprises(old: Schema, new: Schema) -> list[str]:
    """Return what a consumer that was written for `old` does not expect and `new` may bring; new fields are none."""
    return [
        f"{difference}: could not come, may come now" for difference in sorted(_only_in(_root(new), _root(old), ""))
    ]


def _root(schema: Schema) -> _Part:
    definitions: dict[str, Schema] = schema.get("$defs", {})
    return _Part({}, definitions).at(schema)


def _paths(part: _Part, path: str) -> Iterator[str]:
    """Give the path of every field at or below `part`."""
    for alternative in part.alternatives().values():
        if "items" in alternative.schema:
            yield from _paths(alternative.at(alternative.schema["items"]), f"{path}[]")
        for name, field in alternative.fields().items():
            below = _join(path, name)
            yield below
            yield from _paths(field, below)


def _only_in(wide: _Part, narrow: _Part, path: str) -> Iterator[str]:
    """Give what `wide` allows at or below `path` and `narrow` does not."""
    allowed = narrow.alternatives()
    if ANYTHING in allowed:
        return
    for kind, alternative in wide.alternatives().items():
        counterpart = allowed.get(kind) or (allowed.get("number") if kind == "integer" else None)
        if counterpart is None:
            yield f"{path or 'the data'} of type {kind}"
        else:
            yield from _within_a_type(alternative, counterpart, path)


def _within_a_type(wide: _Part, narrow: _Part, path: str) -> Iterator[str]:
    yield from _values(wide.values(), narrow.values(), path)
    yield from _limits(wide.schema, narrow.schema, path)
    if "items" in wide.schema and "items" in narrow.schema:
        yield from _only_in(wide.at(wide.schema["items"]), narrow.at(narrow.schema["items"]), f"{path}[]")
    required = set(narrow.schema.get("required", ())) - set(wide.schema.get("required", ()))
    yield from (f"{_join(path, name)} left out" for name in sorted(required))
    narrow_fields = narrow.fields()
    for name, field in wide.fields().items():
        if name in narrow_fields:
            yield from _only_in(field, narrow_fields[name], _join(path, name))


def _other_meanings(old: _Part, new: _Part, path: str) -> Iterator[str]:
    """Give each field at or below both parts that means something else than before when it is left out."""
    counterparts = new.alternatives()
    for kind, alternative in old.alternatives().items():
        counterpart = counterparts.get(kind)
        if counterpart is None:
            continue
        if "items" in alternative.schema and "items" in counterpart.schema:
            items = alternative.at(alternative.schema["items"]), counterpart.at(counterpart.schema["items"])
            yield from _other_meanings(*items, f"{path}[]")
        before, after = (each.schema.get("properties", {}) for each in (alternative, counterpart))
        for name in before.keys() & after.keys():
            below = _join(path, name)
            field, changed = alternative.at(before[name]), counterpart.at(after[name])
            if not any(_only_in(field, changed, below)):  # else it is told already
                yield from _other_default(before[name], after[name], below)
            yield from _other_meanings(field, changed, below)


def _other_default(old: Schema, new: Schema, path: str) -> Iterator[str]:
    if "default" in old and "default" in new and old["default"] != new["default"]:
        yield f"{path} left out: meant {old['default']!r}, means {new['default']!r} now"


def _values(wide: list[Any] | None, narrow: list[Any] | None, path: str) -> Iterator[str]:
    if narrow is None:
        return
    if wide is None:
        yield f"{path} other than {narrow}"
        return
    yield from (f"{path} = {value!r}" for value in wide if value not in narrow)


def _limits(wide: Schema, narrow: Schema, path: str) -> Iterator[str]:
    for limit in _LOWER_LIMITS:
        if limit in narrow and wide.get(limit, float("-inf")) < narrow[limit]:
            yield f"{path} below {limit} {narrow[limit]}"
    for limit in _UPPER_LIMITS:
        if limit in narrow and wide.get(limit, float("inf")) > narrow[limit]:
            yield f"{path} above {limit} {narrow[limit]}"
    if "pattern" in narrow and wide.get("pattern") != narrow["pattern"]:
        yield f"{path} that does not match {narrow['pattern']}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
