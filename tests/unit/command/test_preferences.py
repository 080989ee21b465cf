"""What the headers say of waiting, repeating and versions."""

import pytest
from starlette.datastructures import Headers

from events.refusals import Code, Refused
from services.command.preferences import MAX_WAIT_S, read_if_match, read_preferences, refuse_if_match


def wait_s(prefer: str) -> float | None:
    return read_preferences(Headers({"Prefer": prefer})).wait_s


def refusal(headers: Headers) -> Refused:
    with pytest.raises(Refused) as caught:
        read_preferences(headers)
    return caught.value


def test_without_a_preference_the_server_decides_how_long_to_wait() -> None:
    assert read_preferences(Headers({})).wait_s is None


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=5", 5.0),
        ("wait=0", 0.0),
        ("WAIT=5", 5.0),
        ("wait = 5", 5.0),
        ('wait="5"', 5.0),
        ("wait=005", 5.0),
        ("wait=60", MAX_WAIT_S),
        ("wait=61", MAX_WAIT_S),
        ("wait=999999", MAX_WAIT_S),
        (f"wait={10**30}", MAX_WAIT_S),
        (f"wait={'9' * 5000}", MAX_WAIT_S),
        ("respond-async", 0.0),
        ("Respond-Async", 0.0),
        ("respond-async, wait=5", 5.0),
        ("wait=5,respond-async", 5.0),
        ("return=minimal, wait=5", 5.0),
        ("wait=5; why=patience", 5.0),
        ("respond-async; why=haste", 0.0),
        ("wait=5, wait=7", 5.0),
    ],
)
def test_a_preference_says_how_long_to_wait(prefer: str, seconds: float) -> None:
    assert wait_s(prefer) == seconds


@pytest.mark.parametrize("prefer", ["", ",", "return=minimal", "handling=lenient, foo", "waits=5", "=5"])
def test_a_preference_that_is_not_ours_is_ignored(prefer: str) -> None:
    assert wait_s(prefer) is None


@pytest.mark.parametrize("prefer", ["wait", "wait=", "wait=-1", "wait=1.5", "wait=soon", "wait=٣"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(prefer: str) -> None:
    refused = refusal(Headers({"Prefer": prefer}) if prefer.isascii() else Headers(raw=[(b"prefer", prefer.encode())]))
    assert refused.code is Code.INVALID_HEADER
    assert "whole seconds" in refused.message


def test_preferences_may_come_in_several_headers() -> None:
    headers = Headers(raw=[(b"prefer", b"respond-async"), (b"prefer", b"wait=5")])
    assert read_preferences(headers).wait_s == 5.0


@pytest.mark.parametrize("key", ["1", "0b1c8a0e-7d2f-4c1e-9a51-3f0d5e1d2c3b", "a b", "x" * 255, "é"])
def test_an_idempotency_key_is_kept_as_it_is(key: str) -> None:
    headers = Headers(raw=[(b"idempotency-key", key.encode("latin-1"))])
    assert read_preferences(headers).idempotency_key == key


def test_without_an_idempotency_key_there_is_none() -> None:
    assert read_preferences(Headers({})).idempotency_key is None


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "a\x7f", "a\x85"])
def test_an_idempotency_key_that_is_not_printable_or_too_long_is_refused(key: str) -> None:
    refused = refusal(Headers(raw=[(b"idempotency-key", key.encode("latin-1"))]))
    assert refused.code is Code.INVALID_HEADER
    assert refused.message.startswith("Idempotency-Key must be 1 to 255 printable characters")


@pytest.mark.parametrize(
    ("given", "version"), [('"17"', 17), ('"0"', 0), (' "17" ', 17), ("*", None), (f'"{"9" * 18}"', 10**18 - 1)]
)
def test_if_match_names_a_version_or_any(given: str, version: int | None) -> None:
    assert read_if_match(Headers({"If-Match": given})) == version


def test_without_if_match_no_version_is_expected() -> None:
    assert read_if_match(Headers({})) is None


@pytest.mark.parametrize("given", ["", "17", 'W/"17"', '"17", "18"', '"-1"', '"a"', '""', f'"{"9" * 19}"'])
def test_an_if_match_that_we_never_gave_is_refused(given: str) -> None:
    with pytest.raises(Refused) as caught:
        read_if_match(Headers({"If-Match": given}))
    assert caught.value.code is Code.INVALID_HEADER
    assert 'for example "17"' in caught.value.message


@pytest.mark.parametrize("given", ['"17"', "*", ""])
def test_an_if_match_is_refused_where_it_would_be_without_effect(given: str) -> None:
    with pytest.raises(Refused, match="Only the deletion of a pipeline takes If-Match for now") as caught:
        refuse_if_match(Headers({"If-Match": given}))
    assert caught.value.code is Code.INVALID_HEADER
