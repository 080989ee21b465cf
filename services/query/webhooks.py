"""Reading webhooks and the log of their deliveries."""

from typing import Annotated, Literal
from uuid import UUID

import pydantic_core
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from services.kit.backend import Backend
from services.kit.parameters import MAX_SEQUENCE
from services.kit.reading import reading
from services.kit.statements import load_queries
from services.kit.web import Asker, json_response
from services.kit.webhook_documents import delivery_document, webhook_document, webhook_not_found
from services.query import webhook_contract as contract
from services.query.paging import DEFAULT_LIMIT, PageLimit, demand_known, page_response

PARAMETERS = ("status", "limit", "after")
_sql = load_queries(__file__)

After = Annotated[int, Query(ge=1, le=MAX_SEQUENCE, description="Only those of events before this one")]
Status = Annotated[Literal["pending", "delivered", "failed"] | None, Query(description="Only those of this status")]


def webhook_router(backend: Backend) -> APIRouter:
    """Return the routes that read webhooks."""
    router = APIRouter(tags=["webhooks"])

    @router.get("/webhooks", **contract.LIST_WEBHOOKS)
    async def list_webhooks(request: Request, asker: Asker) -> Response:
        """List the webhooks of the environment, the oldest first."""
        demand_known(request, ())
        async with reading(backend.pool) as connection:
            rows = [row async for row in _sql.list_webhooks(connection, environment=asker.environment)]
        return json_response(pydantic_core.to_json([webhook_document(row) for row in rows]))

    @router.get("/webhooks/{webhook_id}", **contract.GET_WEBHOOK)
    async def get_webhook(asker: Asker, webhook_id: UUID) -> Response:
        """Get a webhook: where it leads, of what it is told, and whether it is enabled."""
        async with reading(backend.pool) as connection:
            row = await _sql.find_webhook(connection, environment=asker.environment, id=webhook_id)
        if row is None:
            raise webhook_not_found(webhook_id)
        return json_response(pydantic_core.to_json(webhook_document(row)))

    @router.get("/webhooks/{webhook_id}/deliveries", **contract.LIST_DELIVERIES)
    async def list_deliveries(
        request: Request,
        asker: Asker,
        webhook_id: UUID,
        limit: PageLimit = DEFAULT_LIMIT,
        after: After = MAX_SEQUENCE,
        status: Status = None,
    ) -> Response:
        """List what became of the deliveries of a webhook, the newest event first."""
        demand_known(request, PARAMETERS)
        place = {"id": webhook_id, "before": after, "page_size": limit + 1}
        async with reading(backend.pool) as connection:
            if await _sql.find_webhook(connection, environment=asker.environment, id=webhook_id) is None:
                raise webhook_not_found(webhook_id)
            if status is None:
                found = _sql.list_deliveries(connection, **place)
            else:
                found = _sql.list_deliveries_that_are(connection, status=status, **place)
            rows = [row async for row in found]
        last = rows[limit - 1]["sequence"] if len(rows) > limit else None
        return page_response(request, [delivery_document(row) for row in rows[:limit]], last)

    return router
