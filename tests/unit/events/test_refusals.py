"""The codes that everything is refused with, and the sentences that go with them."""

from http import HTTPStatus
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from events.commands import PipelineRequested, StepRequested
from events.refusals import Code, Refused, code_of
from events.validation import MAX_FIELDS_TOLD, refusal_of


def refusal(model: type[BaseModel], fields: Any) -> Refused:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(fields)
    return refusal_of(caught.value)


@pytest.mark.parametrize("code", Code)
def test_a_code_is_found_by_its_text(code: Code) -> None:
    assert code.name == code.value.upper()
    assert code_of(code.value) is code
    assert code == code.value


@pytest.mark.parametrize("text", ["", "nothing", "step not found"])
def test_a_text_that_is_no_code_is_not_found(text: str) -> None:
    with pytest.raises(KeyError):
        code_of(text)


@pytest.mark.parametrize("code", Code)
def test_a_code_has_an_error_status_that_http_knows_and_a_meaning(code: Code) -> None:
    assert HTTPStatus(code.http_status) >= HTTPStatus.BAD_REQUEST
    assert code.meaning[0].isupper()
    assert not code.meaning.endswith(".")


@pytest.mark.parametrize(
    ("ending", "status"),
    [("_not_found", 404), ("_exists", 409), ("_in_use", 409), ("_unavailable", 503), ("_token", 401)],
)
def test_codes_of_one_kind_have_one_status(ending: str, status: int) -> None:
    kind = [code for code in Code if code.value.endswith(ending)]
    assert kind
    assert {code.http_status for code in kind} == {status}


def test_no_two_codes_mean_the_same() -> None:
    assert len({code.meaning for code in Code}) == len(Code)


def test_a_refusal_carries_its_code_its_sentence_and_its_culprits() -> None:
    refused = Refused(Code.PIPELINE_IN_USE, "Deployments use it.", deployments=["live"])
    assert (refused.code, refused.message, refused.details) == (
        Code.PIPELINE_IN_USE,
        "Deployments use it.",
        {"deployments": ["live"]},
    )
    assert str(refused) == "Deployments use it."


def test_only_bad_names_are_an_invalid_name() -> None:
    refused = refusal(PipelineRequested, {"pipeline_name": "a/b", "step_names": ["", "s"]})
    assert refused.code is Code.INVALID_NAME
    assert refused.message == (
        "pipeline_name: the name cannot be used: it contains one of / ? # %; "
        "step_names.0: the name cannot be used: it is empty or blank."
    )


def test_a_bad_name_beside_another_problem_is_an_invalid_body() -> None:
    assert refusal(PipelineRequested, {"pipeline_name": "a/b", "step_names": 1}).code is Code.INVALID_BODY


def test_a_field_deep_inside_is_told_by_its_path() -> None:
    refused = refusal(
        StepRequested,
        {"step_name": "s", "function_path": "a", "function_name": "f", "inputs": [{"name": "x", "data_type": "blob"}]},
    )
    told: Any = refused.details["fields"]
    assert [each["field"] for each in told] == ["inputs.0.data_type"]
    assert "'string', 'number', 'boolean', 'json', 'array' or 'file'" in refused.message


def test_a_body_that_is_no_object_is_told_as_the_body() -> None:
    assert refusal(PipelineRequested, []).message.startswith("body: ")


def test_three_problems_are_told_in_the_sentence_and_the_rest_is_counted() -> None:
    refused = refusal(PipelineRequested, {"pipeline_name": "p", "step_names": [1, 2, 3, 4, 5]})
    assert refused.message.count(";") == 2
    assert refused.message.endswith("(and 2 more).")


def test_no_more_problems_are_listed_than_a_person_reads() -> None:
    refused = refusal(PipelineRequested, {"pipeline_name": "p", "step_names": list(range(1000))})
    told: Any = refused.details["fields"]
    assert len(told) == MAX_FIELDS_TOLD
    assert refused.message.endswith("(and 997 more).")


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    class Login(BaseModel):
        model_config = ConfigDict(strict=True)
        token: int

    refused = refusal(Login, {"token": "top-secret"})
    assert "top-secret" not in refused.message + str(refused.details)
