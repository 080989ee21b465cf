"""The tables of docs/errors.md, made from the codes: `python -m events.errors_page` writes them, advice stays."""

import re
from collections.abc import Iterable
from pathlib import Path

from events.refusals import Code, FailureCode

PAGE = Path(__file__).resolve().parents[1] / "docs" / "errors.md"
NO_ADVICE = ""

_ROW = re.compile(r"^\| `(\w+)` \|.*\| ([^|]*) \|$")


def written(page: str) -> str:
    """Return the page with a row for each code, in the order of the code; a new one has no advice yet."""
    before, title, failures = page.partition("## Codes of failed builds")
    refused = ([f"`{code.value}`", str(code.http_status), code.meaning] for code in Code)
    failed = ([f"`{code.value}`", code.meaning] for code in FailureCode)
    return _with_rows(before, refused) + title + _with_rows(failures, failed)


def _with_rows(section: str, rows: Iterable[list[str]]) -> str:
    """Return a section with `rows` in its table, each with the advice that its code had."""
    lines = section.splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if _ROW.match(line)]
    advice = {match[1]: match[2] for line in lines if (match := _ROW.match(line))}
    told = [f"| {' | '.join([*row, advice.get(row[0].strip('`'), NO_ADVICE)])} |\n" for row in rows]
    return "".join([*lines[: places[0]], *told, *lines[places[-1] + 1 :]])


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"table of codes written: {PAGE}")


if __name__ == "__main__":
    main()
