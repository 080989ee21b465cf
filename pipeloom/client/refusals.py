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


class WebhookNotFound(NotFound):
    """There is no webhook of that id (`webhook_not_found`)."""


class DeliveryNotFound(NotFound):
    """The webhook has no delivery of that event, or not any more (`delivery_not_found`)."""


class WebhookDisabled(Conflict):
    """The webhook is disabled; the message says why (`webhook_disabled`)."""


class WebhookDeleted(Conflict):
    """The webhook that the request made before was deleted since (`webhook_deleted`)."""


class TooManyWebhooks(Conflict):
    """The environment has as many webhooks as it may have (`too_many_webhooks`)."""


class InvalidWebhookUrl(Invalid):
    """The URL is not one that may be called; the message says why (`invalid_webhook_url`)."""


class UserNotFound(NotFound):
    """There is no such user in this environment (`user_not_found`)."""


class InvalidArchive(Invalid):
    """The uploaded file is not a gzip tar that can be read (`invalid_archive`)."""


class UnsafeArchive(Invalid):
    """The folder has a link that leads out of it (`unsafe_archive`)."""


class ArchiveTooLarge(Invalid):
    """The folder unpacks to too much, or has too many files (`archive_too_large`)."""


class PayloadTooLarge(Invalid):
    """The request, or the packed folder, is larger than the service takes (`payload_too_large`)."""


class UnknownMapping(Invalid):
    """A mapping names an input or output that the pipeline does not have (`unknown_mapping`)."""


class DuplicateMapping(Invalid):
    """Two mappings are about the same thing (`duplicate_mapping`)."""


class MissingMapping(Invalid):
    """A periodic deployment leaves inputs or outputs unmapped (`missing_mapping`)."""


class InvalidMapping(Invalid):
    """A mapping's source or destination does not fit (`invalid_mapping`)."""


class InvalidOption(Invalid):
    """An option does not go with the deployment's mode or rule (`invalid_option`)."""


class SourceNotKept(NotFound):
    """The code of the step is not kept (`source_not_kept`)."""


class WrongExecutionRule(Conflict):
    """Endpoints have tokens, periodic deployments have schedules (`wrong_execution_rule`)."""


class EnvironmentVariableNotFound(NotFound):
    """There is no variable of that name (`environment_variable_not_found`)."""


class HistoryPruned(NotFound):
    """The events behind that place are no longer kept (`history_pruned`)."""


class TooManyDependents(Conflict):
    """More would go than one command may delete (`too_many_dependents`)."""


class DeadLetterNotFound(NotFound):
    """There is no such dead letter in this environment (`dead_letter_not_found`)."""


class DeadLetterReplayed(Conflict):
    """The dead letter was replayed, and took effect (`dead_letter_replayed`)."""


class DeadLetterUndecided(Conflict):
    """Another replay of the dead letter has no result yet (`dead_letter_undecided`)."""


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
    "webhook_not_found": WebhookNotFound,
    "delivery_not_found": DeliveryNotFound,
    "webhook_disabled": WebhookDisabled,
    "too_many_webhooks": TooManyWebhooks,
    "webhook_deleted": WebhookDeleted,
    "invalid_webhook_url": InvalidWebhookUrl,
    "user_not_found": UserNotFound,
    "invalid_archive": InvalidArchive,
    "unsafe_archive": UnsafeArchive,
    "archive_too_large": ArchiveTooLarge,
    "payload_too_large": PayloadTooLarge,
    "unknown_mapping": UnknownMapping,
    "duplicate_mapping": DuplicateMapping,
    "missing_mapping": MissingMapping,
    "invalid_mapping": InvalidMapping,
    "invalid_option": InvalidOption,
    "source_not_kept": SourceNotKept,
    "wrong_execution_rule": WrongExecutionRule,
    "environment_variable_not_found": EnvironmentVariableNotFound,
    "history_pruned": HistoryPruned,
    "too_many_dependents": TooManyDependents,
    "dead_letter_not_found": DeadLetterNotFound,
    "dead_letter_replayed": DeadLetterReplayed,
    "dead_letter_undecided": DeadLetterUndecided,
    "command_id_reused": CommandIdReused,
}
