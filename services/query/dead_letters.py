"""Reading the dead letters of an environment: the records addressed to it that were no commands."""

from typing import Annotated

import pydantic_core
from fastapi import APIRouter, Query
from pydantic import AfterValidator
from starlette.requests import Request
from starlette.responses import Response

from events.patterns import Pattern
from services.kit.dead_letters import (
    NEWEST,
    PLACE_PATTERN,
    LetterId,
    Place,
    Status,
    entry_of,
    find_letter,
    list_letters,
    no_such_letter,
    page_of,
)
from services.kit.parameters import DeadLetterId
from services.kit.postgres import Pool
from services.kit.reading import reading
from services.kit.web import Asker, json_response
from services.query import history_contract as contract
from services.query.paging import DEFAULT_LIMIT, PageLimit, demand_known, page_response

PARAMETERS = ("status", "limit", "after")

StatusFilter = Annotated[Status | None, Query(alias="status", description="Only letters that are so")]
Behind = Annotated[
    str,
    Pattern(PLACE_PATTERN, "be where a page of dead letters ends; take it from the Link of that page"),
    AfterValidator(lambda text: str(Place.parse(text))),
]
After = Annotated[Behind | None, Query(description="Where the last page ended; take it from Link")]


def dead_letter_router(pool: Pool) -> APIRouter:
    """Return the routes that read dead letters."""
    router = APIRouter(tags=["dead letters"])

    @router.get("/dead-letters", **contract.LIST_DEAD_LETTERS)
    async def list_dead_letters(
        request: Request,
        asker: Asker,
        status: StatusFilter = None,
        limit: PageLimit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        """List the records addressed to the environment that were no commands, the newest first."""
        demand_known(request, PARAMETERS)
        behind = NEWEST if after is None else Place.parse(after)
        async with reading(pool) as connection:
            letters = await list_letters(connection, asker.environment, status, behind, limit + 1)
        told = letters[:limit]
        last = told[-1].place if len(letters) > limit else None
        return page_response(request, [entry_of(letter) for letter in told], last)

    @router.get("/dead-letters/{dead_letter_id}", **contract.GET_DEAD_LETTER)
    async def get_dead_letter(asker: Asker, dead_letter_id: DeadLetterId) -> Response:
        """Get a dead letter with the record's key, value and headers."""
        async with reading(pool) as connection:
            letter = await find_letter(connection, LetterId.parse(dead_letter_id), asker.environment)
        if letter is None:
            raise no_such_letter(dead_letter_id)
        return json_response(pydantic_core.to_json(page_of(letter)))

    return router
