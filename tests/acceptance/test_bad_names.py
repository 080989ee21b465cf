"""Names that could be created but never addressed: refused at the door, with nothing sent to Kafka."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.acceptance.problems import problem
from tests.acceptance.tenant import Tenant

UNADDRESSABLE = {
    "empty": "",
    "blank": "  ",
    "a tab": "\t",
    "a no-break space": "\u00a0",
    "one dot": ".",
    "two dots": "..",
    "five dots": ".....",
    "a slash": "a/b",
    "a question mark": "a?b",
    "a hash": "a#b",
    "a percent sign": "a%20b",
    "NUL": "a\x00b",
    "a line feed": "a\nb",
    "escape": "\x1b[31m",
    "delete": "a\x7f",
    "a control character of Latin-1": "a\x85b",
    "a line separator": "a\u2028b",
    "256 characters": "x" * 256,
}
NOT_TEXT = {"null": None, "a number": 7, "a boolean": True, "a list": ["a"], "an object": {"a": "b"}}
BAD = UNADDRESSABLE | NOT_TEXT

BODIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a new pipeline's name": ("/pipelines", "pipeline_name", {"step_names": ["train"]}),
    "a new step's name": ("/steps", "step_name", {"function_path": "a.py", "function_name": "a"}),
    "an endpoint's name": ("/endpoints", "name", {"pipeline_name": "churn"}),
}


@pytest.mark.parametrize("name", BAD.values(), ids=BAD)
@pytest.mark.parametrize(("path", "field", "others"), BODIES.values(), ids=BODIES)
async def test_a_bad_name_in_a_body_is_refused_and_nothing_is_sent(
    tenant: Tenant, path: str, field: str, others: dict[str, Any], name: object
) -> None:
    answer = await tenant.http.post(path, json={**others, field: name})

    told = problem(answer, 422, "invalid_name")
    assert [each["field"] for each in told["additional_data"]["fields"]] == [field]
    assert await tenant.sent() == []


@pytest.mark.parametrize("name", BAD.values(), ids=BAD)
async def test_a_bad_step_name_in_a_pipeline_is_refused_and_nothing_is_sent(tenant: Tenant, name: object) -> None:
    answer = await tenant.http.post("/pipelines", json={"pipeline_name": "churn", "step_names": [name]})

    told = problem(answer, 422, "invalid_name")
    assert [each["field"] for each in told["additional_data"]["fields"]] == ["step_names.0"]
    assert await tenant.sent() == []


IN_A_PATH = {case: name for case, name in UNADDRESSABLE.items() if case not in {"empty", "a slash"}}


@pytest.mark.parametrize("name", IN_A_PATH.values(), ids=IN_A_PATH)
@pytest.mark.parametrize("collection", ["pipelines", "steps", "deployments"])
async def test_a_bad_name_in_a_path_cannot_be_deleted_and_is_not_found(
    tenant: Tenant, collection: str, name: str
) -> None:
    address = f"/{collection}/{quote(name, safe='').replace('.', '%2E')}"

    problem(await tenant.http.delete(address), 422, "invalid_name")
    problem(await tenant.http.get(address), 404, f"{collection.removesuffix('s')}_not_found")
    assert await tenant.sent() == []


GOOD = {
    "a space inside": "my pipeline",
    "dots with a letter": "..a",
    "signs": "a+b&c=d;e@f:g,h'i\"j\\k|l~m!n*o(p)[q]{r}<s>$t^u`v",
    "another script": "日本語",
    "a combining accent": "cafe\u0301",
    "a no-break space inside": "a\u00a0b",
    "an emoji of several characters": "👩\u200d💻",
    "a zero-width space": "a\u200bb",
    "the replacement character": "\ufffd",
    "a private character": "\ue000",
    "255 letters": "x" * 255,
    "255 emoji": "😀" * 255,
}


@pytest.mark.parametrize("name", GOOD.values(), ids=GOOD)
async def test_every_other_name_works_from_the_step_to_the_deployment(tenant: Tenant, name: str) -> None:
    segment = quote(name, safe="")

    asked = await tenant.http.post("/steps", json=tenant.step_body(name))
    built = await tenant.http.get(f"/steps/{segment}", params={"wait_for_completion": True})
    created = await tenant.create_pipeline(name, name)
    deployed = await tenant.create_endpoint(name, name)
    read = await tenant.http.get(f"/pipelines/{segment}")

    assert (asked.status_code, built.json()["creation_info"]["status"]) == (206, "Ready")
    assert (created.status_code, deployed.status_code) == (201, 201)
    assert read.json()["pipeline_name"] == name
    assert await tenant.names("/deployments", "name") == [name]
