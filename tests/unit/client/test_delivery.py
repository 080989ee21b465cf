"""What is tried again, and what it means when it never worked."""

import contextlib
import random

import httpx
import pytest

from pipeloom import OutcomeUnknown, PipeloomError, Unavailable
from pipeloom.client import delivery, writes
from pipeloom.client.delivery import ATTEMPTS, deliver
from pipeloom.client.session import Session

from .conftest import Caller, Service

PIPELINE = {"pipeline_name": "churn"}
SHARE = {"name": "environment_overloaded", "message": "Your environment has its share under way"}
OVERLOADED = {"name": "overloaded", "message": "Too many commands are under way"}
OUTCOME_UNKNOWN = {
    "name": "outcome_unknown",
    "message": "No result within 30 s",
    "additional_data": {"command_id": "c-1"},
}
KAFKA_UNAVAILABLE = {
    "name": "kafka_unavailable",
    "message": "Kafka did not acknowledge the command in time; it may still take effect",
    "additional_data": {"command_id": "c-1"},
}


@pytest.mark.parametrize("trouble", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError, httpx.ReadTimeout])
async def test_a_write_is_sent_again_with_the_same_key_when_the_connection_breaks(
    call: Caller, service: Service, trouble: type[httpx.RequestError]
) -> None:
    service.fails(trouble, trouble).answers(200, PIPELINE)

    assert await call("create_pipeline", "churn", "train") == PIPELINE

    assert len(service.requests) == 3
    assert len({request.headers["idempotency-key"] for request in service.requests}) == 1


@pytest.mark.parametrize(
    ("status", "body"), [(429, SHARE), (503, OVERLOADED), (503, KAFKA_UNAVAILABLE), (504, OUTCOME_UNKNOWN)]
)
async def test_a_write_is_sent_again_when_the_service_could_not_answer(
    call: Caller, service: Service, status: int, body: object
) -> None:
    service.answers(status, body).answers(200, PIPELINE)
    assert await call("create_pipeline", "churn", "train") == PIPELINE


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500, 502])
async def test_a_write_with_any_other_answer_is_sent_once(call: Caller, service: Service, status: int) -> None:
    service.answers(status, {"name": "some_code", "message": "why"})
    with pytest.raises(PipeloomError):
        await call("create_pipeline", "churn", "train")
    assert len(service.requests) == 1


@pytest.mark.parametrize("trouble", [httpx.ConnectError, httpx.ReadError])
async def test_a_read_is_sent_again_when_the_connection_breaks(
    call: Caller, service: Service, trouble: type[httpx.RequestError]
) -> None:
    service.fails(trouble).answers(503, OVERLOADED).answers(200, [])
    assert await call("list_pipelines") == []


async def test_a_read_that_takes_too_long_is_not_asked_again(call: Caller, service: Service) -> None:
    service.fails(httpx.ReadTimeout)
    with pytest.raises(Unavailable) as caught:
        await call("list_pipelines")
    assert caught.value.code == "timed_out"


async def test_a_service_that_is_not_there_is_unavailable(call: Caller, service: Service) -> None:
    service.fails(*[httpx.ConnectError] * ATTEMPTS)
    with pytest.raises(Unavailable, match="Is the service running") as caught:
        await call("create_pipeline", "churn", "train")
    assert caught.value.code == "unreachable"


async def test_a_service_that_stays_overloaded_is_unavailable(call: Caller, service: Service) -> None:
    for _ in range(ATTEMPTS):
        service.answers(503, OVERLOADED)
    with pytest.raises(Unavailable) as caught:
        await call("create_pipeline", "churn", "train")
    assert (caught.value.code, caught.value.status) == ("overloaded", 503)


async def test_a_write_without_any_answer_has_an_unknown_outcome(call: Caller, service: Service) -> None:
    service.fails(*[httpx.ReadError] * ATTEMPTS)
    with pytest.raises(OutcomeUnknown) as caught:
        await call("create_pipeline", "churn", "train", idempotency_key="my-key")
    assert caught.value.details == {"idempotency_key": "my-key"}


@pytest.mark.parametrize(("status", "body"), [(503, KAFKA_UNAVAILABLE), (504, OUTCOME_UNKNOWN)])
async def test_a_write_that_may_still_take_effect_names_its_command(
    call: Caller, service: Service, status: int, body: dict[str, object]
) -> None:
    for _ in range(ATTEMPTS):
        service.answers(status, body)
    with pytest.raises(OutcomeUnknown) as caught:
        await call("create_pipeline", "churn", "train", idempotency_key="my-key")
    assert (caught.value.code, caught.value.command_id) == (body["name"], "c-1")
    assert caught.value.details["idempotency_key"] == "my-key"


async def test_the_command_is_read_from_the_location_too(call: Caller, service: Service) -> None:
    service.answers(502, None, {"Location": "http://pipeloom.test/api/v1/commands/c-9"})
    with pytest.raises(OutcomeUnknown) as caught:
        await call("delete_pipeline", "churn")
    assert caught.value.command_id == "c-9"


@pytest.mark.parametrize(("status", "body"), [(503, KAFKA_UNAVAILABLE), (504, OUTCOME_UNKNOWN)])
async def test_a_write_that_may_have_arrived_stays_unknown_when_the_service_goes_away(
    call: Caller, service: Service, status: int, body: object
) -> None:
    service.answers(status, body).fails(*[httpx.ConnectError] * (ATTEMPTS - 1))
    with pytest.raises(OutcomeUnknown) as caught:
        await call("create_pipeline", "churn", "train")
    assert caught.value.command_id == "c-1"


class TestPauses:
    """The pauses of one delivery, without making them."""

    @pytest.fixture(autouse=True)
    def no_jitter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(delivery, "FIRST_PAUSE_S", 0.25)
        monkeypatch.setattr(random, "uniform", lambda low, high: 1.0)

    def pauses(self, reply: httpx.Response | httpx.RequestError) -> list[float]:
        session = Session("http://pipeloom.test", "token", timeout_s=30)
        flow = deliver(session, writes.create_pipeline("churn", "train", idempotency_key="my-key"), "access")
        pauses = [next(flow).after_s]
        with contextlib.suppress(Unavailable):
            while True:
                pauses.append(flow.send(reply).after_s)
        return pauses

    def test_pauses_double(self) -> None:
        assert self.pauses(overloaded()) == [0.0, 0.25, 0.5, 1.0]

    def test_a_longer_pause_is_made_when_the_service_asks_for_it(self) -> None:
        assert self.pauses(overloaded("3")) == [0.0, 3.0, 3.0, 3.0]

    def test_a_pause_too_long_to_be_waited_for_ends_the_call(self) -> None:
        assert self.pauses(overloaded("3600")) == [0.0]

    def test_a_pause_that_cannot_be_read_is_no_pause(self) -> None:
        assert self.pauses(overloaded("Wed, 21 Oct 2026 07:28:00 GMT")) == [0.0, 0.25, 0.5, 1.0]


def overloaded(retry_after: str | None = None) -> httpx.Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return httpx.Response(503, json=OVERLOADED, headers=headers, request=httpx.Request("POST", "http://pipeloom.test"))
