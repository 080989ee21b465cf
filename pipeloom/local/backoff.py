"""How long to wait before a process that died is started again."""

_FIRST = 0.2
_LONGEST = 10.0
HEALTHY_AFTER = 30.0


class Backoff:
    """Doubles the pause with each early death, and starts over after a healthy life."""

    def __init__(self) -> None:
        self._next = _FIRST

    def after_life_of(self, seconds: float) -> float:
        """Return the pause that follows a life of so many seconds; a failed start is a life of none."""
        if seconds >= HEALTHY_AFTER:
            self._next = _FIRST
        pause, self._next = self._next, min(self._next * 2, _LONGEST)
        return pause
