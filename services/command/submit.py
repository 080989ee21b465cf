"""Submits a command and answers with its result: at once, in time, or honestly not yet."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid5

import pydantic_core
import structlog
import uuid_utils
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from events.commands import CommandData
from events.envelope import Command, Event, timestamp
from events.refusals import Code, Refused, code_of
from events.results import CommandRejected
from events.validation import refusal_of
from services.command.metrics import REPEATS, submission
from services.command.preferences import Preferences, read_preferences
from services.kit.backend import Backend
from services.kit.commands import CommandPublisher
from services.kit.eventlog import Decided, read_result
from services.kit.live import News
from services.kit.log_context import tell
from services.kit.patience import Patience
from services.kit.places import COMMANDS, Shares, Turns
from services.kit.postgres import POSTGRES_TROUBLE, borrowed
from services.kit.tokens import Identity
from services.kit.tracing import current_traceparent, span
from services.kit.web import json_response

SOURCE = "/pipeloom/http"
LOOK_S = 2.0
# One that has no result after so long costs nothing while it waits; others may be worked on.
TURN_S = 0.5
# How much of a request's time is kept for reading the result that nobody told of.
LAST_LOOK_S = 1.0
IDEMPOTENCY = UUID("6c1a3c5e-8f0b-5d4e-9f57-0c1f6a2b7d11")

Answer = Callable[[Event], Response]
C = TypeVar("C", bound=BaseModel)

log = structlog.get_logger(repeats=True)


def validated(model: type[C], fields: dict[str, Any]) -> C:
    """Return what `fields` ask for. Raises Refused: invalid_name or invalid_body; nothing is sent."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise refusal_of(error) from error


class Submitter:
    """Publishes commands and gives each its answer."""

    def __init__(self, backend: Backend, publisher: CommandPublisher) -> None:
        self.backend = backend
        self._publisher = publisher
        http = backend.settings.http
        self._shares = Shares(COMMANDS, http.max_in_flight, http.max_in_flight_per_environment)
        self._turns = Turns(
            COMMANDS, beside_others=http.turns_per_environment, alone=http.turns_alone, longest_s=TURN_S
        )

    async def submit(
        self,
        request: Request,
        asker: Identity,
        data: CommandData,
        answer: Answer,
        command_id: UUID | None = None,
        *,
        source: str = SOURCE,
        may_repeat: bool = False,
    ) -> Response:
        """Return `answer(result event)` once the command is decided, or 202 when the client does not want to wait.

        One that may repeat an earlier one, as any under an Idempotency-Key, is looked for before it is sent.
        Those of an environment take turns: who waits for a result of which nothing is heard has had its turn.
        Raises Refused with the composer's refusal, or overloaded, environment_overloaded, kafka_unavailable,
        outcome_unknown.
        """
        preferences = read_preferences(request.headers)
        command = Command(
            id=command_id or command_id_of(request, asker),
            environment=asker.environment,
            actor=asker.user_id,
            source=source,
            time=timestamp(datetime.now(UTC)),
            data=data,
            traceparent=current_traceparent(request.headers.get("traceparent")),
        )
        tell(command_id=str(command.id), environment=command.environment)
        with submission(command) as told:
            waiting, whole = self._patience(preferences.wait_s)
            with self._shares.place(command.environment):
                async with self._turns.turn(command.environment, whole, whole.left_s / 2):
                    submitted = self._submitted(command, preferences, answer, may_repeat, (waiting, whole))
                    return told.answered(await submitted)

    async def _submitted(
        self,
        command: Command,
        preferences: Preferences,
        answer: Answer,
        may_repeat: bool,
        patience: tuple[Patience, Patience],
    ) -> Response:
        waiting, whole = patience
        with self.backend.live.expecting(command.environment, command.id) as result:
            if preferences.idempotency_key or may_repeat:
                decided = await self._look(command, min(LOOK_S, whole.left_s / 2))
                if decided:
                    REPEATS.inc()
                    return _respond(command, decided.event, answer, decided.fingerprint)
            await self._publisher.publish(command, whole)
            if preferences.wait_s == 0:
                return _accepted(command, 0)
            event = await _awaited(result, waiting)
        decided = None
        if event is None or preferences.idempotency_key:
            decided = await self._look(command, min(LAST_LOOK_S, whole.left_s))
        if decided:
            return _respond(command, decided.event, answer, decided.fingerprint)
        if event and not preferences.idempotency_key:
            return _respond(command, event, answer, None)
        if event:  # it may be the result of another request under the same key
            raise _unknown(command, "its result cannot be read right now")
        if preferences.wait_s is not None:
            return _accepted(command, preferences.wait_s)
        if waiting.is_cut_short:
            raise _unknown(command, "it has no result yet, and the service is being stopped")
        raise _unknown(command, f"it has no result after {self.backend.settings.http.result_timeout_s:g} s")

    def _patience(self, wait_s: float | None) -> tuple[Patience, Patience]:
        """Return how long to wait for the result, and how long the request may take with all that is around it.

        Only Kafka's acknowledgement bounds one that does not wait: before it there is nothing to accept.
        """
        http, ending = self.backend.settings.http, self.backend.ending
        if wait_s is None:
            limit_s = http.result_timeout_s
            return Patience(max(limit_s - LAST_LOOK_S, limit_s / 2), ending), Patience(limit_s, ending)
        whole_s = wait_s + LAST_LOOK_S if wait_s else LOOK_S + http.acknowledge_timeout_s
        return Patience(wait_s, ending), Patience(whole_s, ending)

    async def _look(self, command: Command, within_s: float) -> Decided | None:
        """Return what is decided of a command, or None when nothing is, or when Postgres cannot say."""
        try:
            async with borrowed(self.backend.pool, within_s) as connection:
                return await read_result(connection, command.environment, command.id)
        except POSTGRES_TROUBLE as error:
            log.warning("the inbox cannot be read", error=repr(error))
            return None


async def _awaited(result: News, waiting: Patience) -> Event | None:
    """Return the result that came in time; the span tells by which way it came, if it did."""
    with span("result") as waited:
        event = result.result() if await waiting.wait(result) else None
        waited.set_attribute("pipeloom.released_by", result.way or "nothing")
        if event is not None:
            waited.set_attribute("pipeloom.event_id", event.id)
    return event


def command_id_of(request: Request, asker: Identity) -> UUID:
    """Return the command id of a request: derived from its Idempotency-Key, or a new one."""
    return keyed_command_id(request, asker) or UUID(int=uuid_utils.uuid7().int)


def keyed_command_id(request: Request, asker: Identity) -> UUID | None:
    """Return the command id that is derived from a request's Idempotency-Key, None when it has none."""
    idempotency_key = read_preferences(request.headers).idempotency_key
    if idempotency_key is None:
        return None
    return uuid5(IDEMPOTENCY, f"{asker.environment}\n{asker.user_id}\n{idempotency_key}")


def _respond(command: Command, event: Event, answer: Answer, fingerprint: bytes | None) -> Response:
    if fingerprint is not None and fingerprint != command.fingerprint():
        raise Refused(
            Code.COMMAND_ID_REUSED,
            "The Idempotency-Key was used before with another request. Use a new key for a new request.",
            command_id=str(command.id),
        )
    if event.type == CommandRejected.__name__:
        raise _refusal(command, CommandRejected.model_validate_json(event.data))
    response = answer(event)
    response.headers["Pipeloom-Command-Id"] = str(command.id)
    return response


def _refusal(command: Command, rejected: CommandRejected) -> Refused:
    details = {**rejected.details, "command_id": str(command.id)}
    return Refused(code_of(rejected.code), rejected.message, **details)


def _accepted(command: Command, waited_s: float) -> Response:
    location = f"/api/v1/commands/{command.id}"
    body = pydantic_core.to_json(
        {"command_id": str(command.id), "status": "accepted", "message": f"Ask for the result at {location}."}
    )
    headers = {
        "Location": location,
        "Pipeloom-Command-Id": str(command.id),
        "Preference-Applied": f"wait={waited_s:g}" if waited_s else "respond-async",
    }
    return json_response(body, 202, headers)


def _unknown(command: Command, why: str) -> Refused:
    return Refused(
        Code.OUTCOME_UNKNOWN,
        f"The command is accepted, but {why}: it may or may not take effect. "
        f"Ask for it at /api/v1/commands/{command.id}.",
        command_id=str(command.id),
    )
