import json
import subprocess
from pathlib import Path

import pytest

from pipeloom.local.environment import Addresses, as_shell, client_environment, configured, service_environment

ADDRESSES = Addresses(8123, "127.0.0.1:9", "postgresql://u:p@127.0.0.1:5/db")


def test_what_the_user_set_wins_over_our_proposals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELOOM_HTTP__HOST", "0.0.0.0")

    env = service_environment(tmp_path, ADDRESSES)

    assert env["PIPELOOM_HTTP__HOST"] == "0.0.0.0"
    assert env["PIPELOOM_AUTH__SIGNING_KEY_FILE"] == str(tmp_path / "signing-key.pem")


def test_all_parts_get_the_addresses_of_this_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELOOM_KAFKA__BOOTSTRAP_SERVERS", "")

    env = service_environment(tmp_path, ADDRESSES)

    assert env["PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"] == "127.0.0.1:9"
    assert env["PIPELOOM_POSTGRES__DSN"] == ADDRESSES.postgres


def test_the_builder_reads_sources_here_and_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELOOM_BUILDER__SOURCE_ROOTS", raising=False)

    env = service_environment(tmp_path / "data", ADDRESSES)

    assert json.loads(env["PIPELOOM_BUILDER__SOURCE_ROOTS"]) == [str(tmp_path), str(tmp_path / "data")]


def test_an_empty_setting_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELOOM_POSTGRES__DSN", "")

    assert configured("PIPELOOM_POSTGRES__DSN") is None


def test_a_shell_reads_back_exactly_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "env"
    token = 'it\'s $HOME & `more`; "quoted"'
    file.write_text(as_shell(client_environment(ADDRESSES, token)))

    script = f'set -a; . {file}; printf "%s\\n" "$PIPELOOM_URL" "$CRAFT_AI_SDK_TOKEN"'
    output = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=10).stdout

    assert output.splitlines() == ["http://127.0.0.1:8123", token]
