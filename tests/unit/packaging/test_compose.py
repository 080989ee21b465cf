"""docker-compose.yml: well-formed, and true to what the services need."""

import json
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from events.topics import TOPICS
from tests.support.servers import KAFKA_IMAGE, POSTGRES_IMAGE

PROCESSES = ("composer", "relay", "builder", "webhooks", "monitor", "gateway")
SERVERS = ("kafka", "postgres")


def _compose_schema() -> Any:
    # Its package is not imported: that would load a command line which needs a newer click than Faust allows.
    file = distribution("check-jsonschema").locate_file("check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    return json.loads(Path(str(file)).read_text())


def test_the_file_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    problems = [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(_compose_schema()).iter_errors(compose)
    ]
    assert problems == []


def test_every_process_of_the_design_and_both_servers_are_there(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*PROCESSES, *SERVERS, "init"}


@pytest.mark.parametrize("name", [*PROCESSES, *SERVERS])
def test_each_lasting_service_has_a_health_check(compose: dict[str, Any], name: str) -> None:
    check = compose["services"][name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@pytest.mark.parametrize("name", [*PROCESSES, "init"])
def test_each_process_runs_a_module_that_exists(compose: dict[str, Any], name: str) -> None:
    interpreter, option, module = compose["services"][name]["command"]
    assert (interpreter, option, module) == ("python", "-m", f"services.{name}")
    assert find_spec(f"{module}.__main__")


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_starts_after_the_preparation_and_has_time_to_end(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert service["stop_grace_period"] == "20s"
    assert service["restart"] == "unless-stopped"


def test_the_preparation_waits_for_both_servers_and_runs_once(compose: dict[str, Any]) -> None:
    init = compose["services"]["init"]
    assert init["depends_on"] == {name: {"condition": "service_healthy"} for name in SERVERS}
    assert init["restart"] == "no"


def test_the_image_is_built_once_and_never_looked_for_in_a_registry(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert [name for name in services if "build" in services[name]] == ["init"]
    assert {(services[name]["image"], services[name]["pull_policy"]) for name in (*PROCESSES, "init")} == {
        ("pipeloom:local", "never")
    }


def test_no_port_is_open_to_another_machine(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"kafka": ["127.0.0.1:9092:9092"], "gateway": ["127.0.0.1:8000:8000"]}


def test_only_the_preparation_may_write_the_signing_key(compose: dict[str, Any]) -> None:
    mounts = {
        name: volume
        for name, service in compose["services"].items()
        for volume in service.get("volumes", [])
        if volume.startswith("keys:")
    }
    assert mounts == {"init": "keys:/var/lib/pipeloom/keys", "gateway": "keys:/var/lib/pipeloom/keys:ro"}


def test_every_volume_that_is_mounted_is_declared(compose: dict[str, Any]) -> None:
    mounted = {
        volume.partition(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])
    }
    assert mounted == set(compose["volumes"])


def test_the_servers_are_those_that_the_tests_run_on(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert (services["kafka"]["image"], services["postgres"]["image"]) == (KAFKA_IMAGE, POSTGRES_IMAGE)


def test_the_broker_takes_the_largest_message_and_makes_no_topic_by_itself(compose: dict[str, Any]) -> None:
    broker = compose["services"]["kafka"]["environment"]
    assert broker["KAFKA_MESSAGE_MAX_BYTES"] >= max(topic.max_message_bytes for topic in TOPICS)
    assert broker["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_the_data_of_postgres_is_on_its_volume(compose: dict[str, Any]) -> None:
    assert compose["services"]["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
