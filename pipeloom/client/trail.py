"""What is asked about the past, as plain values: histories, decided commands, dead letters."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pipeloom.client.documents import CommandSummary, DeadLetter, DeadLetterSummary, HistoryEntry
from pipeloom.client.requests import Request, path_to

Kind = Literal["step", "pipeline", "deployment"]
Outcome = Literal["succeeded", "rejected"]
LetterStatus = Literal["open", "replayed", "discarded"]

LARGEST_PAGE = 1_000

_KINDS = ("step", "pipeline", "deployment")


def history_of(kind: Kind, name: str, limit: int | None, *, oldest_first: bool) -> Request[list[HistoryEntry]]:
    """Ask what happened to a resource. Raises ValueError on a kind that has no history."""
    if kind not in _KINDS:
        raise ValueError(f"kind is '{kind}'; it must be one of {', '.join(_KINDS)}")
    order = "oldest" if oldest_first else "newest"
    return _list(f"{path_to(f'/{kind}s', name)}/history", limit, {"order": order})


def commands(
    limit: int | None,
    status: Outcome | None,
    command_type: str | None,
    actor: str | None,
    since: datetime | None,
    until: datetime | None,
) -> Request[list[CommandSummary]]:
    """Ask which commands were decided; a moment without a zone is one of this machine's."""
    moments = {"since": _rfc3339(since), "until": _rfc3339(until)}
    return _list("/commands", limit, {"status": status, "type": command_type, "actor": actor, **moments})


def dead_letters(limit: int | None, status: LetterStatus | None) -> Request[list[DeadLetterSummary]]:
    return _list("/dead-letters", limit, {"status": status})


def dead_letter(dead_letter_id: str) -> Request[DeadLetter]:
    return Request("GET", path_to("/dead-letters", dead_letter_id), dict, absent="dead_letter_not_found")


def discarded(dead_letter_id: str) -> Request[DeadLetterSummary]:
    return Request("DELETE", path_to("/dead-letters", dead_letter_id), dict)


def _list(path: str, limit: int | None, query: Mapping[str, Any]) -> Request[Any]:
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; it must be 1 or more, or None for all")
    given = {name: value for name, value in query.items() if value is not None}
    return Request("GET", path, list, query={**given, "limit": str(min(limit or LARGEST_PAGE, LARGEST_PAGE))})


def _rfc3339(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone().isoformat()
