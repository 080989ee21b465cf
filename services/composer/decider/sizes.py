"""How large a resource may be: it stands in events, and these in records of a bounded size."""

from events.model import Model
from events.refusals import Code, Refused


def size_of(described: Model) -> int:
    """Return the bytes that `described` takes in an event."""
    return len(described.model_dump_json().encode())


def check_size(what: str, described: Model, limit: int, advice: str) -> None:
    """Raise Refused payload_too_large when `what` takes more than `limit` bytes; `advice` says what to do."""
    size = size_of(described)
    if size > limit:
        raise Refused(
            Code.PAYLOAD_TOO_LARGE, f"The {what} is described in {size} bytes; at most {limit} are kept. {advice}"
        )
