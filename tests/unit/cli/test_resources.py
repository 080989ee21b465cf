"""`pipeloom steps|pipelines|deployments`: what is sent, what is shown, and the exit codes."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from typer.testing import Result

from pipeloom.client.delivery import ATTEMPTS

from .conftest import Service

Pipeloom = Callable[[str], Result]

PIPELINE = {"pipeline_name": "churn", "status": "Ready", "created_at": "2026-01-31T12:00:00.000Z"}
SHOWN = {"name": "shown", "inputs": ["a"], "creation_info": {"status": "Ready"}}
COMMANDS: list[tuple[str, str]] = [
    ("pipelines create churn --step train", "POST /pipelines"),
    ("pipelines get churn", "GET /pipelines/churn"),
    ("pipelines delete churn --yes", "DELETE /pipelines/churn?force_deployments_deletion=false"),
    ("pipelines delete churn --force --yes", "DELETE /pipelines/churn?force_deployments_deletion=true"),
    ("steps create train --path a.py --function f --repository r", "POST /steps"),
    ("steps get train", "GET /steps/train"),
    ("steps delete train --force --yes", "DELETE /steps/train?force_dependents_deletion=true"),
    ("deployments create live --pipeline churn --rule endpoint", "POST /endpoints"),
    ("deployments create live --pipeline churn --rule periodic --schedule @daily", "POST /periodic-deployment"),
    ("steps update train", "PUT /steps/train"),
    ("steps create train --path conftest.py --function f --folder tests --include conftest.py", "POST /steps"),
    ("deployments get live", "GET /deployments/live"),
    ("deployments schedule nightly", "GET /deployments/nightly/schedule"),
    ("deployments new-token live --yes", "POST /endpoints/live/generate-new-token"),
    ("deployments delete live --yes", "DELETE /deployments/live"),
]


@pytest.mark.parametrize(("command", "expected"), COMMANDS)
def test_a_command_makes_its_request_and_shows_the_document(
    pipeloom: Pipeloom, service: Service, command: str, expected: str
) -> None:
    service.answer(200, SHOWN)

    result = pipeloom(f"{command} --output json")

    assert (result.exit_code, json.loads(result.stdout)) == (0, SHOWN)
    request = service.requests[0]
    assert f"{request.method} {request.url.raw_path.decode()}" == expected.replace(" ", " /api/v1")


LISTED = {
    "steps": ["train", "Ready", "2026-01-31T12:00:00.000Z"],
    "pipelines": ["churn", "Ready", "2026-01-31T12:00:00.000Z"],
    "deployments": ["live", "churn", "endpoint", "2026-01-31T12:00:00.000Z"],
}
DOCUMENT = PIPELINE | {"step_name": "train", "name": "live", "execution_rule": "endpoint"}


@pytest.mark.parametrize("kind", LISTED)
def test_a_list_is_a_table_for_people(pipeloom: Pipeloom, service: Service, kind: str) -> None:
    service.answer(200, [DOCUMENT])

    header, row = pipeloom(f"{kind} list").stdout.splitlines()

    assert "created_at" in header
    assert [cell for cell in row.split() if cell != "-"] == LISTED[kind]


@pytest.mark.parametrize("kind", LISTED)
def test_an_empty_list_says_how_to_begin(pipeloom: Pipeloom, service: Service, kind: str) -> None:
    service.answer(200, [])
    result = pipeloom(f"{kind} list")
    assert result.exit_code == 0
    assert f"pipeloom {kind} create" in result.stdout


def test_a_list_is_json_for_programs(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [PIPELINE])
    assert json.loads(pipeloom("pipelines list -o json").stdout) == [PIPELINE]


def test_a_table_shows_a_name_as_it_is(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [PIPELINE | {"pipeline_name": "[bold]churn[/] :tada:"}])
    assert "[bold]churn[/] :tada:" in pipeloom("pipelines list").stdout


def test_what_is_long_is_shown_whole(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(201, {"name": "live", "endpoint_token": "0123456789abcdef" * 16})
    shown = pipeloom("deployments create live --pipeline churn --rule endpoint").stdout
    assert "0123456789abcdef" * 16 in "".join(shown.removeprefix("name").split())


def test_what_is_nested_is_shown_line_by_line(pipeloom: Pipeloom, service: Service) -> None:
    inputs = [{"name": "rows", "data_type": "json", "description": None}, {"name": "plan", "is_required": True}]
    service.answer(200, {"parameters": {"step_name": "train", "inputs": inputs, "outputs": []}, "origin": None})

    shown = pipeloom("steps get train").stdout

    assert [line.split() for line in shown.splitlines()] == [
        ["parameters"],
        ["step_name", "train"],
        ["inputs", "name:", "rows,", "data_type:", "json"],
        ["name:", "plan,", "is_required:", "true"],
        ["outputs", "-"],
        ["origin", "-"],
    ]


def test_a_step_is_declared_with_its_inputs_and_outputs(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(206, {"creation_info": {"status": "Ready"}})

    pipeloom(
        "steps create train --path src/a.py --function f --repository https://git.test/a.git --branch main "
        "--takes rows:json:required --takes a:b:number --returns score:number"
    )

    assert json.loads(service.requests[0].content) == {
        "step_name": "train",
        "function_path": "src/a.py",
        "function_name": "f",
        "container_config": {"repository_url": "https://git.test/a.git", "repository_branch": "main"},
        "inputs": [
            {"name": "rows", "data_type": "json", "is_required": True},
            {"name": "a:b", "data_type": "number", "is_required": False},
        ],
        "outputs": [{"name": "score", "data_type": "number"}],
    }


def test_an_update_sends_what_is_given(pipeloom: Pipeloom, service: Service, tmp_path: Path) -> None:
    service.answer(200, {"creation_info": {"status": "Ready"}})
    (tmp_path / "key").write_text("-----BEGIN KEY-----\n")

    pipeloom(
        f"steps update train --branch next --include src --include data --requirements r.txt "
        f"--deploy-key-file {tmp_path}/key --returns score:number"
    )

    assert json.loads(service.requests[0].content) == {
        "container_config": {
            "repository_branch": "next",
            "requirements_path": "r.txt",
            "included_folders": ["src", "data"],
            "repository_deploy_key": "-----BEGIN KEY-----\n",
        },
        "outputs": [{"name": "score", "data_type": "number"}],
    }


def test_options_of_low_latency_are_sent_by_their_names(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(201, SHOWN)
    options = "--mode low_latency --parallel --max-parallel 4 --ram 512MiB --gpu 0 --description Live"
    pipeloom(f"deployments create live --pipeline churn --rule endpoint {options}")
    assert json.loads(service.requests[0].content) == {
        "name": "live",
        "pipeline_name": "churn",
        "mode": "low_latency",
        "description": "Live",
        "enable_parallel_executions": True,
        "max_parallel_executions_per_pod": 4,
        "ram_request": "512MiB",
        "gpu_request": 0,
    }


LOG = [{"timestamp": "t1", "message": "built\nwell"}, {"timestamp": "t2", "message": "\x1b[2J"}]


@pytest.mark.parametrize("kind", ["steps", "pipelines", "deployments"])
def test_a_log_is_a_line_for_each_thing_that_happened(pipeloom: Pipeloom, service: Service, kind: str) -> None:
    service.answer(200, LOG)
    assert pipeloom(f"{kind} logs a").stdout == "t1  built well\nt2  \\x1b[2J\n"
    assert service.requests[0].url.path == f"/api/v1/{kind}/a/logs"


def test_a_log_is_json_for_programs(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, LOG)
    assert json.loads(pipeloom("steps logs a -o json").stdout) == LOG


@pytest.mark.parametrize("output", ["table", "json"])
def test_code_is_saved_where_it_is_wanted(pipeloom: Pipeloom, service: Service, tmp_path: Path, output: str) -> None:
    service.answer(200, {"signed_url": "/kept"})
    service.answers.append(httpx.Response(200, content=b"tar"))

    told = pipeloom(f"steps download train --to {tmp_path} -o {output}").stdout

    assert (tmp_path / "train.tgz").read_bytes() == b"tar"
    assert (json.loads(told)["path"] if output == "json" else told.strip()) == str(tmp_path / "train.tgz")


def test_code_that_cannot_be_saved_is_told(pipeloom: Pipeloom, service: Service, tmp_path: Path) -> None:
    (tmp_path / "train.tgz").mkdir()
    service.answer(200, {"signed_url": "/kept"})
    service.answers.append(httpx.Response(200, content=b"tar"))
    result = pipeloom(f"steps download train --to {tmp_path}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Is a directory" in result.stderr


def test_an_unknown_outcome_is_told_with_the_command_and_the_key_and_ends_with_3(
    pipeloom: Pipeloom, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeloom.client.delivery.FIRST_PAUSE_S", 0.0)
    body = {"name": "kafka_unavailable", "message": "why", "additional_data": {"command_id": "c-1"}}
    for _ in range(ATTEMPTS):
        service.answer(503, body)

    result = pipeloom("pipelines delete churn --yes")

    key = service.requests[0].headers["idempotency-key"]
    assert result.exit_code == 3
    assert result.stderr == f"why\n  code: kafka_unavailable\n  command: c-1\n  idempotency key: {key}\n"


@pytest.mark.parametrize("declared", ["rows", ":json", "rows:", "required"])
def test_an_input_without_a_type_is_wrong_usage(pipeloom: Pipeloom, service: Service, declared: str) -> None:
    result = pipeloom(f"steps create train --path a.py --function f --repository r --takes {declared}")
    assert result.exit_code == 2
    assert "NAME:TYPE" in result.stderr
    assert service.requests == []


@pytest.mark.parametrize(("kind", "code"), [("steps", "step_not_found"), ("pipelines", "pipeline_not_found")])
def test_getting_what_does_not_exist_is_told_and_ends_with_1(
    pipeloom: Pipeloom, service: Service, kind: str, code: str
) -> None:
    service.answer(404, {"name": code, "message": "none"})
    result = pipeloom(f"{kind} get ghost")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "'ghost'" in result.stderr


@pytest.mark.parametrize(("status", "exit_code"), [(401, 1), (404, 1), (409, 1), (422, 1), (500, 3), (502, 3)])
def test_a_script_can_tell_a_refusal_from_trouble(
    pipeloom: Pipeloom, service: Service, status: int, exit_code: int
) -> None:
    body = {"name": "some_code", "message": "The reason.", "additional_data": {"command_id": "c-1"}}
    for _ in range(2):
        service.answer(status, body)

    result = pipeloom("pipelines create churn --step train")

    assert result.exit_code == exit_code
    assert result.stderr.splitlines()[:3] == ["The reason.", "  code: some_code", "  command: c-1"]
    assert "Traceback" not in result.output


def test_without_an_address_the_command_says_what_to_set(pipeloom: Pipeloom) -> None:
    result = pipeloom("pipelines list")
    assert result.exit_code == 2
    assert "PIPELOOM_URL" in result.stderr
