"""The ids of dead letters, and how their bytes are told."""

from datetime import UTC, datetime

import pytest

from services.kit.dead_letters import DeadLetter, LetterId, Place, entry_of, page_of


@pytest.mark.parametrize("letter_id", [LetterId(0, 0), LetterId(3, 1042), LetterId(3, -999_999_999_000)])
def test_an_id_is_read_as_it_is_written(letter_id: LetterId) -> None:
    assert LetterId.parse(str(letter_id)) == letter_id


@pytest.mark.parametrize("text", ["", "3", "-1-2", "3-", "3-1-2", "3-1 ", "٣-1", "3-" + "9" * 19])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="3-1042"):
        LetterId.parse(text)


def test_a_place_is_read_as_it_is_written() -> None:
    place = Place(datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC), LetterId(3, -7))
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize("text", ["3-1042", "x-3-1", "9" * 18 + "-3-1"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Link|beyond"):
        Place.parse(text)


def test_bytes_are_told_as_base64_and_as_text_where_they_are_text() -> None:
    letter = DeadLetter(
        LetterId(3, 1),
        None,
        None,
        "invalid_json",
        "no JSON",
        datetime(2026, 1, 31, tzinfo=UTC),
        "open",
        None,
        None,
        None,
        1,
        key=b"lab",
        value=b"\xff",
        headers=[("ce_type", b"x")],
    )
    told = page_of(letter)
    assert told["key"] == {"text": "lab", "base64": "bGFi"}
    assert told["value"] == {"text": None, "base64": "/w=="}
    assert told["headers"] == [{"name": "ce_type", "value": "x"}]
    assert set(entry_of(letter)) < set(told)
