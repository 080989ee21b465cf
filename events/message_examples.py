"""An example of every record: a command as a producer writes it, an event as the relay does."""

from collections.abc import Iterable
from uuid import UUID

from events.activity import ActivityData, CommandOverdue, CommandRecovered, Notice, encode_notice
from events.codec import Record, encode_command, encode_event
from events.commands import (
    CommandData,
    DeploymentDeleteRequested,
    DeploymentRequested,
    EndpointTokenRequested,
    EnvironmentVariableDeleteRequested,
    EnvironmentVariablesRequested,
    PipelineDeleteRequested,
    PipelineRequested,
    SealedValue,
    StepBuildReported,
    StepDeleteRequested,
    StepRequested,
    StepUpdateRequested,
)
from events.envelope import Command, Event, Position
from events.examples import (
    AT,
    COMMAND_ID,
    ENDPOINT,
    ENVIRONMENT,
    FAILED_STEP,
    PENDING_STEP,
    PIPELINE,
    SEALED_VALUE,
    STEP,
    TOKEN_HASH,
    TRACEPARENT,
    USER_ID,
    VARIABLE,
)
from events.mappings import InputMapping, OutputMapping
from events.refusals import Code
from events.resources import DeploymentRef
from events.results import (
    CommandRejected,
    DeploymentCreated,
    DeploymentDeleted,
    EndpointTokenRenewed,
    EnvironmentVariableDeleted,
    EnvironmentVariablesSet,
    EventData,
    PipelineCreated,
    PipelineDeleted,
    StepCreated,
    StepDeleted,
    StepFailed,
    StepReady,
    StepUpdated,
)

PRODUCER = "/billing"
_DEPLOYED = [DeploymentRef(name="churn-nightly", execution_rule="periodic")]

_COMMANDS: Iterable[CommandData] = (
    StepRequested(
        step_name="train",
        function_path="src/train.py",
        function_name="train",
        inputs=STEP.inputs,
        outputs=STEP.outputs,
        container_config=STEP.container_config,
    ),
    StepUpdateRequested(step_name="train", container_config={"repository_branch": "better"}),
    StepBuildReported(
        step_name="train", requested_by=COMMAND_ID, outcome="ready", commit_id=STEP.commit_id, origin=STEP.origin
    ),
    StepDeleteRequested(step_name="train", force_dependents_deletion=True),
    PipelineRequested(pipeline_name="churn", step_names=["train"]),
    PipelineDeleteRequested(pipeline_name="churn", force_deployments_deletion=True),
    DeploymentRequested(
        name="churn-nightly",
        pipeline_name="churn",
        execution_rule="periodic",
        schedule="0 3 * * *",
        inputs_mapping=[InputMapping(pipeline_input_name="months", constant_value=3)],
        outputs_mapping=[OutputMapping(pipeline_output_name="risk", is_null=True)],
    ),
    DeploymentDeleteRequested(name="churn-nightly"),
    EndpointTokenRequested(name="churn-api", endpoint_token_hash=TOKEN_HASH),
    EnvironmentVariablesRequested(environment_variables=[SealedValue(name=VARIABLE.name, sealed_value=SEALED_VALUE)]),
    EnvironmentVariableDeleteRequested(name=VARIABLE.name),
)

_EVENTS: Iterable[EventData] = (
    StepCreated(step=PENDING_STEP),
    StepUpdated(step=PENDING_STEP, before=STEP),
    StepReady(step=STEP, before=PENDING_STEP),
    StepFailed(step=FAILED_STEP, before=PENDING_STEP),
    StepDeleted(step=STEP, pipelines=["churn"], deployments=_DEPLOYED),
    PipelineCreated(pipeline=PIPELINE),
    PipelineDeleted(pipeline=PIPELINE, deployments=_DEPLOYED),
    DeploymentCreated(deployment=ENDPOINT),
    DeploymentDeleted(deployment=ENDPOINT),
    EndpointTokenRenewed(deployment=ENDPOINT.model_copy(update={"endpoint_token_hash": TOKEN_HASH}), before=ENDPOINT),
    EnvironmentVariablesSet(environment_variables=[VARIABLE], replaced=[]),
    EnvironmentVariableDeleted(environment_variable=VARIABLE),
    CommandRejected(
        command_type="PipelineRequested",
        command_subject="pipelines/churn",
        code=Code.STEP_NOT_FOUND.value,
        message="There is no step 'train' in this environment. Create it first, or check the name.",
        details={"step_name": "train"},
    ),
)


_NOTICES: Iterable[ActivityData] = (
    CommandOverdue(command_id=COMMAND_ID, command_type="StepRequested", asked_at=AT, overdue_after_s=30.0),
    CommandRecovered(command_id=COMMAND_ID, command_type="StepRequested", asked_at=AT, answered_at=AT),
)


def record_examples() -> dict[str, Record]:
    """Return a record of every type, by the type's name."""
    commands = {type(data).__name__: encode_command(_asked(data)) for data in _COMMANDS}
    events = {type(data).__name__: encode_event(_told(data)) for data in _EVENTS}
    notices = {type(data).__name__: encode_notice(_noticed(data)) for data in _NOTICES}
    return commands | events | notices


def _noticed(data: ActivityData) -> Notice:
    kind = "overdue" if isinstance(data, CommandOverdue) else "recovered"
    return Notice(f"{COMMAND_ID}.{kind}-0-41", ENVIRONMENT, AT, data)


def _asked(data: CommandData) -> Command:
    return Command(UUID(COMMAND_ID), ENVIRONMENT, USER_ID, PRODUCER, AT, data, TRACEPARENT)


def _told(data: EventData) -> Event:
    return Event(
        partition=0,
        position=Position(41, 0),
        environment=ENVIRONMENT,
        sequence=17,
        type=type(data).__name__,
        version=data.version,
        subject=data.subject(),
        command_id=UUID(COMMAND_ID),
        command_source=PRODUCER,
        is_result=True,
        actor=USER_ID,
        time=AT,
        data=data.model_dump_json(),
        traceparent=TRACEPARENT,
    )
