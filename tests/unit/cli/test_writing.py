"""Writes: consent before, waiting or not, repeating."""

import json
from collections.abc import Callable

import httpx
import pytest
from typer.testing import CliRunner, Result

from pipeloom.cli.exits import ExitCode
from pipeloom.cli.main import app

from .conftest import Service

Pipeloom = Callable[[str], Result]

WRITES = [
    "steps create train --path a.py --function f --repository r",
    "steps delete train --yes",
    "pipelines create churn --step train",
    "pipelines delete churn --yes",
    "deployments create live --pipeline churn --rule endpoint",
    "deployments delete live --yes",
    "steps update train",
    "variables set A=1",
    "variables delete A --yes",
]
DELETIONS = ["steps delete train", "pipelines delete churn --force", "deployments delete live", "variables delete A"]
CONSENTED = [*DELETIONS, "deployments new-token live"]


def accept(service: Service) -> None:
    body = {"command_id": "c-1", "status": "accepted"}
    service.answers.append(httpx.Response(202, json=body, headers={"Pipeloom-Command-Id": "c-1"}))


@pytest.mark.parametrize("words", WRITES)
def test_without_waiting_the_command_is_told_alone(pipeloom: Pipeloom, service: Service, words: str) -> None:
    accept(service)
    result = pipeloom(f"{words} --no-wait")
    assert (result.exit_code, result.stdout) == (ExitCode.DONE, "c-1\n")
    assert service.requests[0].headers["prefer"] == "respond-async"


def test_without_waiting_a_program_reads_the_command_by_name(pipeloom: Pipeloom, service: Service) -> None:
    accept(service)
    result = pipeloom("pipelines create churn --step train --no-wait -o json")
    assert json.loads(result.stdout) == {"command_id": "c-1"}


@pytest.mark.parametrize("words", WRITES)
def test_a_repeat_carries_the_key_that_is_given(pipeloom: Pipeloom, service: Service, words: str) -> None:
    service.answer(200, {"creation_info": {"status": "Ready"}})
    pipeloom(f"{words} --idempotency-key my-key")
    assert service.requests[0].headers["idempotency-key"] == "my-key"


@pytest.mark.parametrize("key", ["''", "' '", "é"])
def test_a_key_that_would_protect_nothing_is_a_wrong_usage(pipeloom: Pipeloom, service: Service, key: str) -> None:
    result = pipeloom(f"pipelines create churn --step train --idempotency-key {key}")
    assert result.exit_code == ExitCode.USAGE
    assert "--idempotency-key" in result.stderr
    assert service.requests == []


@pytest.mark.parametrize("constant", ["NaN", "1e999", "[Infinity]"])
def test_a_number_that_json_cannot_express_is_a_wrong_usage(
    pipeloom: Pipeloom, service: Service, constant: str
) -> None:
    result = pipeloom(f"deployments create d --pipeline p --rule endpoint --map-input a=constant:{constant}")
    assert result.exit_code == ExitCode.USAGE
    assert service.requests == []


@pytest.mark.parametrize("words", CONSENTED)
def test_nothing_is_deleted_when_nobody_can_be_asked(pipeloom: Pipeloom, service: Service, words: str) -> None:
    result = pipeloom(words)
    assert result.exit_code == ExitCode.USAGE
    assert "add --yes" in result.stderr
    assert service.requests == []


class TestAtATerminal:
    """A person is asked before something is deleted."""

    @pytest.fixture(autouse=True)
    def terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pipeloom.cli.writing._somebody_is_there", lambda: True)

    def type(self, words: str, answer: str) -> Result:
        return CliRunner().invoke(app, words.split(), input=answer)

    @pytest.mark.parametrize("words", DELETIONS)
    def test_a_yes_deletes(self, service: Service, words: str) -> None:
        name = words.split()[2]
        service.answer(200, {"name": name})
        result = self.type(f"{words} --output json", "y\n")
        assert (result.exit_code, json.loads(result.stdout)) == (ExitCode.DONE, {"name": name})
        assert f"Delete the {words.split()[0].removesuffix('s')} '{name}'" in result.stderr

    @pytest.mark.parametrize("answer", ["n\n", "\n", ""])
    def test_anything_else_does_not(self, service: Service, answer: str) -> None:
        result = self.type("pipelines delete churn", answer)
        assert (result.exit_code, result.stdout, service.requests) == (ExitCode.REFUSED, "", [])

    def test_what_else_would_go_is_asked_about(self, service: Service) -> None:
        assert "all pipelines on it and their deployments?" in self.type("steps delete train --force", "n\n").stderr
