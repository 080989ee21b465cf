"""Ends the demo in order when it is told to stop."""

import asyncio
import signal
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
    """Cancels `task` at the first signal; a second signal takes its usual effect."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        """Listen to the signals from now on; must be made in the event loop of `task`."""
        self.signal: signal.Signals | None = None
        self._task = task
        self._loop = asyncio.get_running_loop()
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._cancel, number)

    def _cancel(self, number: signal.Signals) -> None:
        self.signal = number
        for each in SIGNALS:
            self._loop.remove_signal_handler(each)
        self._task.cancel()
