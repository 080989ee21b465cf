"""Requests that are no commands: what is wrong is told, and nothing is sent to Kafka."""

import json
from itertools import product

import pytest

from tests.acceptance.problems import problem
from tests.acceptance.tenant import Tenant

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
POSTS = ["/pipelines", "/steps", "/endpoints", "/periodic-deployment"]
PIPELINE = b'{"pipeline_name": "churn", "step_names": ["train"]}'
STEP_FORM = b"step_name=train&function_path=a.py&function_name=a"

NOT_JSON = {
    "nothing": b"",
    "a word": b"churn",
    "half of it": PIPELINE[:-1],
    "two of it": PIPELINE * 2,
    "single quotes": b"{'pipeline_name': 'churn'}",
    "a byte order mark": b"\xef\xbb\xbf" + PIPELINE,
    "UTF-16": PIPELINE.decode().encode("utf-16"),
    "bytes that are not UTF-8": b'{"pipeline_name": "\xff", "step_names": ["train"]}',
    "a lone surrogate": b'{"pipeline_name": "\\ud800", "step_names": ["train"]}',
    "NaN": b'{"pipeline_name": "churn", "step_names": ["train"], "connections": [{"a": NaN}]}',
    "a number of 5000 digits": b'{"pipeline_name": "churn", "step_names": ["train"], "x": ' + b"1" * 5000 + b"}",
    "5000 levels": b'{"pipeline_name": "churn", "step_names": ["train"], "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
async def test_a_body_that_is_not_json_is_refused(tenant: Tenant, body: bytes) -> None:
    answer = await tenant.http.post("/pipelines", content=body, headers={"content-type": JSON})

    problem(answer, 400, "invalid_json")
    assert await tenant.sent() == []


@pytest.mark.parametrize("body", ["[]", "null", '"churn"', "7", "true"])
@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_is_no_object_is_refused(tenant: Tenant, path: str, body: str) -> None:
    problem(await tenant.http.post(path, content=body, headers={"content-type": JSON}), 422, "invalid_body")

    assert await tenant.sent() == []


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        *(
            product(
                ("/pipelines", "/endpoints", "/periodic-deployment"), ("", "text/plain", "application/json-patch+json")
            )
        ),
        *(product(("/endpoints", "/periodic-deployment"), ("multipart/form-data", FORM))),
    ],
)
async def test_a_content_type_that_is_not_json_is_refused(tenant: Tenant, path: str, media_type: str) -> None:
    answer = await tenant.http.post(path, content=PIPELINE, headers={"content-type": media_type})

    problem(answer, 415, "unsupported_media_type")
    assert await tenant.sent() == []


@pytest.mark.parametrize("media_type", ["multipart/form-data", FORM])
async def test_a_pipeline_from_code_is_refused_with_what_to_do(tenant: Tenant, media_type: str) -> None:
    answer = await tenant.http.post("/pipelines", content=PIPELINE, headers={"content-type": media_type})

    problem(answer, 422, "stepless_pipeline")
    assert await tenant.sent() == []


@pytest.mark.parametrize("media_type", [JSON, "Application/JSON", "application/json; charset=utf-8"])
async def test_a_content_type_may_be_written_as_it_may(tenant: Tenant, step: str, media_type: str) -> None:
    answer = await tenant.http.post("/pipelines", content=PIPELINE, headers={"content-type": media_type})

    assert (answer.status_code, answer.json()["steps"]) == (201, [step])


@pytest.mark.parametrize("media_type", [JSON, "Application/JSON"])
async def test_a_step_in_json_keeps_its_types(tenant: Tenant, media_type: str) -> None:
    spec = {"name": "months", "data_type": "string", "default_value": "3"}
    body = json.dumps(tenant.step_body("train", inputs=[spec]))

    answer = await tenant.http.post("/steps", content=body, headers={"content-type": media_type})

    assert answer.json()["parameters"]["inputs"][0]["default_value"] == "3"


WRONG_FIELDS: dict[str, tuple[str, dict[str, object], str]] = {
    "no pipeline name": ("/pipelines", {"step_names": ["train"]}, "pipeline_name"),
    "no step names": ("/pipelines", {"pipeline_name": "churn"}, "step_names"),
    "a text for the step names": ("/pipelines", {"pipeline_name": "churn", "step_names": "train"}, "step_names"),
    "connections that are text": (
        "/pipelines",
        {"pipeline_name": "churn", "step_names": ["train"], "connections": ["a"]},
        "connections.0",
    ),
    "no function": ("/steps", {"step_name": "train", "function_path": "a.py"}, "function_name"),
    "an empty function": (
        "/steps",
        {"step_name": "train", "function_path": "a.py", "function_name": ""},
        "function_name",
    ),
    "an input of no type": (
        "/steps",
        {"step_name": "train", "function_path": "a", "function_name": "a", "inputs": [{"name": "x"}]},
        "inputs.0.data_type",
    ),
    "an input of an unknown type": (
        "/steps",
        {
            "step_name": "train",
            "function_path": "a",
            "function_name": "a",
            "inputs": [{"name": "x", "data_type": "tensor"}],
        },
        "inputs.0.data_type",
    ),
    "two inputs of one name": (
        "/steps",
        {
            "step_name": "train",
            "function_path": "a",
            "function_name": "a",
            "inputs": [{"name": "x", "data_type": "json"}] * 2,
        },
        "inputs",
    ),
    "a default value of another type": (
        "/steps",
        {
            "step_name": "train",
            "function_path": "a",
            "function_name": "a",
            "inputs": [{"name": "x", "data_type": "number", "default_value": "3"}],
        },
        "inputs.0",
    ),
    "an output that is text": (
        "/steps",
        {"step_name": "train", "function_path": "a", "function_name": "a", "outputs": ["x"]},
        "outputs.0",
    ),
    "a configuration that is a list": (
        "/steps",
        {"step_name": "train", "function_path": "a", "function_name": "a", "container_config": []},
        "container_config",
    ),
    "an unknown mode": ("/endpoints", {"name": "live", "pipeline_name": "churn", "mode": "fast"}, "mode"),
    "mappings that are text": (
        "/endpoints",
        {"name": "live", "pipeline_name": "churn", "inputs_mapping": "x"},
        "inputs_mapping",
    ),
    "a schedule that is a number": (
        "/periodic-deployment",
        {"name": "live", "pipeline_name": "churn", "schedule": 5},
        "schedule",
    ),
}


@pytest.mark.parametrize(("path", "body", "field"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
async def test_a_missing_or_wrong_field_is_named(
    tenant: Tenant, path: str, body: dict[str, object], field: str
) -> None:
    told = problem(await tenant.http.post(path, json=body), 422, "invalid_body")

    assert field in [each["field"] for each in told["additional_data"]["fields"]]
    assert field in told["message"]
    assert await tenant.sent() == []


async def test_a_number_without_end_is_refused_with_its_field(tenant: Tenant) -> None:
    spec = {"name": "months", "data_type": "number", "default_value": 0.5}
    body = json.dumps(tenant.step_body("train", inputs=[spec])).replace("0.5", "1e999")

    answer = await tenant.http.post("/steps", content=body, headers={"content-type": JSON})

    assert "inputs.0.default_value" in problem(answer, 422, "invalid_body")["message"]


async def test_unknown_fields_are_ignored(tenant: Tenant, step: str) -> None:
    body = {"pipeline_name": "churn", "step_names": [step], "colour": "blue"}

    answer = await tenant.http.post("/pipelines", json=body)

    assert answer.status_code == 201
    assert "colour" not in answer.json()


BAD_FORMS = {
    "nothing": b"",
    "bytes that are not UTF-8": STEP_FORM.replace(b"train", b"\xff"),
    "escapes that are not UTF-8": STEP_FORM.replace(b"train", b"%ff"),
    "a list for a function": STEP_FORM.replace(b"function_name", b"function_name[0]"),
    "text for the inputs": STEP_FORM + b"&inputs=x",
    "an object for a boolean": STEP_FORM + b"&inputs[0][name]=x&inputs[0][data_type]=json&inputs[0][is_required][y]=1",
    "an object for a type": STEP_FORM + b"&inputs[0][name]=x&inputs[0][data_type][y]=json",
    "50 levels": STEP_FORM + b"&inputs" + b"[a]" * 50 + b"=1",
    "a place far away": STEP_FORM + b"&inputs[99999999][name]=x&inputs[99999999][data_type]=json",
    "10001 fields": STEP_FORM + b"".join(b"&a%d=1" % number for number in range(10_001)),
}


@pytest.mark.parametrize("form", BAD_FORMS.values(), ids=BAD_FORMS)
async def test_a_form_that_is_no_step_is_refused(tenant: Tenant, form: bytes) -> None:
    problem(await tenant.http.post("/steps", content=form, headers={"content-type": FORM}), 422, "invalid_body")

    assert await tenant.sent() == []
