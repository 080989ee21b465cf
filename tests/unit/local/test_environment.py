import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeloom.local.environment import (
    EMBEDDED_MARK,
    KAFKA_SETTING,
    POSTGRES_SETTING,
    Addresses,
    as_shell,
    client_environment,
    configured,
    service_environment,
    settle_environment,
    without_secrets,
)

ADDRESSES = Addresses(8123, "127.0.0.1:9", "postgresql://u:p@127.0.0.1:5/db")
ROOT = Path(__file__).parents[3]

Load = Callable[[dict[str, str]], None]


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("PIPELOOM_", "CRAFT_AI_", "PG")) or name.lower() == "no_proxy":
            monkeypatch.delenv(name)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Set variables as `set -a; . FILE` does."""

    def set_all(variables: dict[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_all


def test_what_the_user_set_wins_over_our_proposals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELOOM_HTTP__HOST", "0.0.0.0")
    monkeypatch.setenv("PIPELOOM_BUILDER__WORK_DIR", "")

    env = service_environment(tmp_path, ADDRESSES)

    assert env["PIPELOOM_HTTP__HOST"] == "0.0.0.0"
    assert env["PIPELOOM_AUTH__SIGNING_KEY_FILE"] == str(tmp_path / "signing-key.pem")
    assert env["PIPELOOM_BUILDER__WORK_DIR"] == str(tmp_path / "builder")


def test_all_parts_get_the_addresses_of_this_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELOOM_KAFKA__BOOTSTRAP_SERVERS", "")

    env = service_environment(tmp_path, ADDRESSES)

    assert env["PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"] == "127.0.0.1:9"
    assert env["PIPELOOM_POSTGRES__DSN"] == ADDRESSES.postgres


def test_the_builder_reads_sources_here_and_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

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


def test_the_env_file_of_an_embedded_stack_configures_no_servers_for_another_one(load: Load) -> None:
    variables = client_environment(ADDRESSES, "token")
    load(variables)

    settle_environment()

    assert [name for name in variables if name in os.environ] == ["NO_PROXY", "no_proxy"]


def test_servers_that_are_named_after_the_env_file_was_loaded_are_configured(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(client_environment(ADDRESSES, "token"))
    monkeypatch.setenv(KAFKA_SETTING, "kafka.example:9092")

    settle_environment()

    assert configured(KAFKA_SETTING) == "kafka.example:9092"
    assert configured(POSTGRES_SETTING) is None


def test_the_env_file_of_a_stack_on_configured_servers_configures_them_again(load: Load) -> None:
    load(ADDRESSES.settings())
    variables = client_environment(ADDRESSES, "token")
    assert EMBEDDED_MARK not in variables
    load(variables)

    settle_environment()

    assert (configured(KAFKA_SETTING), configured(POSTGRES_SETTING)) == (ADDRESSES.kafka, ADDRESSES.postgres)


@pytest.mark.parametrize("name", ["PGSSLMODE", "PGOPTIONS", "PGSERVICE", "PGTARGETSESSIONATTRS", "PGTZ", "PGPASSFILE"])
def test_no_variable_of_postgres_reaches_the_clients_of_an_embedded_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "something")

    settle_environment()

    assert name not in service_environment(tmp_path, ADDRESSES)


def test_a_configured_postgres_is_used_with_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(POSTGRES_SETTING, "postgresql://postgres.example/db")
    monkeypatch.setenv("PGPASSWORD", "secret")

    settle_environment()

    assert os.environ["PGPASSWORD"] == "secret"


def test_the_tests_take_no_servers_from_an_env_file() -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-p",
        "no:cacheprovider",
        "tests/unit/local/test_backoff.py",
    ]
    env = {**os.environ, **client_environment(ADDRESSES, "token")}

    shown = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60).stdout

    assert "servers: containers or embedded ones" in shown


@pytest.mark.parametrize("given", ["", "corp.example, 10.0.0.0/8,127.0.0.1"])
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_the_env_file_keeps_proxies_away_from_this_machine(
    name: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, given)

    variables = client_environment(ADDRESSES, "token")

    hosts = variables["NO_PROXY"].split(",")
    assert variables["no_proxy"] == variables["NO_PROXY"]
    assert {"127.0.0.1", "localhost"} <= set(hosts)
    assert [host.strip() for host in given.split(",") if host] == hosts[: -2 if given else 0]
    assert len(set(hosts)) == len(hosts)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("localhost", "http://localhost:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),
        ("::1", "http://[::1]:8123"),
        ("::", "http://[::1]:8123"),
        ("10.1.2.3", "http://10.1.2.3:8123"),
    ],
)
def test_the_url_is_where_the_gateway_listens(host: str, url: str) -> None:
    assert Addresses(8123, "kafka", "postgres", host).url == url


@pytest.mark.parametrize("dsn", ["postgresql://u:secret@host:5/db", "postgresql://host:5/db?password=secret"])
def test_no_secret_of_an_address_is_shown(dsn: str) -> None:
    assert without_secrets(dsn).endswith("host:5/db")
    assert "secret" not in without_secrets(dsn)
