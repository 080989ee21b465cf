"""A list in as many columns as there is room for: ids, names and times whole, so that they can be copied."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

Row = Mapping[str, str]

GAP = 2
LEAST_FREE = 24
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?(?:Z|\+00:00)")


def fitted(
    rows: Sequence[Row], columns: Sequence[str], free: Collection[str], expendable: Sequence[str], width: int | None
) -> RenderableType:
    """Return the rows as a table within `width`, or as a block of lines each where even the needed columns do not fit.

    Without a width (where nobody looks) they stay as they are.
    """
    if width is None or _needed(rows, columns, free) <= width:
        return _table(rows, columns, free)
    shorter = [{name: shortened(cell) for name, cell in row.items()} for row in rows]
    for number in range(len(expendable) + 1):
        kept = [column for column in columns if column not in expendable[:number]]
        if _needed(shorter, kept, free) <= width:
            return _table(shorter, kept, free)
    return Group(*_blocks(rows, columns, free, width))


def shortened(text: str) -> str:
    """Return a text whose moments are told without milliseconds."""
    return _MOMENT.sub(r"\1 \2Z", text)


def _needed(rows: Sequence[Row], columns: Sequence[str], free: Collection[str]) -> int:
    widths = (min(LEAST_FREE, _width(rows, column)) if column in free else _width(rows, column) for column in columns)
    return sum(widths) + GAP * (len(columns) - 1)


def _width(rows: Sequence[Row], column: str) -> int:
    lines = (cell_len(line) for row in rows for line in row[column].split("\n"))
    return max(cell_len(column), *lines)


def _table(rows: Sequence[Row], columns: Sequence[str], free: Collection[str]) -> Table:
    wanted = (Column(column, overflow="fold", no_wrap=column not in free) for column in columns)
    table = Table(*wanted, box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for row in rows:
        table.add_row(*(row[column] for column in columns))
    return table


def _blocks(rows: Sequence[Row], columns: Sequence[str], free: Collection[str], width: int) -> Iterator[RenderableType]:
    """Give a block for each row; what is whole on a line of its own only gets one."""
    beside = width - GAP - max(map(cell_len, columns))
    for place, row in enumerate(rows):
        if place:
            yield Text()
        told = {column: row[column] for column in columns if row[column] != "-"}
        long = [column for column in told if column not in free and _width([row], column) > beside]
        yield _pairs({column: cell for column, cell in told.items() if column not in long})
        for column in long:
            yield Text(column, "bold")
            yield Text(told[column], overflow="fold")


def _pairs(told: Row) -> Table:
    block = Table.grid(Column(no_wrap=True, style="bold"), Column(overflow="fold"), padding=(0, GAP))
    for column, cell in told.items():
        block.add_row(column, cell)
    return block
