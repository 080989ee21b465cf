"""What a caller sees of refusals, whoever wrote them."""

import pytest

import pipeloom
from events.refusals import Code, code_of
from pipeloom import (
    Conflict,
    Invalid,
    NotFound,
    PipelineExists,
    PipeloomError,
    Refused,
    StepFailed,
    Unauthenticated,
    Unavailable,
    Unreadable,
)
from pipeloom.client.refusals import BY_CODE

from .conftest import Caller, Service

IN_USE = {
    "name": "pipeline_in_use",
    "message": "The pipeline 'churn' is used by 1 deployment: churn-live.",
    "request_id": "r-1",
    "additional_data": {"deployments": ["churn-live"], "command_id": "c-1"},
    "type": "/errors/pipeline_in_use",
    "title": "Deployments use the pipeline",
    "status": 409,
    "detail": "The pipeline 'churn' is used by 1 deployment: churn-live.",
    "instance": "/api/v1/pipelines/churn",
}


async def test_a_refusal_carries_all_that_the_service_said(call: Caller, service: Service) -> None:
    service.answers(409, IN_USE)

    with pytest.raises(Conflict) as caught:
        await call("delete_pipeline", "churn")

    error = caught.value
    assert (error.code, error.status, error.request_id, error.command_id) == ("pipeline_in_use", 409, "r-1", "c-1")
    assert error.details["deployments"] == ["churn-live"]
    assert str(error) == "The pipeline 'churn' is used by 1 deployment: churn-live. [pipeline_in_use]"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Invalid), (404, NotFound), (409, Conflict), (412, Conflict), (413, Invalid), (415, Invalid), (422, Invalid)],
)
async def test_a_refusal_is_of_its_kind(call: Caller, service: Service, status: int, kind: type[Refused]) -> None:
    service.answers(status, {"name": "some_code", "message": "why"})
    with pytest.raises(Refused) as caught:
        await call("create_pipeline", "p", "s")
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ("get_step", "step_not_found"),
        ("get_pipeline", "pipeline_not_found"),
        ("get_deployment", "deployment_not_found"),
    ],
)
async def test_what_does_not_exist_is_none(call: Caller, service: Service, method: str, code: str) -> None:
    service.answers(404, {"name": code, "message": "There is none"})
    assert await call(method, "ghost") is None


async def test_a_wrong_address_is_not_mistaken_for_an_absent_pipeline(call: Caller, service: Service) -> None:
    service.answers_text(404, "<html>nothing here</html>")
    with pytest.raises(NotFound, match="nothing here") as caught:
        await call("get_pipeline", "churn")
    assert caught.value.code == "http_404"


@pytest.mark.parametrize(
    "text", ["", "<html><body>Bad request</body></html>", "[]", '"text"', '{"detail": 1, "message": null, "name": 7}']
)
async def test_a_refusal_in_a_foreign_form_is_still_a_refusal(call: Caller, service: Service, text: str) -> None:
    service.answers_text(400, text)
    with pytest.raises(Invalid, match="400 Bad Request") as caught:
        await call("list_pipelines")
    assert (caught.value.code, caught.value.details) == ("http_400", {})


@pytest.mark.parametrize(
    ("status", "text"), [(200, "<html>Welcome</html>"), (200, ""), (200, "{}"), (302, "[]"), (204, "")]
)
async def test_an_answer_of_another_program_is_called_unreadable(
    call: Caller, service: Service, status: int, text: str
) -> None:
    service.answers_text(status, text)
    with pytest.raises(Unreadable, match="Is the address right"):
        await call("list_pipelines")


async def test_a_read_that_broke_the_service_is_unavailable(call: Caller, service: Service) -> None:
    service.answers(500, {"name": "internal_error", "message": "Something broke on our side"})
    with pytest.raises(Unavailable) as caught:
        await call("list_pipelines")
    assert isinstance(caught.value, PipeloomError)
    assert caught.value.code == "internal_error"


KINDS = {401: Unauthenticated, 404: NotFound, 409: Conflict, 410: NotFound, 413: Invalid, 422: Invalid}


@pytest.mark.parametrize(("code", "kind"), BY_CODE.items())
def test_a_refusal_with_a_class_of_its_own_is_of_the_kind_of_its_status(code: str, kind: type[Refused]) -> None:
    known = code_of(code)
    assert kind.__name__.lower() == code.replace("_", "")
    assert kind is StepFailed or issubclass(kind, KINDS[known.http_status])
    assert f"(`{code}`)" in (kind.__doc__ or "")


# What this client never brings about, or what its kind tells all of.
WITHOUT_A_CLASS = {
    Code.INVALID_JSON, Code.INVALID_HEADER, Code.INVALID_BODY, Code.INVALID_PARAMETER, Code.INVALID_REQUEST,
    Code.VALUE_NOT_SEALED, Code.SECRET_IN_THE_CLEAR, Code.SINGLE_STEP_ONLY, Code.STEPLESS_PIPELINE,
    Code.UNSUPPORTED_MEDIA_TYPE, Code.REQUEST_TIMEOUT, Code.NOT_FOUND, Code.METHOD_NOT_ALLOWED, Code.UNAUTHENTICATED,
    Code.EXPIRED_TOKEN, Code.BUILD_OUTDATED, Code.PRECONDITION_FAILED, Code.UNREADABLE_RECORD, Code.MISSING_ATTRIBUTE,
    Code.INVALID_ATTRIBUTE, Code.UNKNOWN_TYPE, Code.UNKNOWN_VERSION, Code.MISROUTED, Code.UNKNOWN_ENVIRONMENT,
    Code.ENVIRONMENT_OVERLOADED,
}  # fmt: skip


def test_every_other_refusal_has_a_class_of_its_own() -> None:
    refusals = {code.value for code in Code if code.http_status < 500}
    assert refusals - set(WITHOUT_A_CLASS) == set(BY_CODE)
    assert {kind.__name__ for kind in BY_CODE.values()} <= set(pipeloom.__all__)


async def test_a_refusal_is_of_the_class_of_its_code(call: Caller, service: Service) -> None:
    service.answers(409, {"name": "pipeline_exists", "message": "taken"})
    with pytest.raises(PipelineExists):
        await call("create_pipeline", "p", "s")
