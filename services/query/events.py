"""The live feed of an environment's events, as Server-Sent Events."""

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from events.codec import MAX_ATTRIBUTE_LENGTH
from events.patterns import NO_NUL
from events.refusals import Code, Refused
from services.kit.backend import Backend
from services.kit.eventlog import Extent
from services.kit.parameters import EventType, PipelineFilter
from services.kit.places import Shares
from services.kit.web import Asker
from services.query import contract
from services.query.event_pages import EventPages, Wanted
from services.query.event_stream import EventStream, Limits, Place
from services.query.paging import demand_known, pruned_headers

PARAMETERS = ("type", "pipeline", "subject", "from")
REPEATABLE = ("type",)
_PLACE = re.compile(r"0|[1-9][0-9]{0,17}")
_BLANKS = " \t"


Types = Annotated[
    list[EventType] | None, Query(alias="type", max_length=100, description="Only events of this type; repeatable")
]
Subject = Annotated[
    str,
    NO_NUL,
    Query(
        description="Only events whose subject begins so, for example `pipelines/`",
        max_length=MAX_ATTRIBUTE_LENGTH,
    ),
]
From = Annotated[
    Literal["beginning", "now"],
    Query(alias="from", description="Where to begin; does not count when there is a Last-Event-ID"),
]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", description="Go on behind this event")]


def event_router(backend: Backend, limits: Limits | None = None) -> APIRouter:
    """Return the route of the live feed."""
    router = APIRouter(tags=["events"])
    pages = EventPages(backend.pool)
    within = limits or Limits()
    http = backend.settings.http
    shares = Shares("streams", http.max_streams, http.max_streams_per_environment, Code.TOO_MANY_STREAMS)

    @router.get("/events", response_class=StreamingResponse, **contract.FOLLOW_EVENTS)
    async def follow_events(
        request: Request,
        asker: Asker,
        types: Types = None,
        pipeline: PipelineFilter = None,
        subject: Subject = "",
        start: From = "now",
        last_event_id: LastEventId = None,
    ) -> Response:
        """Follow the events of the environment: those that are logged behind the place asked for, then new ones.

        An event's id is its sequence in the environment's history, its name the type, its data a CloudEvent as JSON.
        """
        demand_known(request, PARAMETERS, REPEATABLE)
        extent = await pages.extent(asker.environment)
        after = extent.head if start == "now" else extent.pruned_up_to
        if last_event_id is not None:
            after = _place(last_event_id, extent)
        wanted = Wanted(asker.environment, tuple(sorted(set(types))) if types else None, subject, pipeline)
        expires_at = backend.tokens.expires_at(request.headers.get("authorization"))
        place = Place(after, expires_at, pruned_headers(extent.pruned_up_to))
        return EventStream(pages, backend.live.watchers, shares, wanted, place, within)

    return router


def _place(last_event_id: str, extent: Extent) -> int:
    given = last_event_id.strip(_BLANKS)
    if not _PLACE.fullmatch(given) or int(given) > extent.head:
        # What is not ASCII came as bytes of who knows which encoding: repeated it would be something else.
        told = f"'{given}'" if given.isascii() and given.isprintable() else "has characters other than digits, so it"
        raise Refused(
            Code.INVALID_HEADER,
            f"The Last-Event-ID {told} is not the id of an event of this environment, whose last one is "
            f"{extent.head}. Leave the header out to begin anew, with `from=beginning` or `from=now`.",
            header="Last-Event-ID",
        )
    if int(given) < extent.pruned_up_to:
        raise Refused(
            Code.HISTORY_PRUNED,
            f"The events behind {given} are no longer kept: the history was pruned up to {extent.pruned_up_to}. Read "
            "the present state, and begin anew, from the beginning of what is kept or from now on.",
            last_event_id=int(given),
            pruned_up_to=extent.pruned_up_to,
        )
    return int(given)
