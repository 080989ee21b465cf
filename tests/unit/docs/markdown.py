"""Reads Markdown as far as the tests look at it: links, headings, code spans, tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("*.md", "docs/**/*.md", "deploy/*.md", "examples/*.md")
FENCE = re.compile(r"^[ ]*```.*?^[ ]*```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE_SPAN = re.compile(r"`([^`\n]+)`")
CELL_BORDER = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Page:
    """One Markdown file of the repository."""

    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return FENCE.sub("", self.text)

    def links(self) -> list[str]:
        """Return the targets of links to places in the repository."""
        return [target for target in LINK.findall(self.prose) if "://" not in target]

    def code_spans(self) -> list[str]:
        return CODE_SPAN.findall(self.prose)

    def anchors(self) -> set[str]:
        """Return what a link may name behind `#`."""
        return {_anchor(heading) for heading in HEADING.findall(self.prose)}

    def section(self, heading: str) -> str:
        """Return the text under a heading, up to the next one of any level. Raises LookupError."""
        match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", self.text, re.MULTILINE | re.DOTALL)
        if match is None:
            raise LookupError(f"{self.path.name} has no section '{heading}'")
        return match[1]


def page(path: str) -> Page:
    """Return the page at a path of the repository."""
    return Page(ROOT / path)


def all_pages() -> list[Page]:
    """Return the pages that people read: those at the root, in docs, in deploy and in examples."""
    return [Page(path) for folder in PAGES for path in sorted(ROOT.glob(folder))]


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of the first table in `text`, without its head."""
    return list(_rows(text))[2:]


def _rows(text: str) -> Iterator[list[str]]:
    begun = False
    for line in text.splitlines():
        if line.startswith("|"):
            begun = True
            yield [cell.strip().replace("\\|", "|") for cell in CELL_BORDER.split(line)[1:-1]]
        elif begun:
            return


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
