"""The examples of all documents: one step, its pipeline and its deployments."""

from events.resources import (
    Deployment,
    DeploymentInput,
    DeploymentOutput,
    EnvironmentVariable,
    InputSpec,
    OutputSpec,
    Pipeline,
    PipelineInput,
    PipelineOutput,
    Step,
    StepStatus,
)

ENVIRONMENT = "demo"
AT = "2026-01-31T12:00:00.000Z"
LATER = "2026-01-31T12:00:02.345Z"
USER_ID = "0198c5f2-7b1e-7c3a-9a55-2f6f0b1c9d10"
COMMAND_ID = "0198c5f2-9d40-7d52-8a31-51c0e6a7b322"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SEALED_VALUE = "sealed:v1:9f86d081:ZXhhbXBsZS1vZi1hLXNlYWxlZC12YWx1ZQ=="
TOKEN_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # noqa: S105 - it opens nothing

STEP = Step(
    step_name="train",
    function_path="src/train.py",
    function_name="train",
    description="Trains on the months as a customer",
    inputs=[InputSpec(name="months", data_type="number", is_required=True)],
    outputs=[OutputSpec(name="risk", data_type="number", description="From 0 to 1")],
    container_config={"repository_url": "https://git.example/churn.git", "repository_branch": "main"},
    status=StepStatus.READY,
    requested_by=COMMAND_ID,
    created_at=AT,
    created_by=USER_ID,
    updated_at=LATER,
    commit_id="4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    origin="https://git.example/churn.git",
)
PENDING_STEP = STEP.model_copy(
    update={"status": StepStatus.PENDING, "updated_at": AT, "commit_id": None, "origin": None}
)
FAILED_STEP = PENDING_STEP.model_copy(
    update={
        "status": StepStatus.FAILED,
        "updated_at": LATER,
        "failure": "There is no src/train.py.",
        "failure_code": "file_not_found",
    }
)
PIPELINE = Pipeline(
    pipeline_name="churn",
    step_names=["train"],
    connections=[],
    inputs=[
        PipelineInput(
            input_name="months",
            step_name="train",
            data_type="number",
            description=None,
            default_value=None,
            is_required=True,
        )
    ],
    outputs=[PipelineOutput(output_name="risk", step_name="train", data_type="number", description="From 0 to 1")],
    status="Ready",
    created_at=AT,
    created_by=USER_ID,
)
ENDPOINT = Deployment(
    name="churn-api",
    pipeline_name="churn",
    execution_rule="endpoint",
    mode="elastic",
    description=None,
    schedule=None,
    inputs_mapping=[
        DeploymentInput(
            pipeline_input_name="months", endpoint_input_name="months", is_required=True, data_type="number"
        )
    ],
    outputs_mapping=[
        DeploymentOutput(pipeline_output_name="risk", endpoint_output_name="risk", data_type="number"),
    ],
    endpoint_token_hash=None,
    created_at=AT,
    created_by=USER_ID,
    updated_at=AT,
    updated_by=USER_ID,
)
PERIODIC = ENDPOINT.model_copy(
    update={
        "name": "churn-nightly",
        "execution_rule": "periodic",
        "schedule": "0 3 * * *",
        "inputs_mapping": [DeploymentInput(pipeline_input_name="months", constant_value=3, data_type="number")],
        "outputs_mapping": [DeploymentOutput(pipeline_output_name="risk", is_null=True, data_type="number")],
    }
)
VARIABLE = EnvironmentVariable(
    name="API_KEY", sealed_value=SEALED_VALUE, created_at=AT, created_by=USER_ID, updated_at=AT, updated_by=USER_ID
)
