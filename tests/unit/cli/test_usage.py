"""What is wrong with a command is told in the command line's own words, before anything is sent where possible."""

from collections.abc import Callable
from typing import get_args

import pytest
from typer.testing import Result

from events.resources import DataType
from pipeloom.cli.declared import TYPES
from pipeloom.cli.exits import ExitCode
from pipeloom.cli.mappings import input_mappings, output_mappings

from .conftest import Service

Pipeloom = Callable[[str], Result]

STEP = "steps create train --path a.py --function f --repository r"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("pipelines get a/b", "'a/b' cannot be a name"),
        ("pipelines create .. --step train", "dots only"),
        ("pipelines create churn --step a?b", "'a?b' cannot be a name"),
        ("steps delete '' --yes", "empty or blank"),
        ("deployments create a#b --pipeline churn --rule endpoint", "'a#b' cannot be a name"),
        ("deployments create live --pipeline churn --rule periodic", "--schedule"),
        ("deployments create live --pipeline churn --rule endpoint --schedule '0 3 * * *'", "--rule periodic"),
        ("deployments create live --pipeline churn --rule endpoint --map-input months", "NAME=WHAT"),
        ("deployments create live --pipeline churn --rule endpoint --map-output risk=constant:1", "NAME=WHAT"),
        ("steps create train --path a.py --function f", "--repository URL or --folder PATH"),
        (f"{STEP} --folder .", "one of them"),
        ("steps create train --path a.py --function f --folder . --branch main", "go with --repository"),
        ("steps create train --path a.py --function f --folder absent", "does not exist"),
        ("steps create train --path absent.py --function f --folder .", "no 'absent.py'"),
        ("steps create train --path absent.py --function f --folder . --no-wait", "no 'absent.py'"),
        ("steps create train --path a.py --function f --folder . --include ../x", "leads out"),
        ("steps download train --to absent", "does not exist"),
        ("deployments create live --pipeline churn --rule endpoint --ram 1GiB --gpu 1", "--ram, --gpu: for --mode"),
        ("variables set A", "A=@FILE"),
        ("variables set 1A=x", "'1A' cannot be a variable"),
        ("variables set A=1 A=2", "set twice"),
        ("variables set A=- B=-", "Only one"),
        ("variables set A=@absent", "cannot be read from '@absent': No such file"),
        ("variables delete a-b --yes", "cannot be a variable"),
        (f"{STEP} --takes rows:table", "'table' is not one of string, number"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(
    pipeloom: Pipeloom, service: Service, words: str, told: str
) -> None:
    result = pipeloom(words)
    assert result.exit_code == ExitCode.USAGE
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert service.requests == []


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Delete it first, or repeat with force_deployments_deletion=true.", "or repeat with --force."),
        ("Delete it first, or repeat with force_dependents_deletion=true.", "or repeat with --force."),
        ("Ask for it at /api/v1/commands/0192-ab.", "Ask for it with: pipeloom commands get 0192-ab --wait 30."),
        ("repeat it with idempotency key k-1 to learn which.", "repeat it with --idempotency-key k-1 to learn which."),
    ],
)
def test_a_refusal_speaks_of_options(pipeloom: Pipeloom, service: Service, message: str, told: str) -> None:
    service.answer(409, {"name": "some_code", "message": message})
    assert told in pipeloom("pipelines delete churn --yes").stderr


def test_a_refusal_cannot_steer_the_terminal(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(409, {"name": "some_code", "message": "taken \x1b[2Jby you"})
    assert r"taken \x1b[2Jby you" in pipeloom("pipelines delete churn --yes").stderr


def test_the_types_of_inputs_are_those_of_the_language() -> None:
    assert get_args(DataType) == TYPES


def test_a_mapping_is_sent_as_the_service_reads_it() -> None:
    inputs = ["a=constant:12", "b=constant:basic", "c=variable:KEY", "d=endpoint:rows", "e=datastore:x/y=z:1", "f=null"]
    assert input_mappings(inputs) == [
        {"pipeline_input_name": "a", "constant_value": 12},
        {"pipeline_input_name": "b", "constant_value": "basic"},
        {"pipeline_input_name": "c", "environment_variable_name": "KEY"},
        {"pipeline_input_name": "d", "endpoint_input_name": "rows"},
        {"pipeline_input_name": "e", "datastore_path": "x/y=z:1"},
        {"pipeline_input_name": "f", "is_null": True},
    ]
    assert output_mappings(["r=endpoint:risk", "s=null"]) == [
        {"pipeline_output_name": "r", "endpoint_output_name": "risk"},
        {"pipeline_output_name": "s", "is_null": True},
    ]
