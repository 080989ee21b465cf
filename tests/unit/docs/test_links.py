"""What the docs point to is there."""

import re
from pathlib import Path

import pytest

from tests.unit.docs.markdown import ROOT, Page, all_pages, page

PAGES = [pytest.param(each, id=str(each.path.relative_to(ROOT))) for each in all_pages()]
FOLDERS = {folder.name for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")}
# What runs leave behind is there or not.
MADE = "build/"
PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)+/?|[\w.-]+/")
FILE_IN_A_FOLDER = re.compile(r".+/[\w.-]+\.(?:py|sql|md|toml|yml|json|lock)")
FILE_AT_THE_ROOT = re.compile(r"[\w-][\w.-]*\.(?:md|toml|yml)|Makefile|Dockerfile|LICENSE")
PLACEHOLDER = re.compile(r"(?:^|/)[A-Z]+(?:/|$)")
SECTION_IN_A_MESSAGE = re.compile(r"operations\.md, '([^']+)'")


def broken_links(each: Page) -> list[str]:
    return [target for target in each.links() if not leads_somewhere(each, target)]


def leads_somewhere(each: Page, target: str) -> bool:
    path, _, anchor = target.partition("#")
    there = Page(each.path.parent / path) if path else each
    return there.path.exists() and (not anchor or anchor in there.anchors())


def missing_paths(each: Page) -> list[str]:
    """Return the repository paths in backticks that do not exist."""
    return [span for span in each.code_spans() if looks_like_a_path(span) and not (ROOT / span).exists()]


def looks_like_a_path(span: str) -> bool:
    if "/" not in span:
        return FILE_AT_THE_ROOT.fullmatch(span) is not None
    if PATH.fullmatch(span) is None or PLACEHOLDER.search(span) or span.startswith(MADE):
        return False
    return span.split("/")[0] in FOLDERS or FILE_IN_A_FOLDER.fullmatch(span) is not None


@pytest.mark.parametrize("each", PAGES)
def test_every_relative_link_leads_to_a_file_and_a_heading(each: Page) -> None:
    assert broken_links(each) == []


@pytest.mark.parametrize("each", PAGES)
def test_every_repository_path_in_backticks_exists(each: Page) -> None:
    assert missing_paths(each) == []


def test_a_broken_link_and_a_missing_path_would_be_noticed(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(
        "# A page\n[a](gone.md) [b](#a-page) [c](#gone)\n"
        "`events/gone.py` `evnts/topics.py` `events/topics.py` `GONE.md` `events/NAME/` `pipelines/churn`\n"
    )
    written = Page(path)
    assert broken_links(written) == ["gone.md", "#gone"]
    assert missing_paths(written) == ["events/gone.py", "evnts/topics.py", "GONE.md"]


def test_every_decision_is_in_the_index() -> None:
    index = page("docs/adr/README.md").links()
    assert index == [path.name for path in sorted((ROOT / "docs/adr").glob("0*.md"))]


def test_the_section_that_an_alarm_names_exists() -> None:
    alarms = SECTION_IN_A_MESSAGE.findall((ROOT / "services/composer/claims.py").read_text(encoding="utf-8"))
    assert alarms == ["The commands topic was lost"]
    assert page("docs/guides/operations.md").section(alarms[0])
