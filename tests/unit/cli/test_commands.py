"""`pipeloom commands get`: what became of a write, told by the exit code too."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from pipeloom.cli.exits import ExitCode

from .conftest import Service

Pipeloom = Callable[[str], Result]

ID = "0192f7a0-7c1e-7b3a-9c55-2f9d1c5a0e11"
SUCCEEDED = {"command_id": ID, "status": "succeeded", "type": "PipelineCreated", "result": {"pipeline": {}}}
REJECTED = {"command_id": ID, "status": "rejected", "refusal": {"code": "pipeline_exists", "message": "taken"}}
UNKNOWN = {"command_id": ID, "status": "unknown", "message": "no result yet"}


@pytest.mark.parametrize(
    ("status", "document", "code"),
    [
        (200, SUCCEEDED, ExitCode.DONE),
        (200, REJECTED, ExitCode.REFUSED),
        (202, UNKNOWN, ExitCode.UNAVAILABLE_OR_UNKNOWN),
    ],
)
def test_the_exit_code_says_what_became_of_it(
    pipeloom: Pipeloom, service: Service, status: int, document: dict[str, Any], code: ExitCode
) -> None:
    service.answer(status, document)
    result = pipeloom(f"commands get {ID} -o json")
    assert (result.exit_code, json.loads(result.stdout)) == (code, document)


def test_a_person_reads_why_it_was_rejected(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, REJECTED)
    shown = pipeloom(f"commands get {ID}").stdout
    assert "pipeline_exists" in shown
    assert "taken" in shown


def test_a_person_reads_which_trace_it_is_in(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, {**SUCCEEDED, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    lines = [line.split() for line in pipeloom(f"commands get {ID}").stdout.splitlines()]
    assert ["trace", "a" * 32] in lines
    assert "traceparent" not in {line[0] for line in lines}


def test_a_result_is_waited_for(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(202, UNKNOWN)
    service.answer(200, SUCCEEDED)
    result = pipeloom(f"commands get {ID} --wait 30")
    assert result.exit_code == ExitCode.DONE
    assert [request.url.params["wait"] for request in service.requests] == ["30", "30"]


@pytest.mark.parametrize("words", ["nonsense", f"{ID} --wait -1", f"{ID} --wait nan", f"{ID} --wait inf"])
def test_what_cannot_be_asked_is_wrong_usage(pipeloom: Pipeloom, service: Service, words: str) -> None:
    assert pipeloom(f"commands get {words}").exit_code == ExitCode.USAGE
    assert service.requests == []
