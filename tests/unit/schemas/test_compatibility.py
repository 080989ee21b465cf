"""What counts as breaking a published schema."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, JsonValue, create_model

from events.compatibility import breaking_changes, surprises

INTO_STRICTER = "was valid, is refused now"
INTO_WIDER = "could not come, may come now"


class Before(BaseModel):
    """The published version."""

    name: str
    mode: Literal["a", "b"] = "a"
    note: str | None = None
    count: int = 0
    tags: list[str] = []
    extra: JsonValue = None


class Inner(BaseModel):
    value: int


class StricterInner(BaseModel):
    value: str


class EmptierInner(BaseModel):
    pass


def _schema(*without: str, **changed: Any) -> dict[str, Any]:
    """Return the schema of `Before` without some fields and with others changed or added."""
    fields: dict[str, Any] = {
        name: (field.annotation, field) for name, field in Before.model_fields.items() if name not in without
    }
    model: type[BaseModel] = create_model("Before", **{**fields, **changed})
    return model.model_json_schema()


def _outer(inner: type[BaseModel], listed: type[BaseModel]) -> dict[str, Any]:
    model: type[BaseModel] = create_model("Outer", inner=(inner, ...), more=(list[listed], []))  # type: ignore[valid-type]
    return model.model_json_schema()


BEFORE = _schema()


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        _schema(added=(int, 0)),
        _schema(added=(str | None, None)),
        _schema(name=(str, "unnamed")),
        _schema(name=(str | None, ...)),
        _schema(mode=(Literal["a", "b", "c"], "a")),
        _schema(mode=(str, "a")),
        _schema(count=(float, 0)),
        _schema(tags=(list[str | int], [])),
        _schema(note=(JsonValue, None)),
    ],
    ids=[
        "nothing",
        "a field more",
        "a nullable field more",
        "no longer required",
        "nullable",
        "a value more",
        "any value",
        "wider number",
        "wider items",
        "anything",
    ],
)
def test_a_change_that_accepts_what_was_valid_breaks_nothing(after: dict[str, Any]) -> None:
    assert breaking_changes(BEFORE, after) == []


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (_schema("count"), "count: the field is gone"),
        (_schema(count=(int, ...)), f"count left out: {INTO_STRICTER}"),
        (_schema(added=(int, ...)), f"added left out: {INTO_STRICTER}"),
        (_schema(count=(str, "0")), f"count of type integer: {INTO_STRICTER}"),
        (_schema(note=(str, "")), f"note of type null: {INTO_STRICTER}"),
        (_schema(mode=(Literal["a"], "a")), f"mode = 'b': {INTO_STRICTER}"),
        (_schema(name=(Literal["x", "y"], ...)), f"name other than ['x', 'y']: {INTO_STRICTER}"),
        (_schema(tags=(list[int], [])), f"tags[] of type string: {INTO_STRICTER}"),
        (_schema(extra=(str, "")), f"extra of type anything: {INTO_STRICTER}"),
        (_schema(name=(str, Field(min_length=1))), f"name below minLength 1: {INTO_STRICTER}"),
        (_schema(tags=(list[str], Field([], max_length=9))), f"tags above maxItems 9: {INTO_STRICTER}"),
        (_schema(name=(str, Field(pattern="^a"))), f"name that does not match ^a: {INTO_STRICTER}"),
        (_schema(count=(int, 1)), "count left out: meant 0, means 1 now"),
        (_schema(mode=(Literal["a", "b"], "b")), "mode left out: meant 'a', means 'b' now"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_change_that_refuses_or_drops_what_was_valid_is_told(after: dict[str, Any], told: str) -> None:
    assert breaking_changes(BEFORE, after) == [told]


def test_what_lies_deeper_is_told_with_its_path() -> None:
    assert breaking_changes(_outer(Inner, Inner), _outer(StricterInner, StricterInner)) == [
        f"inner.value of type integer: {INTO_STRICTER}",
        f"more[].value of type integer: {INTO_STRICTER}",
    ]


def test_another_meaning_that_lies_deeper_is_told_with_its_path() -> None:
    before = _outer(create_model("Inner", value=(int, 1)), create_model("Listed", value=(int | None, None)))
    after = _outer(create_model("Inner", value=(int, 2)), create_model("Listed", value=(int | None, 0)))
    assert sorted(breaking_changes(before, after)) == [
        "inner.value left out: meant 1, means 2 now",
        "more[].value left out: meant None, means 0 now",
    ]


def test_a_field_that_went_from_deeper_inside_is_told() -> None:
    assert breaking_changes(_outer(Inner, Inner), _outer(Inner, EmptierInner)) == ["more[].value: the field is gone"]


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (_schema(name=(str | None, ...)), f"name of type null: {INTO_WIDER}"),
        (_schema(name=(str, "unnamed")), f"name left out: {INTO_WIDER}"),
        (_schema(mode=(Literal["a", "b", "c"], "a")), f"mode = 'c': {INTO_WIDER}"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_consumer_is_surprised_by_what_could_not_come_before(after: dict[str, Any], told: str) -> None:
    assert surprises(BEFORE, after) == [told]


@pytest.mark.parametrize("after", [BEFORE, _schema(added=(int, ...)), _schema(mode=(Literal["a"], "a"))])
def test_a_consumer_is_not_surprised_by_new_fields_or_fewer_values(after: dict[str, Any]) -> None:
    assert surprises(BEFORE, after) == []


def test_alternatives_that_cannot_be_told_apart_are_not_guessed_at() -> None:
    either = {"anyOf": [{"type": "string", "minLength": 2}, {"type": "string", "maxLength": 1}]}
    with pytest.raises(ValueError, match="type string cannot be told apart"):
        breaking_changes(either, either)
