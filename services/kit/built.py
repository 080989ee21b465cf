"""A step as clients read it, and holding a request until it is built (source: sdk-contract 5.2 and 5.3)."""

from typing import Any

import pydantic_core
from starlette.requests import Request

from events.names import why_unaddressable
from events.refusals import Code, Refused
from events.resources import StepStatus
from services.kit.backend import Backend
from services.kit.patience import Patience
from services.kit.reading import reading
from services.kit.sdk import knows_failed, spelled_page
from services.kit.statements import load_queries

HOLD_S = 25.0

_sql = load_queries(__file__)


async def find_step(backend: Backend, environment: str, name: str) -> Any:
    """Return a step's row (document, version, status). Raises Refused step_not_found."""
    row = None
    if not why_unaddressable(name):
        async with reading(backend.pool) as connection:
            row = await _sql.find_step(connection, environment=environment, name=name)
    if row is None:
        raise step_not_found(name)
    return row


async def built_step(backend: Backend, environment: str, name: str, hold_s: float) -> Any:
    """Return a step's row once it is no longer Pending, or as it is after `hold_s`."""
    patience = Patience(hold_s, backend.ending)
    while True:
        with backend.live.expecting(environment, f"steps/{name}") as news:
            row = await find_step(backend, environment, name)
            if row["status"] != StepStatus.PENDING or patience.is_over:
                return row
            await patience.wait(news)


def readable(request: Request, name: str, row: Any) -> str:
    """Return a step's page as the client reads it. Raises Refused step_failed for one that knows no failed step."""
    if row["status"] == StepStatus.FAILED and not knows_failed(request):
        creation = pydantic_core.from_json(row["document"])["creation_info"]
        raise step_failed(name, creation.get("failure"), creation.get("failure_code"))
    return spelled_page(request, row["document"])


def step_not_found(name: str) -> Refused:
    """Return the refusal of a step that is not there."""
    return Refused(Code.STEP_NOT_FOUND, f"There is no step '{name}' in this environment.", step_name=name)


def step_failed(name: str, failure: str | None, failure_code: str | None) -> Refused:
    """Return the refusal of a step whose build failed."""
    told = f"The step '{name}' could not be built: {failure}"
    return Refused(Code.STEP_FAILED, told, step_name=name, failure_code=failure_code)
