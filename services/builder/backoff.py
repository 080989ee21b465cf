"""The pauses between attempts at something outside that does not work right now."""

from collections.abc import Iterator

FIRST_S = 0.5
LONGEST_S = 5.0


def delays() -> Iterator[float]:
    """Yield the seconds to wait before each next attempt: doubling up to a limit, without end."""
    delay = FIRST_S
    while True:
        yield delay
        delay = min(2 * delay, LONGEST_S)
