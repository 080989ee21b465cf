"""Variables of the environment."""

import pytest

from pipeloom import OutcomeUnknown

from .conftest import Caller, Service


@pytest.mark.parametrize("body", [None, "OK", {"anything": 1}])
async def test_a_variable_is_put_whatever_is_answered(call: Caller, service: Service, body: object) -> None:
    service.answers(200, body)

    assert await call("create_or_update_environment_variable", "KEY", "value") is None

    assert (service.request.method, service.request.url.path) == ("PUT", "/api/v1/environment-variables")
    assert service.body == {"environment_variables": {"KEY": "value"}}
    assert service.request.headers["idempotency-key"]


async def test_variables_are_put_together(call: Caller, service: Service) -> None:
    service.answers(200, {})
    await call("create_or_update_environment_variables", {"A": "1", "B": ""})
    assert service.body == {"environment_variables": {"A": "1", "B": ""}}


async def test_a_variable_whose_answer_is_lost_has_an_unknown_outcome(call: Caller, service: Service) -> None:
    service.answers(500, {"name": "internal_error", "message": "broke"})
    with pytest.raises(OutcomeUnknown):
        await call("create_or_update_environment_variable", "KEY", "value")


async def test_variables_are_listed(call: Caller, service: Service) -> None:
    service.answers(200, [{"name": "KEY", "value": "v"}])
    assert await call("list_environment_variables") == [{"name": "KEY", "value": "v"}]
    assert service.request.url.path == "/api/v1/environment-variables"


async def test_a_variable_is_deleted(call: Caller, service: Service) -> None:
    service.answers(200, {"name": "KEY", "value": "v"})
    assert await call("delete_environment_variable", "KEY") == {"name": "KEY", "value": "v"}
    request = service.request
    assert (request.method, request.url.path) == ("DELETE", "/api/v1/environment-variables/KEY")
