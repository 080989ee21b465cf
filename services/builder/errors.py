"""What ends a build: something for the user to mend, or a host that does not answer."""


class Unbuildable(Exception):  # noqa: N818 - it names what the step is, and its text is the report's reason
    """The step cannot be built; the text tells the user in one or two sentences what to mend."""


class Unreachable(Exception):  # noqa: N818 - it names what the host is
    """The host of a repository does not answer, or not properly; trying again may help."""
