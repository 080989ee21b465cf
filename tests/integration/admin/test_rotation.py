"""Rotating the signing key as an operator does it, without Postgres; and the keys that `init` finds."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeloom.local.ports import HOST, pick_port
from services.kit.backend import _tokens
from services.kit.process import StartError
from services.kit.settings import AuthSettings
from services.kit.signing_keys import ensure_signing_key, read_signing_keys

KEPT_VARIABLES = ("PATH", "HOME", "LANG")


async def run(key_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    environment["PIPELOOM_AUTH__SIGNING_KEY_FILE"] = str(key_file)
    environment["PIPELOOM_POSTGRES__DSN"] = f"postgresql://ada@{HOST}:{pick_port()}/nothing"
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-m", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    ensure_signing_key(tmp_path / "key.pem")
    return tmp_path / "key.pem"


async def test_a_rotation_puts_a_new_key_first_and_keeps_the_one_before_it(key_file: Path) -> None:
    (before,) = read_signing_keys(key_file)
    done = await run(key_file, "services.admin", "rotate-signing-key")
    first, second = read_signing_keys(key_file)
    assert (done.returncode, done.stderr, second.id) == (0, "", before.id)
    assert json.loads(done.stdout) == {
        "signing_key_file": str(key_file),
        "signs_with": first.id,
        "accepts": [first.id, before.id],
    }


async def test_a_rotation_can_drop_the_key_before_it(key_file: Path) -> None:
    (before,) = read_signing_keys(key_file)
    done = await run(key_file, "services.admin", "rotate-signing-key", "--drop-previous")
    (only,) = read_signing_keys(key_file)
    assert json.loads(done.stdout)["accepts"] == [only.id]
    assert only.id != before.id


async def test_without_a_key_there_is_nothing_to_rotate(tmp_path: Path) -> None:
    done = await run(tmp_path / "none.pem", "services.admin", "rotate-signing-key")
    assert (done.returncode, done.stdout) == (1, "")
    assert "run `pipeloom init`" in done.stderr


@pytest.mark.parametrize("program", [["services.admin", "rotate-signing-key"], ["services.init"], ["services.query"]])
async def test_a_corrupt_key_is_told_with_what_to_do(key_file: Path, program: list[str]) -> None:
    os.truncate(key_file, 60)
    done = await run(key_file, *program)
    assert (done.returncode, done.stdout) == (1, "")
    sentence = done.stderr.splitlines()[-1]
    assert f"{key_file} holds no usable key: move that file away and run `pipeloom init`" in sentence
    assert "all access tokens become invalid" in sentence


def test_a_missing_key_is_not_called_corrupt(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"there is no signing key at .*: run `pipeloom init`"):
        _tokens(AuthSettings(signing_key_file=tmp_path / "none.pem"))
