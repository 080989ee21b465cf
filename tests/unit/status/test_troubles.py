"""What went wrong in an environment, from a service that answers as it is told."""

from functools import partial

import httpx
import pytest

from pipeloom import Client
from pipeloom.status.troubles import NOT_CONFIGURED, Troubles

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

    def troubles(self) -> Troubles:
        open_client = partial(Client, transport=httpx.MockTransport(self.handle))
        return Troubles("http://pipeloom.test", "token", open_client)


def test_the_last_refused_commands_are_asked_for() -> None:
    service = Service(200, [REFUSED])
    troubles = service.troubles()
    assert troubles.last_refusals() == [REFUSED]
    assert str(service.asked[-1].url) == "http://pipeloom.test/api/v1/commands?status=rejected&limit=5"
    troubles.close()


def test_a_service_that_does_not_list_commands_is_told_in_its_own_words() -> None:
    assert Service(404, PROBLEM).troubles().last_refusals() == "There is no such address."


@pytest.mark.parametrize("access", [(None, None), ("http://pipeloom.test", None), (None, "token")])
def test_without_an_address_or_a_token_nothing_is_asked(access: tuple[str | None, str | None]) -> None:
    assert Troubles(*access).told() == (NOT_CONFIGURED, None)


@pytest.mark.parametrize(("found", "is_at_least"), [(2, False), (100, True)])
def test_the_open_dead_letters_are_counted_as_far_as_a_page_goes(found: int, is_at_least: bool) -> None:
    service = Service(200, [{"id": str(number)} for number in range(found)])
    assert service.troubles().open_letters() == {"count": found, "is_at_least": is_at_least}
    assert str(service.asked[-1].url) == "http://pipeloom.test/api/v1/dead-letters?status=open&limit=100"


def test_a_service_that_does_not_answer_is_asked_once() -> None:
    service = Service(404, PROBLEM)
    assert service.troubles().told() == ("There is no such address.", None)
    assert sum(request.url.path.endswith("/commands") for request in service.asked) == 1
    assert not any(request.url.path.endswith("/dead-letters") for request in service.asked)
