"""How much a fetch may read, and for how long anybody waits for it."""

import threading

from events.refusals import FailureCode
from services.builder.errors import Unbuildable, Unreachable

MAX_FETCHED_BYTES = 128 * 1024 * 1024
# Servers send a sign of life every five seconds; an abandoned fetch ends at the latest after this.
SILENCE_S = 6.0


class Budget:
    """Counts what one fetch reads."""

    def __init__(self, abandoned: threading.Event) -> None:
        self._abandoned = abandoned
        self._left = MAX_FETCHED_BYTES

    def check(self) -> None:
        """Raise Unreachable when nobody waits for the fetch any more."""
        if self._abandoned.is_set():
            raise Unreachable("nobody waits for the fetch any more")

    def take(self, size: int) -> None:
        """Note that `size` bytes came. Raises Unbuildable when that is too much."""
        self._left -= size
        if self._left < 0:
            raise Unbuildable(
                FailureCode.SOURCE_TOO_LARGE,
                f"The repository's files are larger than {MAX_FETCHED_BYTES // 1024**2} MiB together; keep data and "
                "models out of it.",
            )
