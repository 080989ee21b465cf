"""The refusals that a program may want to catch, each a class of its own. Their codes are in docs/errors.md."""

from pipeloom.client.errors import Conflict, Invalid, NotFound, Refused, Unauthenticated


class InvalidName(Invalid):
    """The name could not be addressed in a URL (`invalid_name`)."""


class InvalidSchedule(Invalid):
    """The schedule is not five cron fields (`invalid_schedule`)."""


class InvalidToken(Unauthenticated):
    """The token is unknown or revoked (`invalid_token`)."""


class StepNotFound(NotFound):
    """There is no step of that name (`step_not_found`)."""


class StepNotReady(Conflict):
    """The step is Pending still, or its build failed (`step_not_ready`)."""


class StepFailed(Refused):
    """The step could not be built; the message says what to mend (`step_failed`)."""


class StepExists(Conflict):
    """The step's name is taken (`step_exists`)."""


class StepInUse(Conflict):
    """Pipelines use the step (`step_in_use`)."""


class PipelineNotFound(NotFound):
    """There is no pipeline of that name (`pipeline_not_found`)."""


class PipelineExists(Conflict):
    """The pipeline's name is taken (`pipeline_exists`)."""


class PipelineInUse(Conflict):
    """Deployments use the pipeline (`pipeline_in_use`)."""


class DeploymentNotFound(NotFound):
    """There is no deployment of that name (`deployment_not_found`)."""


class DeploymentExists(Conflict):
    """The deployment's name is taken (`deployment_exists`)."""


class UserNotFound(NotFound):
    """There is no such user in this environment (`user_not_found`)."""


class CommandIdReused(Invalid):
    """The idempotency key was used before, for another request (`command_id_reused`)."""


BY_CODE: dict[str, type[Refused]] = {
    "invalid_name": InvalidName,
    "invalid_schedule": InvalidSchedule,
    "invalid_token": InvalidToken,
    "step_not_found": StepNotFound,
    "step_not_ready": StepNotReady,
    "step_failed": StepFailed,
    "step_exists": StepExists,
    "step_in_use": StepInUse,
    "pipeline_not_found": PipelineNotFound,
    "pipeline_exists": PipelineExists,
    "pipeline_in_use": PipelineInUse,
    "deployment_not_found": DeploymentNotFound,
    "deployment_exists": DeploymentExists,
    "user_not_found": UserNotFound,
    "command_id_reused": CommandIdReused,
}
