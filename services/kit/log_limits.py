"""Lines of loops: the same one at most every EVERY_S seconds, with how many were left out since the last one."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

import structlog

EVERY_S = 10.0
MAX_KEYS = 1000
# What tells one loop from another one that says the same.
PARTS = ("part", "partition", "step", "command")
# Libraries that tell each of their own retries.
NOISY = ("aiokafka", "opentelemetry", "urllib3", "faust", "mode")


class Limiter:
    """Remembers when each thing was last said, of the MAX_KEYS last ones."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._said: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def admit(self, key: Hashable) -> int | None:
        """Return how often `key` was held back since it was last said, or None when it is held back now."""
        now = self._now()
        said_at, held_back = self._said.get(key, (now - EVERY_S, 0))
        if now - said_at < EVERY_S:
            self._said[key] = said_at, held_back + 1
            return None
        self._said[key] = now, 0
        self._said.move_to_end(key)
        if len(self._said) > MAX_KEYS:
            self._said.popitem(last=False)
        return held_back


class LimitRepeats:
    """Limits the lines of a logger that was made with `repeats=True`."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter

    def __call__(self, _: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if not event.pop("repeats", False):
            return event
        held_back = self._limiter.admit((event.get("event"), _kind_of(event.get("error")), *map(event.get, PARTS)))
        if held_back is None:
            raise structlog.DropEvent
        if held_back:
            event["suppressed"] = held_back
        return event


def _kind_of(error: object) -> str:
    """Return what is constant about an error: its class, without what it says of the moment."""
    return str(error).partition("(")[0]


class LimitNoise(logging.Filter):
    """Limits what NOISY libraries say, by the text before its values are filled in."""

    def __init__(self, limiter: Limiter) -> None:
        super().__init__()
        self._limiter = limiter

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the record is to be said."""
        if record.name.partition(".")[0] not in NOISY:
            return True
        return self._limiter.admit((record.name, record.msg)) is not None
