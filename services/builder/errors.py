"""What ends a build: something for the user to mend, or a host that does not answer."""

from events.refusals import FailureCode


class Unbuildable(Exception):  # noqa: N818 - it names what the step is, and its text is the report's reason
    """The step cannot be built; the text tells the user in one or two sentences what to mend."""

    def __init__(self, code: FailureCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Unreachable(Exception):  # noqa: N818 - it names what the host is
    """The host of a repository does not answer, or not properly; trying again may help."""
