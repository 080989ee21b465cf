"""What a request's headers say of waiting and repeating: Prefer, Idempotency-Key, If-Match."""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers

from events.refusals import Code, Refused

MAX_WAIT_S = 60.0
MAX_KEY_LENGTH = 255

_ETAG = re.compile(r'"([0-9]{1,18})"')


@dataclass(frozen=True, slots=True)
class Preferences:
    """How long to wait for the result (None: as long as the server does), and what a repeat is known by."""

    wait_s: float | None
    idempotency_key: str | None


def read_preferences(headers: Headers) -> Preferences:
    """Return what the headers ask for. Raises Refused invalid_header."""
    return Preferences(_wait(",".join(headers.getlist("prefer"))), _key(headers.get("idempotency-key")))


def read_if_match(headers: Headers) -> int | None:
    """Return the version that `If-Match` names, or None for none or any. Raises Refused invalid_header."""
    given = headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    match = _ETAG.fullmatch(given.strip())
    if match is None:
        raise Refused(Code.INVALID_HEADER, f'If-Match is {given!r}; send one ETag as a GET gave it, for example "17".')
    return int(match[1])


def refuse_if_match(headers: Headers) -> None:
    """Raise Refused invalid_header when `If-Match` is sent with what does not compare versions."""
    if "if-match" in headers:
        raise Refused(
            Code.INVALID_HEADER,
            "Only the deletion of a pipeline takes If-Match for now, and here it would have no effect. Leave it out.",
        )


def _wait(prefer: str) -> float | None:
    """Return the seconds of `wait=N`; 0 for `respond-async` alone. Unknown preferences are ignored (RFC 7240)."""
    wanted: dict[str, str] = {}
    for part in prefer.split(","):
        name, _, value = part.partition(";")[0].partition("=")
        wanted.setdefault(name.strip().lower(), value.strip().strip('"'))  # of a repeated one the first counts
    if "wait" in wanted:
        if not re.fullmatch(r"[0-9]+", wanted["wait"]):
            raise Refused(
                Code.INVALID_HEADER,
                f"Prefer says wait={wanted['wait'][:50]}; give whole seconds from 0 on, as in wait=5.",
            )
        return min(float(wanted["wait"]), MAX_WAIT_S)
    return 0.0 if "respond-async" in wanted else None


def _key(given: str | None) -> str | None:
    if given is None:
        return None
    if not 1 <= len(given) <= MAX_KEY_LENGTH or not given.isprintable():
        raise Refused(
            Code.INVALID_HEADER,
            f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable characters, for example a UUID.",
        )
    return given
