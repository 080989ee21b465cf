"""The rules of deployments."""

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from events.commands import DeploymentDeleteRequested, DeploymentRequested
from events.envelope import Command
from events.refusals import Code, Refused
from events.resources import Deployment
from events.results import DeploymentCreated, DeploymentDeleted, EventData
from services.composer.decider.pipelines import find_pipeline
from services.composer.decider.state import EnvironmentState

# The parser wants a moment to start from; whether five fields parse does not depend on it.
# A forced deletion names and tells all deployments of a pipeline at once.
MAX_DEPLOYMENT_BYTES = 64 * 1024
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def request_deployment(state: EnvironmentState, command: Command, data: DeploymentRequested) -> list[EventData]:
    """A deployment is created on a pipeline, under a free name, with a schedule when it is periodic."""
    _check_schedule(data)
    _check_size(data)
    find_pipeline(state, data.pipeline_name)
    if state.deployments.find(data.name) is not None:
        raise Refused(
            Code.DEPLOYMENT_EXISTS,
            f"There is a deployment '{data.name}' already. Delete it first, or choose another name.",
            deployment_name=data.name,
        )
    deployment = Deployment(**data.model_dump(), created_at=command.time, created_by=command.actor)
    return [DeploymentCreated(deployment=deployment)]


def delete_deployment(state: EnvironmentState, _: Command, data: DeploymentDeleteRequested) -> list[EventData]:
    """A deployment can always be deleted."""
    deployment = state.deployments.find(data.name)
    if deployment is None:
        raise Refused(
            Code.DEPLOYMENT_NOT_FOUND,
            f"There is no deployment '{data.name}' in this environment. Check the name.",
            deployment_name=data.name,
        )
    return [DeploymentDeleted(deployment=deployment)]


def _check_size(data: DeploymentRequested) -> None:
    size = len(data.model_dump_json())
    if size > MAX_DEPLOYMENT_BYTES:
        raise Refused(
            Code.PAYLOAD_TOO_LARGE,
            f"The deployment is described in {size} bytes; at most {MAX_DEPLOYMENT_BYTES} are kept. "
            "Refer to large constants by a path in the data store.",
        )


def _check_schedule(data: DeploymentRequested) -> None:
    if data.execution_rule == "endpoint":
        if data.schedule is not None:
            raise Refused(
                Code.INVALID_SCHEDULE, "An endpoint has no schedule; leave it out, or ask for a periodic one."
            )
        return
    reason = _why_unreadable(data.schedule or "")
    if reason:
        raise Refused(
            Code.INVALID_SCHEDULE,
            f"The schedule '{data.schedule or ''}' cannot be read ({reason}); "
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
