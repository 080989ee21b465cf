"""Every stable code that Pipeloom refuses with, in one place, and the exception that carries one."""

from enum import StrEnum
from typing import Self

from pydantic import JsonValue


class Code(StrEnum):
    """A stable refusal code, with the HTTP status it is answered with and what it means in general."""

    http_status: int
    meaning: str

    def __new__(cls, value: str, http_status: int, meaning: str) -> Self:
        """Make a member that is its own code and carries the status and the meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.http_status = http_status
        member.meaning = meaning
        return member

    # The request, or the record's data, cannot be read.
    INVALID_JSON = "invalid_json", 400, "The body is not valid JSON"
    INVALID_HEADER = "invalid_header", 400, "A header has a value that cannot be understood"
    INVALID_BODY = "invalid_body", 422, "A field is missing or has the wrong type"
    INVALID_NAME = "invalid_name", 422, "A name that could not be addressed in a URL"
    INVALID_PARAMETER = "invalid_parameter", 422, "A query or path parameter has the wrong form"
    INVALID_SCHEDULE = "invalid_schedule", 422, "The schedule is not five cron fields"
    UNKNOWN_MAPPING = "unknown_mapping", 422, "A mapping names an input or output that the pipeline does not have"
    DUPLICATE_MAPPING = "duplicate_mapping", 422, "Two mappings are about the same thing"
    MISSING_MAPPING = "missing_mapping", 422, "A periodic deployment leaves inputs or outputs unmapped"
    INVALID_MAPPING = "invalid_mapping", 422, "A mapping's source or destination does not fit"
    INVALID_OPTION = "invalid_option", 422, "An option does not go with the deployment's mode or rule"
    VALUE_NOT_SEALED = "value_not_sealed", 422, "The value of an environment variable is not sealed"
    SINGLE_STEP_ONLY = "single_step_only", 422, "A pipeline has exactly one step for now"
    INVALID_ARCHIVE = "invalid_archive", 422, "The uploaded file is not a gzip tar that can be read"
    UNSAFE_ARCHIVE = "unsafe_archive", 422, "The archive has a path or a link that leads out of it, or a special file"
    ARCHIVE_TOO_LARGE = "archive_too_large", 413, "The archive unpacks to too much, or has too many members"
    SECRET_IN_THE_CLEAR = "secret_in_the_clear", 422, "A secret stands in the clear where others would read it"
    STEPLESS_PIPELINE = "stepless_pipeline", 422, "A pipeline is composed of steps, not created from code"
    PAYLOAD_TOO_LARGE = "payload_too_large", 413, "The body, or what would be kept of it, is too large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "The content type is not one this route reads"
    REQUEST_TIMEOUT = "request_timeout", 408, "The body of the request did not come in time"
    INVALID_REQUEST = "invalid_request", 400, "The request asks for something that cannot be answered"
    NOT_FOUND = "not_found", 404, "No such address"
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "The address does not take this method"
    # Who asks.
    UNAUTHENTICATED = "unauthenticated", 401, "A bearer token is needed"
    INVALID_TOKEN = "invalid_token", 401, "The token is not one of ours"
    EXPIRED_TOKEN = "expired_token", 401, "The token has expired"
    HISTORY_PRUNED = "history_pruned", 410, "The events that are asked for are no longer kept"
    # The state of the environment.
    STEP_NOT_FOUND = "step_not_found", 404, "The step does not exist"
    STEP_NOT_READY = "step_not_ready", 409, "The step is not Ready"
    STEP_FAILED = "step_failed", 404, "The step could not be built"
    SOURCE_NOT_KEPT = "source_not_kept", 404, "The source of the step is not kept"
    STEP_EXISTS = "step_exists", 409, "The step's name is taken"
    STEP_IN_USE = "step_in_use", 409, "Pipelines use the step"
    BUILD_OUTDATED = "build_outdated", 409, "The build report is about a step that is no longer pending"
    PIPELINE_NOT_FOUND = "pipeline_not_found", 404, "The pipeline does not exist"
    PIPELINE_EXISTS = "pipeline_exists", 409, "The pipeline's name is taken"
    PIPELINE_IN_USE = "pipeline_in_use", 409, "Deployments use the pipeline"
    DEPLOYMENT_NOT_FOUND = "deployment_not_found", 404, "The deployment does not exist"
    DEPLOYMENT_EXISTS = "deployment_exists", 409, "The deployment's name is taken"
    WRONG_EXECUTION_RULE = "wrong_execution_rule", 409, "Deployments of that rule have no such thing"
    ENVIRONMENT_VARIABLE_NOT_FOUND = "environment_variable_not_found", 404, "The environment variable does not exist"
    TOO_MANY_DEPENDENTS = "too_many_dependents", 409, "More dependents than one command may delete"
    PRECONDITION_FAILED = "precondition_failed", 412, "The resource is not the one that If-Match names"
    WEBHOOK_NOT_FOUND = "webhook_not_found", 404, "The webhook does not exist"
    DELIVERY_NOT_FOUND = "delivery_not_found", 404, "The webhook has no such delivery, or not any more"
    WEBHOOK_DISABLED = "webhook_disabled", 409, "The webhook is disabled"
    WEBHOOK_DELETED = "webhook_deleted", 409, "The webhook that the request made before was deleted since"
    TOO_MANY_WEBHOOKS = "too_many_webhooks", 409, "The environment has as many webhooks as it may have"
    INVALID_WEBHOOK_URL = "invalid_webhook_url", 422, "The URL is not one that may be called"
    USER_NOT_FOUND = "user_not_found", 404, "The user does not exist"
    DEAD_LETTER_NOT_FOUND = "dead_letter_not_found", 404, "The dead letter does not exist"
    DEAD_LETTER_REPLAYED = "dead_letter_replayed", 409, "The dead letter was replayed, and took effect"
    DEAD_LETTER_UNDECIDED = "dead_letter_undecided", 409, "Another replay of the dead letter has no result yet"
    # A command's identity.
    COMMAND_ID_REUSED = "command_id_reused", 422, "The command id was used before, for something else"
    # Records on the commands topic that are not commands.
    UNREADABLE_RECORD = "unreadable_record", 422, "The record is not one that a Kafka client can decode"
    MISSING_ATTRIBUTE = "missing_attribute", 422, "A CloudEvents attribute is missing"
    INVALID_ATTRIBUTE = "invalid_attribute", 422, "A CloudEvents attribute has a value that cannot be understood"
    UNKNOWN_TYPE = "unknown_type", 422, "No command of that type"
    UNKNOWN_VERSION = "unknown_version", 422, "That version of the command is not known"
    MISROUTED = "misrouted", 422, "The record's key or partition does not belong to its environment"
    UNKNOWN_ENVIRONMENT = "unknown_environment", 422, "The environment does not exist"
    # Our side.
    OUTCOME_UNKNOWN = "outcome_unknown", 504, "No result in time: the command may or may not take effect"
    KAFKA_UNAVAILABLE = "kafka_unavailable", 503, "Kafka did not acknowledge the command in time"
    STORE_UNAVAILABLE = "store_unavailable", 503, "The object store cannot be used right now"
    POSTGRES_UNAVAILABLE = "postgres_unavailable", 503, "Postgres cannot be read right now"
    UNREADABLE_VALUE = "unreadable_value", 500, "A sealed value cannot be opened with the keys that are there"
    OVERLOADED = "overloaded", 503, "Too many commands, uploads or long polls are under way"
    ENVIRONMENT_OVERLOADED = "environment_overloaded", 429, "The environment has its share of a process under way"
    TOO_MANY_STREAMS = "too_many_streams", 503, "Too many streams of events are open"
    INTERNAL_ERROR = "internal_error", 500, "Something broke on our side"


class FailureCode(StrEnum):
    """A stable code of a build that failed, beside the sentence that tells what to mend."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Make a member that is its own code and carries the meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # Where the source comes from.
    SOURCE_MISSING = "source_missing", "The step names no source"
    SOURCE_NOT_ALLOWED = "source_not_allowed", "The settings do not allow this source"
    SOURCE_UNREADABLE = "source_unreadable", "The source is there and cannot be read"
    SOURCE_TOO_LARGE = "source_too_large", "The source is larger than a builder takes"
    UNSAFE_SOURCE = "unsafe_source", "The source has a path or a link that leads out of it, or a special file"
    REPOSITORY_NOT_FOUND = "repository_not_found", "There is no repository, or none that can be read"
    REPOSITORY_UNREACHABLE = "repository_unreachable", "The host of the repository did not answer in time"
    REPOSITORY_UNSUPPORTED = "repository_unsupported", "The repository has a format that cannot be read yet"
    DEPLOY_KEY_REFUSED = "deploy_key_refused", "The deploy key cannot be used, or the host does not take it"
    BRANCH_NOT_FOUND = "branch_not_found", "The repository has no such branch or tag"
    # What is in it.
    INVALID_PATH = "invalid_path", "A path leads out of the source or is not text, or there are too many of them"
    FILE_NOT_FOUND = "file_not_found", "A file that the step names does not exist"
    FILE_TOO_LARGE = "file_too_large", "A file that has to be read is larger than 1 MiB"
    FOLDER_NOT_FOUND = "folder_not_found", "An included folder does not exist"
    INVALID_CODE = "invalid_code", "The file is not Python that can be parsed"
    FUNCTION_NOT_FOUND = "function_not_found", "The file does not define the function"
    PARAMETERS_MISMATCH = "parameters_mismatch", "The function does not take the declared inputs"
    INVALID_REQUIREMENTS = "invalid_requirements", "The requirements file has a line that is no requirement"
    # The build itself.
    BUILD_TIMEOUT = "build_timeout", "The build did not end in time"
    BUILDER_BROKE = "builder_broke", "The builder broke, which is a fault of the builder"


def code_of(text: str) -> Code:
    """Return the code that `text` spells. Raises KeyError when there is none."""
    return Code[text.upper()]


class Refused(Exception):  # noqa: N818 - it names what happened to the request, as in CommandRejected
    """A refusal: what (the code), why and what to do (the message), and the culprits (the details)."""

    def __init__(self, code: Code, message: str, **details: JsonValue) -> None:
        """Carry `code`, a sentence for a person and details for a program."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
