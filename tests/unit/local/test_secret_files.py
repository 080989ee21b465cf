import stat
from pathlib import Path

from pipeloom.local.secret_files import kept_password, write_private


def test_a_private_file_replaces_a_public_one_and_leaves_no_scratch(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("old and longer than the new text")
    file.chmod(0o644)

    write_private(file, "new")

    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_password_is_made_up_once_for_each_folder(tmp_path: Path) -> None:
    first = kept_password(tmp_path / "a")

    assert kept_password(tmp_path / "a") == first
    assert len(first) >= 32
    assert kept_password(tmp_path / "b") != first
