"""What the routes refuse before anything is submitted."""

from collections.abc import AsyncIterator
from typing import cast

import httpx
import pytest

from services.command.routes import command_router
from services.command.sources import Sources
from services.command.submit import Submitter
from services.kit.health import Health
from services.kit.sealing import Sealer
from services.kit.tokens import Identity, Tokens
from services.kit.web import make_app

NEVER_REACHED = cast("Submitter", None)


@pytest.fixture
async def http(tokens: Tokens, sealer: Sealer, sources: Sources) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the routes, without anything behind them."""
    router = command_router(NEVER_REACHED, tokens, sealer, sources)
    app = make_app("command", [router], Health(), tokens=tokens)
    headers = {"Authorization": f"Bearer {tokens.access_token(Identity('ada', 'lab'))}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", headers=headers) as client:
        yield client


@pytest.mark.parametrize("address", ["/steps/train", "/deployments/churn"])
@pytest.mark.parametrize("given", ['"17"', "*"])
async def test_a_deletion_that_cannot_compare_versions_refuses_if_match(
    http: httpx.AsyncClient, address: str, given: str
) -> None:
    answer = await http.delete(address, headers={"If-Match": given})
    assert (answer.status_code, answer.json()["name"]) == (400, "invalid_header")
    assert "Only the deletion of a pipeline takes If-Match" in answer.json()["message"]
