"""The last refusals, from a service that answers as it is told."""

from functools import partial

import httpx
import pytest

from pipeloom import Client
from pipeloom.status.refusals import NOT_CONFIGURED, Refusals

REFUSED = {"subject": "steps/train", "refusal": {"code": "step_exists", "message": "The name is taken."}}
PROBLEM = {"name": "not_found", "message": "There is no such address.", "request_id": "r", "additional_data": {}}


class Service:
    def __init__(self, status: int, body: object) -> None:
        self.asked: list[httpx.Request] = []
        self._answer = partial(httpx.Response, status, json=body)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.endswith("/auth/refresh"):
            return httpx.Response(200, json={"access_token": "a.b.c"})
        return self._answer()

    def refusals(self) -> Refusals:
        open_client = partial(Client, transport=httpx.MockTransport(self.handle))
        return Refusals("http://pipeloom.test", "token", open_client)


def test_the_last_refused_commands_are_asked_for() -> None:
    service = Service(200, [REFUSED])
    refusals = service.refusals()
    assert refusals.last() == [REFUSED]
    assert str(service.asked[-1].url) == "http://pipeloom.test/api/v1/commands?status=rejected&limit=5"
    refusals.close()


def test_a_service_that_does_not_list_commands_is_told_in_its_own_words() -> None:
    assert Service(404, PROBLEM).refusals().last() == "There is no such address."


@pytest.mark.parametrize("access", [(None, None), ("http://pipeloom.test", None), (None, "token")])
def test_without_an_address_or_a_token_nothing_is_asked(access: tuple[str | None, str | None]) -> None:
    assert Refusals(*access).last() == NOT_CONFIGURED
