"""The wheel, built here: what the services read at run time is inside."""

import asyncio
import sys
import zipfile
from pathlib import Path

import pytest

DEADLINE_S = 60.0
PACKAGES = ("events", "pipeloom", "schemas", "services")
CODE_AND_LEFTOVERS = {".py", ".pyc"}


@pytest.fixture(scope="module")
async def contents(root: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=root
    )
    async with asyncio.timeout(DEADLINE_S):
        assert await build.wait() == 0
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_holds_every_file_that_is_not_code(root: Path, contents: set[str]) -> None:
    files = {
        path.relative_to(root).as_posix()
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and path.suffix not in CODE_AND_LEFTOVERS
    }
    assert "schemas/migrations/0001.initial.sql" in files
    assert files - contents == set()


def test_the_wheel_holds_no_tests(contents: set[str]) -> None:
    assert {name.partition("/")[0] for name in contents if ".dist-info/" not in name} == set(PACKAGES)
