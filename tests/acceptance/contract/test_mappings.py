"""Mappings, by the names that each version has for what is mapped: every source and destination, and refusals."""

from typing import Any

import pytest

from tests.acceptance.contract.deployments import MONDAYS, by_name, destination, full_mapping, source
from tests.acceptance.contract.remote import Document, Sdk, SdkError, new
from tests.acceptance.contract.versions import Version, versions_that
from tests.acceptance.tenant import Tenant

INPUTS = [
    {"name": "months", "data_type": "number", "is_required": True},
    {"name": "plan", "data_type": "string"},
    {"name": "strict", "data_type": "boolean"},
    {"name": "weights", "data_type": "json"},
    {"name": "photo", "data_type": "file"},
]
OUTPUTS = [
    {"name": "risk", "data_type": "number"},
    {"name": "why", "data_type": "json"},
    {"name": "report", "data_type": "file"},
]
ENDPOINT_SOURCES: dict[str, Document] = {
    "months": {"endpoint_input_name": "m", "is_required": True, "default_value": 12},
    "plan": {"environment_variable_name": "PLAN"},
    "strict": {"constant_value": False},
    "weights": {"is_null": True},
    "photo": {"datastore_path": "photos/one.png"},
}
ENDPOINT_DESTINATIONS: dict[str, Document] = {
    "risk": {"endpoint_output_name": "r"},
    "why": {"is_null": True},
    "report": {"datastore_path": "reports/{execution_id}.pdf"},
}
SCHEDULE_SOURCES: dict[str, Document] = {
    "months": {"constant_value": 3},
    "plan": {"environment_variable_name": "PLAN"},
    "strict": {"is_null": True},
    "weights": {"constant_value": {"age": [1, 2.5]}},
    "photo": {"datastore_path": "photos/one.png"},
}
SCHEDULE_DESTINATIONS: dict[str, Document] = {
    "risk": {"is_null": True},
    "why": {"is_null": True},
    "report": {"datastore_path": "reports/{date}.pdf"},
}


@pytest.fixture
async def wide(tenant: Tenant) -> str:
    """The name of a pipeline whose inputs and outputs can be mapped in every way."""
    changes = {"inputs": INPUTS, "outputs": OUTPUTS, "function_name": "predict_widely"}
    assert await tenant.create_step("wide", **changes) == "Ready"
    assert (await tenant.create_pipeline("wide", "wide")).status_code == 201
    return "wide"


@pytest.mark.parametrize(
    ("rule", "options", "sources", "destinations"),
    [
        ("endpoint", {}, ENDPOINT_SOURCES, ENDPOINT_DESTINATIONS),
        ("periodic", {"schedule": MONDAYS}, SCHEDULE_SOURCES, SCHEDULE_DESTINATIONS),
    ],
)
async def test_every_kind_of_source_and_destination_is_kept(
    sdk: Sdk,
    wide: str,
    version: Version,
    rule: str,
    options: Document,
    sources: dict[str, Document],
    destinations: dict[str, Document],
) -> None:
    await sdk.create_or_update_environment_variable("PLAN", "gold")

    await sdk.create_deployment(
        wide,
        "live",
        rule,
        inputs_mapping=[source(version, name, **given) for name, given in sources.items()],
        outputs_mapping=[destination(version, name, **given) for name, given in destinations.items()],
        **options,
    )

    read = await sdk.get_deployment("live")
    assert _given(version, "input", read["inputs_mapping"]) == sources
    assert _given(version, "output", read["outputs_mapping"]) == destinations


async def test_what_an_endpoint_does_not_map_is_asked_for_under_its_own_name(
    sdk: Sdk, pipeline: str, version: Version
) -> None:
    await sdk.create_deployment(pipeline, "live", "endpoint")

    read = await sdk.get_deployment("live")
    inputs, outputs = (by_name(version, kind, read[f"{kind}s_mapping"]) for kind in ("input", "output"))
    assert {name: each["endpoint_input_name"] for name, each in inputs.items()} == {"months": "months", "plan": "plan"}
    assert {name: each["endpoint_output_name"] for name, each in outputs.items()} == {"risk": "risk"}


@versions_that(lambda version: version.mapped_prefix == "pipeline_")
async def test_a_mapping_by_the_old_name_is_still_taken(sdk: Sdk, pipeline: str) -> None:
    mapping = [new("InputSource", step_input_name="months", constant_value=12)]

    await sdk.create_deployment(pipeline, "live", "endpoint", inputs_mapping=mapping)

    months = [each for each in (await sdk.get_deployment("live"))["inputs_mapping"] if each.get("constant_value")]
    assert [(each["pipeline_input_name"], each["constant_value"]) for each in months] == [("months", 12)]


async def test_a_mapping_of_an_unknown_input_is_refused(sdk: Sdk, pipeline: str, version: Version) -> None:
    mapping = [source(version, "weeks", constant_value=12)]

    await _refused(sdk, pipeline, "endpoint", "weeks", inputs_mapping=mapping)


async def test_a_mapping_of_an_unknown_output_is_refused(sdk: Sdk, pipeline: str, version: Version) -> None:
    await _refused(sdk, pipeline, "endpoint", "chance", outputs_mapping=[destination(version, "chance", is_null=True)])


async def test_a_constant_of_another_type_is_refused(sdk: Sdk, pipeline: str, version: Version) -> None:
    mapping = [source(version, "months", constant_value="twelve")]

    await _refused(sdk, pipeline, "endpoint", "months", inputs_mapping=mapping)


@pytest.mark.parametrize(("left_out", "culprit"), [("inputs_mapping", "months"), ("outputs_mapping", "risk")])
async def test_a_schedule_that_leaves_something_unmapped_is_refused(
    sdk: Sdk, pipeline: str, version: Version, left_out: str, culprit: str
) -> None:
    mapping = {key: value for key, value in full_mapping(version).items() if key != left_out}

    await _refused(sdk, pipeline, "periodic", culprit, schedule=MONDAYS, **mapping)


async def test_a_schedule_cannot_ask_an_endpoint(sdk: Sdk, pipeline: str, version: Version) -> None:
    mapping = full_mapping(version)
    mapping["inputs_mapping"][0] = source(version, "months", endpoint_input_name="months")

    await _refused(sdk, pipeline, "periodic", "months", schedule=MONDAYS, **mapping)


async def _refused(sdk: Sdk, pipeline: str, rule: str, culprit: str, **options: Any) -> None:
    """Demand that a deployment is refused for a mapping, that the culprit is named, and that nothing is left."""
    with pytest.raises(SdkError, match=culprit) as refused:
        await sdk.create_deployment(pipeline, "live", rule, **options)

    assert refused.value.status_code in {409, 422}
    assert await sdk.list_deployments() == []


def _given(version: Version, kind: str, mapping: list[Document]) -> dict[str, Document]:
    """Return what a mapping says beside what the pipeline itself tells of its inputs or outputs."""
    told = {f"step_{kind}_name", f"pipeline_{kind}_name", "data_type", "description"}
    return {
        name: {key: value for key, value in each.items() if key not in told}
        for name, each in by_name(version, kind, mapping).items()
    }
