"""The live feed of an environment's events, as Server-Sent Events."""

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from events.codec import MAX_ATTRIBUTE_LENGTH
from events.refusals import Code, Refused
from services.kit.backend import Backend
from services.kit.parameters import EventType
from services.kit.web import Asker
from services.query import contract
from services.query.event_pages import EventPages, Wanted
from services.query.event_stream import EventStream, Limits, Place

PARAMETERS = ("type", "subject", "from")
_PLACE = re.compile(r"[0-9]{1,18}")


Types = Annotated[
    list[EventType] | None, Query(alias="type", max_length=100, description="Only events of this type; repeatable")
]
Subject = Annotated[
    str,
    Query(
        description="Only events whose subject begins so, for example `pipelines/`",
        max_length=MAX_ATTRIBUTE_LENGTH,
        pattern=r"^[^\x00]*$",
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
    within = limits or Limits(backend.settings.http.max_streams)

    @router.get("/events", response_class=StreamingResponse, **contract.FOLLOW_EVENTS)
    async def follow_events(
        request: Request,
        asker: Asker,
        types: Types = None,
        subject: Subject = "",
        start: From = "now",
        last_event_id: LastEventId = None,
    ) -> Response:
        """Follow the events of the environment: those that are logged behind the place asked for, then new ones.

        An event's id is its sequence in the environment's history, its name the type, its data a CloudEvent as JSON.
        """
        _demand_known_parameters(request)
        head = await pages.head(asker.environment)
        after = head if start == "now" else 0
        if last_event_id is not None:
            after = _place(last_event_id, head)
        wanted = Wanted(asker.environment, tuple(sorted(set(types))) if types else None, subject)
        place = Place(after, backend.tokens.expires_at(request.headers.get("authorization")))
        return EventStream(pages, backend.live.watchers, wanted, place, within)

    return router


def _demand_known_parameters(request: Request) -> None:
    unknown = sorted(set(request.query_params) - set(PARAMETERS))
    if unknown:
        raise Refused(
            Code.INVALID_REQUEST,
            f"There is no parameter '{unknown[0]}' here; the known ones are {', '.join(PARAMETERS)}.",
            unknown=list(unknown),
            known=list(PARAMETERS),
        )


def _place(last_event_id: str, head: int) -> int:
    if not _PLACE.fullmatch(last_event_id) or int(last_event_id) > head:
        raise Refused(
            Code.INVALID_HEADER,
            f"The Last-Event-ID '{last_event_id}' is not the id of an event of this environment, whose last one is "
            f"{head}. Leave the header out to begin anew, with `from=beginning` or `from=now`.",
            header="Last-Event-ID",
        )
    return int(last_event_id)
