"""What a deployment says of its pipeline's inputs and outputs: in every spelling, kept as it is, refused by name."""

from typing import Any

import pytest

from tests.acceptance.problems import problem
from tests.acceptance.tenant import ALL_MAPPED, Tenant

MONTHS, PLAN = ({"pipeline_input_name": name} for name in ("months", "plan"))
RISK = {"pipeline_output_name": "risk"}
REFUSED: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "an unknown input": (
        {"inputs_mapping": [{"pipeline_input_name": "age", "is_null": True}]},
        "unknown_mapping",
        {"input_name": "age"},
    ),
    "an unknown output": (
        {"outputs_mapping": [{"step_output_name": "age", "is_null": True}]},
        "unknown_mapping",
        {"output_name": "age"},
    ),
    "an input that is mapped twice": (
        {"inputs": [{**PLAN, "is_null": True}, {**PLAN, "constant_value": "gold"}]},
        "duplicate_mapping",
        {"input_name": "plan"},
    ),
    "one endpoint name twice": (
        {"inputs_mapping": [{**PLAN, "endpoint_input_name": "months"}]},
        "duplicate_mapping",
        {"endpoint_name": "months", "names": ["months", "plan"]},
    ),
    "no source": ({"inputs_mapping": [PLAN]}, "invalid_mapping", {"input_name": "plan"}),
    "two destinations": (
        {"outputs_mapping": [{**RISK, "is_null": True, "endpoint_output_name": "r"}]},
        "invalid_mapping",
        {"output_name": "risk"},
    ),
    "a constant of the wrong type": (
        {"inputs_mapping": [{**MONTHS, "constant_value": "three"}]},
        "invalid_mapping",
        {"input_name": "months"},
    ),
    "null for what is required": (
        {"inputs_mapping": [{**MONTHS, "is_null": True}]},
        "invalid_mapping",
        {"input_name": "months"},
    ),
    "an option of the other mode": ({"ram_request": "512MiB"}, "invalid_option", {"option": "ram_request"}),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_mapping_that_does_not_fit_is_refused_and_named(tenant: Tenant, pipeline: str, case: str) -> None:
    fields, code, culprit = REFUSED[case]

    answer = await tenant.http.post("/endpoints", json={"name": "live", "pipeline_name": pipeline, **fields})

    details = problem(answer, 422, code)["additional_data"]
    assert {key: details[key] for key in details if key != "command_id"} == culprit
    assert await tenant.names("/deployments", "name") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"inputs_mapping": "months"},
        {"inputs_mapping": [{"constant_value": 3}]},
        {"inputs_mapping": [{"step_input_name": "plan", "pipeline_input_name": "months", "constant_value": 3}]},
        {"inputs": [], "inputs_mapping": []},
        {"mode": "low_latency", "ram_request": "much"},
        {"mode": "low_latency", "gpu_request": -1},
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(tenant: Tenant, pipeline: str, fields: dict[str, Any]) -> None:
    answer = await tenant.http.post("/endpoints", json={"name": "live", "pipeline_name": pipeline, **fields})

    problem(answer, 422, "invalid_body")


async def test_a_periodic_deployment_maps_everything(tenant: Tenant, pipeline: str) -> None:
    body = {"name": "nightly", "pipeline_name": pipeline, "schedule": "0 3 * * *", **ALL_MAPPED}
    gap = {**body, "inputs_mapping": ALL_MAPPED["inputs_mapping"][1:], "outputs_mapping": []}

    told = problem(await tenant.http.post("/periodic-deployment", json=gap), 422, "missing_mapping")

    assert (told["additional_data"]["inputs"], told["additional_data"]["outputs"]) == (["months"], ["risk"])
    assert "'months'" in told["message"]
    assert (await tenant.http.post("/periodic-deployment", json=body)).status_code == 201


async def test_the_spellings_of_all_clients_make_the_same_deployment(tenant: Tenant, pipeline: str) -> None:
    oldest = {
        "inputs": [{"step_input_name": "months", "endpoint_input_name": "m", "default_value": 3}],
        "outputs": [{"step_output_name": "risk", "is_null": True}],
    }
    newest = {
        "inputs_mapping": [{"pipeline_input_name": "months", "endpoint_input_name": "m", "default_value": 3}],
        "outputs_mapping": [{"pipeline_output_name": "risk", "is_null": True}],
    }
    pages = []
    for name, fields in (("old", oldest), ("new", newest)):
        asked = await tenant.http.post("/endpoints", json={"name": name, "pipeline_name": pipeline, **fields})
        assert asked.status_code == 201, asked.text
        pages.append((await tenant.http.get(f"/deployments/{name}")).json())

    assert [(page["inputs_mapping"], page["outputs_mapping"]) for page in pages] == [
        (
            [
                {
                    "step_input_name": "months",
                    "pipeline_input_name": "months",
                    "data_type": "number",
                    "description": "As a customer",
                    "endpoint_input_name": "m",
                    "is_required": True,
                    "default_value": 3,
                },
                {
                    "step_input_name": "plan",
                    "pipeline_input_name": "plan",
                    "data_type": "string",
                    "description": None,
                    "endpoint_input_name": "plan",
                    "is_required": False,
                    "default_value": "basic",
                },
            ],
            [
                {
                    "step_output_name": "risk",
                    "pipeline_output_name": "risk",
                    "data_type": "number",
                    "description": "From 0 to 1",
                    "is_null": True,
                }
            ],
        )
    ] * 2
