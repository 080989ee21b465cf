"""The commands of an environment that were decided, the newest first: what was asked, by whom, and what came of it."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

import pydantic_core
from fastapi import APIRouter, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from starlette.requests import Request
from starlette.responses import Response

from events.codec import MAX_ATTRIBUTE_LENGTH
from events.envelope import timestamp
from events.outcomes import COMMAND_OF, is_refusal, results_of
from events.patterns import NO_NUL
from events.upcasting import present_fields
from services.kit.eventlog import read_extent
from services.kit.parameters import CommandType
from services.kit.postgres import Connection, Pool
from services.kit.reading import reading
from services.kit.statements import load_queries
from services.kit.web import Asker
from services.query import history_contract as contract
from services.query.paging import BEHIND_ALL, DEFAULT_LIMIT, PageLimit, demand_known, page_response

PARAMETERS = ("status", "type", "actor", "since", "until", "limit", "after")
ROWS = 2_000
BYTES = 1024 * 1024

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


def _written_out(text: Any) -> Any:
    """Refuse what pydantic would take for a moment too: a number of seconds."""
    if not (isinstance(text, str) and _DATE.match(text)):
        raise ValueError("write a time with its zone (RFC 3339), as in 2026-01-31T12:00:00Z")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("that is beyond all times") from error


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]
Status = Annotated[Literal["succeeded", "rejected"] | None, Query(description="Only commands that ended so")]
Type = Annotated[CommandType | None, Query(alias="type", description="Only commands of this type")]
Actor = Annotated[
    Annotated[str, NO_NUL] | None,
    Query(max_length=MAX_ATTRIBUTE_LENGTH, description="Only what this user or producer asked"),
]
Since = Annotated[Moment | None, Query(description="Only what was decided then or later (RFC 3339)")]
Until = Annotated[Moment | None, Query(description="Only what was decided before then (RFC 3339)")]
After = Annotated[
    int | None, Query(ge=0, le=BEHIND_ALL, description="Only what was decided before that sequence; take it from Link")
]

_sql = load_queries(__file__)


class Wanted(NamedTuple):
    """Which commands are wanted; None stands for any."""

    status: Literal["succeeded", "rejected"] | None
    type: str | None
    actor: str | None
    since: datetime | None
    until: datetime | None


def command_list_router(pool: Pool) -> APIRouter:
    """Return the route that lists commands."""
    router = APIRouter(tags=["commands"])

    @router.get("/commands", **contract.LIST_COMMANDS)
    async def list_commands(
        request: Request,
        asker: Asker,
        status: Status = None,
        command_type: Type = None,
        actor: Actor = None,
        since: Since = None,
        until: Until = None,
        limit: PageLimit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """List the commands that were decided, the newest first; the refused ones with their reasons.

        A page looks at a bounded piece of the history: one with few entries, or none, may still have a next one.
        """
        demand_known(request, PARAMETERS)
        wanted = Wanted(status, command_type, actor, since, until)
        async with reading(pool) as connection:
            rows = await _page(connection, asker.environment, wanted, after, limit)
            extent = await read_extent(connection, asker.environment)
        behind = rows[-1]["covered"] if rows and rows[-1]["has_more"] else None
        told = [entry_of(row) for row in rows if row["is_wanted"]]
        return page_response(request, told, behind, extent.pruned_up_to)

    return router


async def _page(connection: Connection, environment: str, wanted: Wanted, after: int | None, limit: int) -> list[Any]:
    before = BEHIND_ALL if after is None else after
    if wanted.until is not None:
        before = min(before, await _first_from(connection, environment, wanted.until))
    first = 0 if wanted.since is None else await _first_from(connection, environment, wanted.since)
    rows = _sql.list_commands(
        connection,
        environment=environment,
        refused_only=wanted.status == "rejected",
        succeeded_only=wanted.status == "succeeded",
        result_types=None if wanted.type is None else results_of(wanted.type),
        refusal_opening="" if wanted.type is None else refusal_opening(wanted.type),
        actor=wanted.actor,
        first=first,
        before=before,
        row_limit=ROWS,
        wanted_limit=limit,
        byte_limit=BYTES,
    )
    return [row async for row in rows]


async def _first_from(connection: Connection, environment: str, moment: datetime) -> int:
    place: int = await _sql.first_decided_from(connection, environment=environment, moment=moment)
    return place


def refusal_opening(command_type: str) -> str:
    """Return how the data of a refusal of such a command begins, so that its JSON need not be read to tell."""
    return f'{{"command_type":{pydantic_core.to_json(command_type).decode()},'


def entry_of(row: Any) -> dict[str, Any]:
    """Return what the list says of a command."""
    entry = {
        "command_id": str(row["command_id"]),
        "command_type": COMMAND_OF.get(row["type"]),
        "status": "succeeded",
        "subject": row["subject"],
        "actor": row["actor"],
        "command_source": row["command_source"],
        "time": timestamp(row["time"]),
        "decided_at": row["decided_at"] and timestamp(row["decided_at"]),
        "sequence": row["sequence"],
        "type": row["type"],
        "traceparent": row["traceparent"],
        "refusal": None,
    }
    if not is_refusal(row["type"]):
        return entry
    data = present_fields(row["type"], row["version"], row["refusal"])
    refusal = {key: data[key] for key in ("code", "message", "details")}
    return {**entry, "status": "rejected", "command_type": data["command_type"], "refusal": refusal}
