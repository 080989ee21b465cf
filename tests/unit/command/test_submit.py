"""A command's way from its request to its answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import pytest
from starlette.responses import Response
from structlog.testing import capture_logs

from events.commands import PipelineRequested
from events.envelope import Command, Event, Position
from events.refusals import Code, Refused
from events.results import CommandRejected
from services.command.submit import Submitter, validated
from services.kit.backend import Backend
from services.kit.commands import CommandPublisher
from services.kit.live import News
from services.kit.patience import Patience
from services.kit.places import NoPlace
from services.kit.sealing import Sealer
from services.kit.settings import Settings
from services.kit.tokens import Identity, Tokens
from tests.support.services import eventually

from .conftest import MakeRequest

ADA = Identity("ada", "lab")
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
DATA = PipelineRequested(pipeline_name="churn", step_names=["train"])
REJECTION = CommandRejected(
    command_type="PipelineRequested",
    command_subject="pipelines/churn",
    code="step_not_ready",
    message="The step 'train' is not Ready.",
    details={"step_name": "train"},
)

Row = dict[str, Any]


def answered(event: Event) -> Response:
    return Response(event.data, 201)


def result_of(command: Command, **changes: Any) -> Event:
    fields: dict[str, Any] = {
        "partition": 0,
        "position": Position(41, 0),
        "environment": command.environment,
        "sequence": 7,
        "type": "PipelineCreated",
        "version": 1,
        "subject": "pipelines/churn",
        "command_id": command.id,
        "command_source": command.source,
        "is_result": True,
        "actor": command.actor,
        "time": command.time,
        "data": "the result",
    }
    return Event(**(fields | changes))


async def acknowledged_at_once(_: Patience) -> None:
    pass


class Inbox:
    """A connection to a Postgres that answers every statement with one row, or with trouble."""

    def __init__(self, row: Row | Exception | None) -> None:
        self._row = row

    async def fetchrow(self, *_: object) -> Row | None:
        if isinstance(self._row, Exception):
            raise self._row
        return self._row


class World:
    """What surrounds a submitter: a Kafka that decides at once or never, an inbox, and live news."""

    def __init__(self) -> None:
        self.published: list[Command] = []
        self.on_publish: Callable[[Command], None] = lambda command: None
        self.slow_kafka: Callable[[Patience], Awaitable[None]] = acknowledged_at_once
        self.hang_s = 0.0
        self.inbox: Row | Exception | None = None
        self.settings = Settings()
        self.expected: dict[tuple[str, UUID], News] = {}

    async def publish(self, command: Command, patience: Patience) -> None:
        await self.slow_kafka(patience)
        assert (command.environment, command.id) in self.expected, "news could come before somebody waits for it"
        self.published.append(command)
        self.on_publish(command)

    async def acquire(self) -> "Inbox":
        await asyncio.sleep(self.hang_s)
        return Inbox(self.inbox)

    async def release(self, inbox: "Inbox") -> None:
        """Take it back."""

    @contextmanager
    def expecting(self, environment: str, what: UUID) -> Iterator[News]:
        future = self.expected[environment, what] = News(loop=asyncio.get_running_loop())
        yield future
        del self.expected[environment, what]

    def tell(self, command: Command, **changes: Any) -> None:
        """Release whoever waits for the command, and keep the result in the inbox."""
        event = result_of(command, **changes)
        self.expected[command.environment, command.id].set_result(event)
        self.keep(event, command.fingerprint())

    def keep(self, event: Event, fingerprint: bytes) -> None:
        self.inbox = {
            **{name: getattr(event, name) for name in Event.__slots__ if name != "position"},
            "log_offset": event.position.offset,
            "log_index": event.position.index,
            "time": datetime.fromisoformat(event.time),
            "fingerprint": fingerprint,
        }


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def backend(world: World, tokens: Tokens, sealer: Sealer) -> Backend:
    return Backend(world.settings, cast("Any", world), cast("Any", world), tokens, sealer)


@pytest.fixture
def submitter(world: World, backend: Backend) -> Submitter:
    return Submitter(backend, cast("CommandPublisher", world))


async def test_a_decided_command_is_answered_with_its_result(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    world.on_publish = world.tell
    response = await submitter.submit(make_request(), ADA, DATA, answered)
    (command,) = world.published
    assert (response.status_code, bytes(response.body)) == (201, b"the result")
    assert response.headers["pipeloom-command-id"] == str(command.id)


async def test_a_command_says_who_asks_for_what_and_by_which_door(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    world.on_publish = world.tell
    await submitter.submit(make_request({"traceparent": TRACEPARENT}), ADA, DATA, answered)
    (command,) = world.published
    assert (command.actor, command.environment, command.source) == ("ada", "lab", "/pipeloom/http")
    assert (command.data, command.traceparent) == (DATA, TRACEPARENT)


async def test_a_rejected_command_is_refused_with_the_composers_words(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    world.on_publish = lambda command: world.tell(command, type="CommandRejected", data=REJECTION.model_dump_json())
    with pytest.raises(Refused) as caught:
        await submitter.submit(make_request(), ADA, DATA, answered)
    assert (caught.value.code, caught.value.message) == (Code.STEP_NOT_READY, REJECTION.message)
    assert caught.value.details == {"step_name": "train", "command_id": str(world.published[0].id)}


@pytest.mark.parametrize(("prefer", "applied"), [("respond-async", "respond-async"), ("wait=1", "wait=1")])
async def test_a_client_that_does_not_wait_for_long_is_told_where_to_ask(
    world: World,
    submitter: Submitter,
    make_request: MakeRequest,
    prefer: str,
    applied: str,
) -> None:
    response = await submitter.submit(make_request({"Prefer": prefer}), ADA, DATA, answered)
    command_id = str(world.published[0].id)
    assert response.status_code == 202
    assert response.headers["preference-applied"] == applied
    assert response.headers["location"] == f"/api/v1/commands/{command_id}"
    assert response.headers["pipeloom-command-id"] == command_id


async def test_without_a_result_in_time_the_outcome_is_unknown(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    world.settings.http.result_timeout_s = 0.01
    with pytest.raises(Refused) as caught:
        await submitter.submit(make_request(), ADA, DATA, answered)
    assert caught.value.code is Code.OUTCOME_UNKNOWN
    assert caught.value.details == {"command_id": str(world.published[0].id)}


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}], ids=["no key", "a key"])
async def test_a_postgres_that_hangs_makes_nobody_wait_longer_than_asked(
    world: World, submitter: Submitter, make_request: MakeRequest, key: dict[str, str]
) -> None:
    world.hang_s = 30.0
    began = time.monotonic()
    with capture_logs():
        response = await submitter.submit(make_request({"Prefer": "wait=1", **key}), ADA, DATA, answered)
    assert (response.status_code, len(world.published)) == (202, 1)
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}], ids=["no key", "a key"])
async def test_a_postgres_that_hangs_does_not_make_the_servers_own_time_longer(
    world: World, submitter: Submitter, make_request: MakeRequest, key: dict[str, str]
) -> None:
    world.hang_s, world.settings.http.result_timeout_s = 30.0, 0.5
    began = time.monotonic()
    with capture_logs(), pytest.raises(Refused) as caught:
        await submitter.submit(make_request(key), ADA, DATA, answered)
    assert caught.value.code is Code.OUTCOME_UNKNOWN
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(("prefer", "least_s", "most_s"), [("wait=1", 1.9, 2.1), ("respond-async", 8.0, 12.0)])
async def test_kafka_has_the_time_that_was_asked_for(
    world: World, submitter: Submitter, make_request: MakeRequest, prefer: str, least_s: float, most_s: float
) -> None:
    given: list[float] = []

    async def note(patience: Patience) -> None:
        given.append(patience.left_s)

    world.slow_kafka = note
    world.on_publish = world.tell
    await submitter.submit(make_request({"Prefer": prefer}), ADA, DATA, answered)
    assert least_s <= given[0] <= most_s


async def test_a_process_that_ends_tells_who_waits_that_the_outcome_is_unknown(
    world: World, backend: Backend, submitter: Submitter, make_request: MakeRequest
) -> None:
    world.on_publish = lambda _: backend.ending.set()
    with pytest.raises(Refused, match="the service is being stopped") as caught:
        await asyncio.wait_for(submitter.submit(make_request(), ADA, DATA, answered), 3)
    assert caught.value.code is Code.OUTCOME_UNKNOWN
    assert caught.value.details == {"command_id": str(world.published[0].id)}


async def test_a_process_that_ends_answers_who_asked_for_a_wait_with_where_to_ask(
    world: World, backend: Backend, submitter: Submitter, make_request: MakeRequest
) -> None:
    world.on_publish = lambda _: backend.ending.set()
    waiting = submitter.submit(make_request({"Prefer": "wait=30"}), ADA, DATA, answered)
    response = await asyncio.wait_for(waiting, 3)
    assert (response.status_code, "location" in response.headers) == (202, True)


async def test_a_result_whose_news_was_lost_is_found_in_the_inbox(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    world.settings.http.result_timeout_s = 0.01
    world.on_publish = lambda command: world.keep(result_of(command), command.fingerprint())
    response = await submitter.submit(make_request(), ADA, DATA, answered)
    assert response.status_code == 201


async def test_a_repeat_is_answered_from_the_inbox_and_not_sent_again(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    # Given
    world.on_publish = world.tell
    first = await submitter.submit(make_request({"Idempotency-Key": "k"}), ADA, DATA, answered)
    # When
    again = await submitter.submit(make_request({"Idempotency-Key": "k"}), ADA, DATA, answered)
    # Then
    assert len(world.published) == 1
    assert (again.status_code, again.body) == (first.status_code, first.body)
    assert again.headers["pipeloom-command-id"] == first.headers["pipeloom-command-id"]


async def test_a_key_that_was_used_for_another_request_is_refused(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    # Given
    world.on_publish = world.tell
    await submitter.submit(make_request({"Idempotency-Key": "k"}), ADA, DATA, answered)
    other = PipelineRequested(pipeline_name="another", step_names=["train"])
    # When
    with pytest.raises(Refused) as caught:
        await submitter.submit(make_request({"Idempotency-Key": "k"}), ADA, other, answered)
    # Then
    assert caught.value.code is Code.COMMAND_ID_REUSED
    assert len(world.published) == 1


async def test_a_key_that_another_request_wins_in_a_race_is_refused(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    def lose_the_race(command: Command) -> None:
        world.tell(command)
        world.keep(result_of(command), b"the fingerprint of the one that came first")

    world.on_publish = lose_the_race
    with pytest.raises(Refused) as caught:
        await submitter.submit(make_request({"Idempotency-Key": "k"}), ADA, DATA, answered)
    assert caught.value.code is Code.COMMAND_ID_REUSED


async def test_a_result_that_came_live_counts_though_postgres_cannot_be_read(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    def decide(command: Command) -> None:
        world.tell(command)
        world.inbox = ConnectionError("Postgres is away")

    world.on_publish = decide
    world.inbox = ConnectionError("Postgres is away")
    response = await submitter.submit(make_request({}), ADA, DATA, answered)
    assert response.status_code == 201


async def test_a_result_under_a_key_is_not_taken_for_ones_own_when_postgres_cannot_tell(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    def decide(command: Command) -> None:
        world.tell(command)
        world.inbox = ConnectionError("Postgres is away")

    world.on_publish = decide
    with capture_logs() as logged, pytest.raises(Refused) as caught:
        await submitter.submit(make_request({"Idempotency-Key": "k"}), ADA, DATA, answered)
    assert caught.value.code is Code.OUTCOME_UNKNOWN
    assert {each["event"] for each in logged} == {"the inbox cannot be read"}


async def test_what_could_not_be_sent_is_refused_by_whom_refused_it(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    def refuse(command: Command) -> None:
        raise Refused(Code.OVERLOADED, "Too much.")

    world.on_publish = refuse
    with pytest.raises(Refused, match="Too much"):
        await submitter.submit(make_request(), ADA, DATA, answered)


async def test_an_environment_at_its_share_is_refused_before_anything_is_sent(
    world: World, backend: Backend, make_request: MakeRequest
) -> None:
    # Given
    backend.settings.http.max_in_flight_per_environment = 1
    submitter, held = Submitter(backend, cast("CommandPublisher", world)), make_request()
    asking = asyncio.create_task(submitter.submit(held, ADA, DATA, answered))
    await eventually(lambda: len(world.published) == 1)
    # When
    with pytest.raises(NoPlace) as caught:
        await submitter.submit(make_request({"Idempotency-Key": "k"}), ADA, DATA, answered)
    world.tell(world.published[0])
    # Then
    assert caught.value.code is Code.ENVIRONMENT_OVERLOADED
    assert (await asking).status_code == 201
    assert len(world.published) == 1


async def test_commands_of_an_environment_are_sent_in_turns(
    world: World, backend: Backend, make_request: MakeRequest
) -> None:
    # Given
    backend.settings.http.turns_per_environment = backend.settings.http.turns_alone = 1
    submitter = Submitter(backend, cast("CommandPublisher", world))
    first, second = (asyncio.create_task(submitter.submit(make_request(), ADA, DATA, answered)) for _ in range(2))
    await eventually(lambda: len(world.published) == 1)
    # When
    world.on_publish = world.tell
    world.tell(world.published[0])
    # Then
    assert [(await each).status_code for each in (first, second)] == [201, 201]


async def test_a_header_that_cannot_be_read_is_refused_and_nothing_is_sent(
    world: World, submitter: Submitter, make_request: MakeRequest
) -> None:
    with pytest.raises(Refused) as caught:
        await submitter.submit(make_request({"Prefer": "wait=soon"}), ADA, DATA, answered)
    assert (caught.value.code, world.published) == (Code.INVALID_HEADER, [])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"pipeline_name": "a/b", "step_names": ["s"]}, Code.INVALID_NAME),
        ({"pipeline_name": "p"}, Code.INVALID_BODY),
        ({"pipeline_name": "p", "step_names": [1]}, Code.INVALID_NAME),
    ],
)
def test_fields_that_are_no_command_are_refused(fields: dict[str, Any], code: Code) -> None:
    with pytest.raises(Refused) as caught:
        validated(PipelineRequested, fields)
    assert caught.value.code is code


def test_unknown_fields_of_a_request_are_ignored() -> None:
    assert validated(PipelineRequested, {"pipeline_name": "churn", "step_names": ["train"], "x": 1}) == DATA
