"""Whether the lines of a requirements file are what pip reads. Nothing is resolved, fetched or installed."""

import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement

from events.refusals import FailureCode
from services.builder.errors import Unbuildable
from services.builder.wording import quoted

MAX_LINE = 4096

_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTIONS = re.compile(r"\s--?[a-z].*$")
# What pip takes besides names: its options, and where a project or an archive is.
_OPTION = re.compile(r"-[a-zA-Z]\b|--[a-z][a-z-]*\b")
_PLACE = re.compile(r"(\.{0,2}/|[a-z+]+://|[^\s\[\]]+\.(whl|zip|tar\.gz|tgz)(\[[^\]]*\])?$)", re.IGNORECASE)


def check_requirements(content: bytes, path: str) -> None:
    """Raise Unbuildable unless every line of the file is a requirement or an option."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unbuildable(
            FailureCode.INVALID_REQUIREMENTS, f"{quoted(path)} is no text in UTF-8; save it in UTF-8."
        ) from None
    for number, line in _lines(text):
        if _OPTION.match(line):
            continue
        # Lock files give a requirement as many hashes as it has wheels.
        asked = _OPTIONS.sub("", line).rstrip()
        if len(asked) > MAX_LINE:
            raise Unbuildable(
                FailureCode.INVALID_REQUIREMENTS,
                f"{quoted(path)}, line {number} is longer than {MAX_LINE} characters; write one requirement a line.",
            )
        if _PLACE.match(asked):
            continue
        try:
            Requirement(asked)
        except (InvalidRequirement, RecursionError) as error:
            reason = str(error).partition("\n")[0]
            raise Unbuildable(
                FailureCode.INVALID_REQUIREMENTS,
                f"{quoted(path)}, line {number}: {quoted(line)} is no requirement ({reason}); write it as in "
                "'scikit-learn>=1.5'.",
            ) from None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Give each line without its comment, lines that end in a backslash joined, with the number of the first."""
    begun, first = "", 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        first = first if begun else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            begun += line[:-1]
            continue
        whole = _COMMENT.sub("", begun + line).strip()
        begun = ""
        if whole:
            yield first, whole
