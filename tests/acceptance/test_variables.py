"""Environment variables: set, listed and deleted as the SDK does it; in the clear nowhere but in an answer."""

from typing import Any
from uuid import uuid4

import pytest

from events.commands import EnvironmentVariablesRequested
from services.kit.postgres import connect
from tests.acceptance.feed import data_of, name_of
from tests.acceptance.problems import problem
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant

SECRET = "sesame-öffne-dich"
ADDRESS = "/environment-variables"
EVERYWHERE = """
    SELECT body AS text FROM environment_variable UNION ALL SELECT data FROM event_log
    UNION ALL SELECT encode(record_value, 'escape') FROM dead_letter
"""


async def put(tenant: Tenant, key: str | None = None, **variables: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return await tenant.http.put(ADDRESS, json={"environment_variables": variables}, headers=headers)


async def listed(tenant: Tenant) -> list[Any]:
    answer = await tenant.http.get(ADDRESS)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return list(answer.json())


async def test_variables_are_set_listed_and_deleted(tenant: Tenant) -> None:
    assert await listed(tenant) == []

    assert (await put(tenant, ZED="1", _A="")).status_code == 200
    assert (await put(tenant, ZED=SECRET)).status_code == 200

    assert await listed(tenant) == [{"name": "ZED", "value": SECRET}, {"name": "_A", "value": ""}]
    deleted = await tenant.http.delete(f"{ADDRESS}/ZED")
    assert (deleted.status_code, deleted.json()) == (200, {"name": "ZED", "value": SECRET})
    assert await listed(tenant) == [{"name": "_A", "value": ""}]


async def test_old_clients_set_one_by_a_form(tenant: Tenant) -> None:
    answer = await tenant.http.put(f"{ADDRESS}/KEY", data={"value": SECRET})

    assert answer.status_code == 200, answer.text
    assert await listed(tenant) == [{"name": "KEY", "value": SECRET}]


async def test_a_value_is_in_the_clear_nowhere_but_in_an_answer(stack: Stack, tenant: Tenant) -> None:
    answer = await put(tenant, KEY=SECRET)
    await tenant.http.delete(f"{ADDRESS}/KEY")
    await put(tenant, KEY=SECRET)

    records = [*await tenant.sent(), *await tenant.history()]
    connection = await connect(stack.postgres)
    try:
        stored = [row["text"] for row in await connection.fetch(EVERYWHERE)]
    finally:
        await connection.close()

    assert {name_of(each) for each in records} >= {"EnvironmentVariablesRequested", "EnvironmentVariablesSet"}
    assert any('"sealed:v1:' in text for text in stored)
    assert [each for each in records if SECRET in each.value.decode()] == []
    assert [text for text in stored if text and SECRET in text] == []
    assert SECRET not in answer.text
    assert SECRET not in stack.output_file.read_text()


async def test_a_repeat_under_the_same_key_sets_once_and_other_values_are_refused(tenant: Tenant) -> None:
    answers = [await put(tenant, "key-1", KEY=SECRET, OTHER="x") for _ in range(2)]

    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert [name_of(each) for each in await tenant.history()] == ["EnvironmentVariablesSet"]
    problem(await put(tenant, "key-1", KEY="another value", OTHER="x"), 422, "command_id_reused")
    assert (await listed(tenant))[0] == {"name": "KEY", "value": SECRET}


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "É", "A" * 256, "A\x00", "A=B"])
async def test_a_name_that_cannot_be_exported_is_refused(tenant: Tenant, name: str) -> None:
    problem(await put(tenant, **{name: "x"}), 422, "invalid_name")
    assert await listed(tenant) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"environment_variables": {}},
        {"environment_variables": None},
        {"environment_variables": [{"name": "A", "value": "x"}]},
        {"environment_variables": {"A": 1}},
        {"environment_variables": {"A": None}},
        {"environment_variables": {"A": "nul \x00"}},
        {"environment_variables": {"A": "x" * 32_769}},
    ],
)
async def test_a_body_that_does_not_give_texts_is_refused(tenant: Tenant, body: Any) -> None:
    problem(await tenant.http.put(ADDRESS, json=body), 422, "invalid_body")


async def test_the_largest_value_and_many_variables_come_out_as_they_went_in(tenant: Tenant) -> None:
    variables = {f"V{number:03}": "x" * 100 for number in range(500)} | {"BIG": "ö" * 16_384}

    assert (await put(tenant, **variables)).status_code == 200

    assert {each["name"]: each["value"] for each in await listed(tenant)} == variables
    page = await tenant.http.get(f"{ADDRESS}?limit=2")
    assert [each["name"] for each in page.json()] == ["BIG", "V000"]
    assert 'rel="next"' in page.headers["link"]


async def test_a_form_without_a_value_is_refused(tenant: Tenant) -> None:
    problem(await tenant.http.put(f"{ADDRESS}/KEY", data={"other": "x"}), 422, "invalid_body")
    problem(await tenant.http.put(f"{ADDRESS}/KEY", json={"value": "x"}), 415, "unsupported_media_type")
    problem(await tenant.http.put(f"{ADDRESS}/1KEY", data={"value": "x"}), 422, "invalid_name")


async def test_another_environments_variables_are_neither_seen_nor_deleted(tenant: Tenant, new_tenant: Any) -> None:
    await put(tenant, KEY=SECRET)
    stranger = await new_tenant()

    assert await listed(stranger) == []
    problem(await stranger.http.delete(f"{ADDRESS}/KEY"), 404, "environment_variable_not_found")
    assert await listed(tenant) == [{"name": "KEY", "value": SECRET}]


async def test_clear_text_straight_to_kafka_is_refused(tenant: Tenant) -> None:
    clear = EnvironmentVariablesRequested.model_validate(
        {"environment_variables": [{"name": "KEY", "sealed_value": "clear"}]}
    )
    (command_id,) = await tenant.ask(clear)

    refusal = data_of(await tenant.result(command_id))

    assert (refusal["code"], refusal["details"]) == ("value_not_sealed", {"environment_variable_name": "KEY"})
    assert "PUT /api/v1/environment-variables" in refusal["message"]
    assert await listed(tenant) == []


async def test_a_variable_that_is_sealed_for_something_else_cannot_be_read(tenant: Tenant) -> None:
    await put(tenant, KEY=SECRET)
    (event,) = await tenant.history()
    stolen = data_of(event)["environment_variables"][0]["sealed_value"]
    copied = EnvironmentVariablesRequested.model_validate(
        {"environment_variables": [{"name": "COPY", "sealed_value": stolen}]}
    )
    await tenant.result((await tenant.ask(copied, id=uuid4()))[0])

    told = problem(await tenant.http.get(ADDRESS), 500, "unreadable_value")

    assert told["additional_data"] == {"environment_variable_name": "COPY"}
    gone = await tenant.http.delete(f"{ADDRESS}/COPY")
    assert (gone.status_code, gone.json()) == (200, {"name": "COPY", "value": None})


async def test_a_mapping_needs_its_variable_when_it_is_created_and_survives_it(tenant: Tenant, pipeline: str) -> None:
    mapping = {"pipeline_input_name": "plan", "environment_variable_name": "PLAN"}
    body = {"name": "live", "pipeline_name": pipeline, "inputs_mapping": [mapping]}

    told = problem(await tenant.http.post("/endpoints", json=body), 404, "environment_variable_not_found")
    assert (told["additional_data"]["input_name"], told["additional_data"]["environment_variable_name"]) == (
        "plan",
        "PLAN",
    )
    await put(tenant, PLAN="gold")
    assert (await tenant.http.post("/endpoints", json=body)).status_code == 201

    assert (await tenant.http.delete(f"{ADDRESS}/PLAN")).status_code == 200
    page = (await tenant.http.get("/deployments/live")).json()
    assert page["inputs_mapping"][1]["environment_variable_name"] == "PLAN"
