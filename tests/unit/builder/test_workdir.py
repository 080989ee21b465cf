import os
import time
from pathlib import Path

from services.builder.workdir import LEFTOVER_AFTER_S, build_folder, sweep


def test_a_build_folder_is_gone_after_the_build(tmp_path: Path) -> None:
    with build_folder(tmp_path / "new" / "work") as folder:
        (folder / "pack").write_text("data")
        assert folder.parent == tmp_path / "new" / "work"
    assert not folder.exists()


def test_only_what_killed_builders_left_is_swept(tmp_path: Path) -> None:
    # Given an old leftover, a folder of a build under way, and an old folder of someone else
    old = time.time() - LEFTOVER_AFTER_S - 1
    for name, moment in (("build-old", old), ("build-new", time.time()), ("other", old)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pack").write_text("data")
        os.utime(tmp_path / name, (moment, moment))
    # When
    sweep(tmp_path)
    # Then
    assert {folder.name for folder in tmp_path.iterdir()} == {"build-new", "other"}


def test_a_work_folder_that_does_not_exist_yet_is_swept(tmp_path: Path) -> None:
    sweep(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()
