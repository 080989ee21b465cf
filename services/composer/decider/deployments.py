"""The rules of deployments."""

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from events.commands import DeploymentDeleteRequested, DeploymentRequested, EndpointTokenRequested
from events.envelope import Command
from events.refusals import Code, Refused
from events.resources import Deployment
from events.results import DeploymentCreated, DeploymentDeleted, EndpointTokenRenewed, EventData
from events.topics import MIB
from services.composer.decider.mappings import map_pipeline
from services.composer.decider.options import check_options, effective_options
from services.composer.decider.pipelines import find_pipeline
from services.composer.decider.sizes import check_size
from services.composer.decider.state import EnvironmentState

MAX_DEPLOYMENT_BYTES = 64 * 1024
# What is filled in comes from the pipeline, which one record could hold as well.
MAX_FILLED_BYTES = MIB
ADVICE = "Refer to large constants by a path in the data store."
# The parser wants a moment to start from; whether five fields parse does not depend on it.
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def request_deployment(state: EnvironmentState, command: Command, data: DeploymentRequested) -> list[EventData]:
    """A deployment is created on a pipeline, under a free name, with all of the pipeline mapped."""
    _check_schedule(data)
    check_size(f"deployment '{data.name}'", data, MAX_DEPLOYMENT_BYTES, ADVICE)
    check_options(data)
    pipeline = find_pipeline(state, data.pipeline_name)
    if state.deployments.find(data.name) is not None:
        raise Refused(
            Code.DEPLOYMENT_EXISTS,
            f"There is a deployment '{data.name}' already. Delete it first, or choose another name.",
            deployment_name=data.name,
        )
    mapped = map_pipeline(data, pipeline, state.variables)
    asked = data.model_dump(exclude={"inputs_mapping", "outputs_mapping"})
    deployment = Deployment(
        **{**asked, **effective_options(data)},
        inputs_mapping=mapped.inputs,
        outputs_mapping=mapped.outputs,
        created_at=command.time,
        created_by=command.actor,
        updated_at=command.time,
        updated_by=command.actor,
    )
    check_size(f"deployment '{data.name}'", deployment, MAX_FILLED_BYTES, ADVICE)
    return [DeploymentCreated(deployment=deployment)]


def renew_endpoint_token(state: EnvironmentState, command: Command, data: EndpointTokenRequested) -> list[EventData]:
    """An endpoint gets another token at any time; the one before it ends at once."""
    deployment = _find_deployment(state, data.name)
    if deployment.execution_rule != "endpoint":
        raise Refused(
            Code.WRONG_EXECUTION_RULE,
            f"The deployment '{data.name}' is {deployment.execution_rule}: only endpoints have tokens.",
            deployment_name=data.name,
            execution_rule=deployment.execution_rule,
        )
    change = {
        "endpoint_token_hash": data.endpoint_token_hash,
        "updated_at": command.time,
        "updated_by": command.actor,
    }
    return [EndpointTokenRenewed(deployment=deployment.model_copy(update=change), before=deployment)]


def delete_deployment(state: EnvironmentState, _: Command, data: DeploymentDeleteRequested) -> list[EventData]:
    """A deployment can always be deleted."""
    return [DeploymentDeleted(deployment=_find_deployment(state, data.name))]


def _find_deployment(state: EnvironmentState, name: str) -> Deployment:
    deployment = state.deployments.find(name)
    if deployment is None:
        raise Refused(
            Code.DEPLOYMENT_NOT_FOUND,
            f"There is no deployment '{name}' in this environment. Check the name.",
            deployment_name=name,
        )
    return deployment


def _check_schedule(data: DeploymentRequested) -> None:
    if data.execution_rule == "endpoint":
        if data.schedule is not None:
            raise Refused(
                Code.INVALID_SCHEDULE, "An endpoint has no schedule; leave it out, or ask for a periodic one."
            )
        return
    if data.schedule is None:
        raise Refused(
            Code.INVALID_SCHEDULE,
            "A periodic deployment needs a schedule; give five cron fields in UTC, for example '0 6 * * 1'.",
        )
    reason = _why_unreadable(data.schedule)
    if reason:
        raise Refused(
            Code.INVALID_SCHEDULE,
            f"The schedule '{data.schedule}' cannot be read ({reason}); "
            "give five cron fields in UTC, for example '0 6 * * 1'.",
        )


def _why_unreadable(schedule: str) -> str | None:
    if len(schedule.split()) != 5:
        return "it does not have five fields"
    try:
        CronSim(schedule, _ANY_MOMENT)
    except CronSimError as error:
        return str(error)
    return None
