"""A patch that fits nowhere any more breaks nothing, and so proves nothing."""

import shutil
import subprocess

import pytest

from tests.mutants.__main__ import PATCHES, ROOT


@pytest.mark.parametrize("name", sorted(patch.stem for patch in PATCHES.glob("*.patch")))
@pytest.mark.skipif(shutil.which("git") is None, reason="git applies the patches")
def test_every_patch_fits_the_code_as_it_is(name: str) -> None:
    ran = subprocess.run(
        ["git", "apply", "--check", "-C1", PATCHES / f"{name}.patch"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, f"write tests/mutants/{name}.patch anew: {ran.stderr}"
