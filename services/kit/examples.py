"""The examples of the OpenAPI document: one step, its pipeline and its deployments, as clients read them."""

from typing import Any

from pydantic import JsonValue

from events.examples import AT as AT
from events.examples import COMMAND_ID as COMMAND_ID
from events.examples import ENDPOINT as ENDPOINT
from events.examples import FAILED_STEP as FAILED_STEP
from events.examples import LATER as LATER
from events.examples import PENDING_STEP as PENDING_STEP
from events.examples import PERIODIC as PERIODIC
from events.examples import PIPELINE as PIPELINE
from events.examples import STEP as STEP
from events.examples import USER_ID as USER_ID
from events.refusals import Code, Refused
from services.kit.documents import deployment_document, pipeline_document, step_document, summary_of
from services.kit.problems import problem_body

Example = Any

REQUEST_ID = "0198c5f2-a7f0-7e11-b9f4-0d2f7c64e5aa"
DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SECRET = "example-of-a-token"  # noqa: S105 - it opens nothing

STEP_PAGE = step_document(STEP)
PENDING_STEP_PAGE = step_document(PENDING_STEP)
FAILED_STEP_PAGE = step_document(FAILED_STEP)
PIPELINE_PAGE = pipeline_document(PIPELINE)
ENDPOINT_PAGE = deployment_document(ENDPOINT)
NEW_ENDPOINT_PAGE = {**ENDPOINT_PAGE, "endpoint_token": SECRET}
PERIODIC_PAGE = deployment_document(PERIODIC)
STEP_ENTRY, PIPELINE_ENTRY, DEPLOYMENT_ENTRY = (summary_of(each) for each in (STEP, PIPELINE, ENDPOINT))

NEW_STEP: dict[str, JsonValue] = {
    "step_name": "train",
    "function_path": "src/train.py",
    "function_name": "train",
    "inputs": [{"name": "months", "data_type": "number", "is_required": True}],
    "outputs": [{"name": "risk", "data_type": "number", "description": "From 0 to 1"}],
    "container_config": {"repository_url": "https://git.example/churn.git", "repository_branch": "main"},
}
NEW_PIPELINE: dict[str, JsonValue] = {"pipeline_name": "churn", "step_names": ["train"]}
NEW_ENDPOINT: dict[str, JsonValue] = {"name": "churn-api", "pipeline_name": "churn"}
NEW_PERIODIC: dict[str, JsonValue] = {
    "name": "churn-nightly",
    "pipeline_name": "churn",
    "schedule": "0 3 * * *",
    "inputs_mapping": [{"pipeline_input_name": "months", "constant_value": 3}],
    "outputs_mapping": [{"pipeline_output_name": "risk", "is_null": True}],
}
TIMES = {"created_at": AT, "created_by": USER_ID, "updated_at": AT, "updated_by": USER_ID}


def problem_example(code: Code) -> Example:
    """Return a problem with `code`, with what it means in general in place of a particular sentence."""
    refusal = Refused(code, f"{code.meaning}.")
    return problem_body(refusal, REQUEST_ID, "/api/v1/pipelines")
