"""How reasons quote what a user wrote: short, and without control characters."""

from collections.abc import Sequence

MAX_QUOTED = 200
MAX_LISTED = 8


def quoted(text: str) -> str:
    """Return `text` in quotes, escaped where it cannot be printed, and cut when it is long."""
    return repr(text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}…")


def listed(items: Sequence[str], joint: str = "and") -> str:
    """Return `a, b and c`; of many items only the first ones and how many more there are."""
    shown = list(items[:MAX_LISTED])
    if len(items) > MAX_LISTED:
        return f"{', '.join(shown)} {joint} {len(items) - MAX_LISTED} more"
    return f" {joint} ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
