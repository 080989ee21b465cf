"""The list of environment variables: opened for the reader, kept by no cache."""

import httpx

from services.kit.sealing import Sealer
from services.kit.variables import seal_value
from tests.unit.composer.world import variable

from .conftest import Postgres, Row


def row(sealer: Sealer, name: str, value: str, environment: str = "lab") -> Row:
    sealed = variable(name, seal_value(sealer, environment, name, value))
    return {"name": name, "summary": sealed.model_dump_json()}


async def test_values_are_opened(http: httpx.AsyncClient, postgres: Postgres, sealer: Sealer) -> None:
    postgres.list = lambda sql, given: [row(sealer, "A", 'quoted "ö"'), row(sealer, "B", "")]
    answer = await http.get("/environment-variables")
    assert answer.json() == [{"name": "A", "value": 'quoted "ö"'}, {"name": "B", "value": ""}]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_value_that_cannot_be_opened_is_told_by_name(
    http: httpx.AsyncClient, postgres: Postgres, sealer: Sealer
) -> None:
    postgres.list = lambda sql, given: [row(sealer, "A", "sesame", environment="other")]
    answer = await http.get("/environment-variables")
    assert (answer.status_code, answer.json()["name"]) == (500, "unreadable_value")
    assert answer.json()["additional_data"] == {"environment_variable_name": "A"}


async def test_pages_are_cut_by_name(http: httpx.AsyncClient, postgres: Postgres, sealer: Sealer) -> None:
    postgres.list = lambda sql, given: [row(sealer, "A", "1"), row(sealer, "B", "2")]
    answer = await http.get("/environment-variables?limit=1")
    assert answer.json() == [{"name": "A", "value": "1"}]
    assert "after=A" in answer.headers["link"]
