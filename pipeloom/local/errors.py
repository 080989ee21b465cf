"""What the local stack refuses, each with a sentence for the person at the terminal."""


class LocalStackError(Exception):
    """The local stack cannot go on; the message says what, why and what to do."""


class DownloadError(LocalStackError):
    """A file that the local stack needs could not be fetched, or is not the one that was tested."""


class StartError(LocalStackError):
    """A process was not ready, or not done, in time."""


class EndedEarlyError(StartError):
    """A process ended before it was ready, or before it had done what it was started for."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class PortTakenError(LocalStackError):
    """Another program listens on a port that was asked for."""


class DataDirInUseError(LocalStackError):
    """Another process uses the same data folder."""
