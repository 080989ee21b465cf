"""What a dead letter asks for when it is sent again: as it stands, or mended."""

from typing import Any

from pydantic import BaseModel, Field, ValidationError

from events.codec import decode_asked, read_json
from events.commands import COMMANDS, CommandData, EnvironmentVariablesRequested, StepBuildReported
from events.envelope import parse_type
from events.refusals import Code, Refused
from events.structured import attributes_and_data
from events.upcasting import is_readable, upcast
from events.validation import refusal_of
from events.wording import kind_of
from services.command.submit import validated
from services.kit.dead_letters import DeadLetter

NO_BUILDER = "Builders send it. Have the step built anew instead: PUT /api/v1/steps/NAME."
# What no user may write: the first is a builder's to say, the second would bring values in the clear into Kafka.
NOT_MENDED = {
    StepBuildReported: NO_BUILDER,
    EnvironmentVariablesRequested: "Set the variables instead, which seals them: PUT /api/v1/environment-variables.",
}


class Mended(BaseModel):
    """What to send in place of what the letter holds; what is left out is taken from the letter."""

    type: str | None = Field(
        None, description="The command's type, as in PipelineRequested", json_schema_extra={"enum": [*COMMANDS, None]}
    )
    data: dict[str, Any] | None = Field(None, description="The command's data, by the schema of its type")


def replayed(letter: DeadLetter) -> CommandData:
    """Return the command that a letter holds. Raises Refused as the composer did, if it is none still.

    Nor is a builder's report sent again as it stands: its actor would be a user, who has built nothing.
    """
    data = decode_asked(*attributes_and_data(letter.headers, letter.value))
    if isinstance(data, StepBuildReported):
        raise Refused(Code.INVALID_BODY, f"StepBuildReported cannot be replayed. {NO_BUILDER}")
    return data


def object_of(letter: DeadLetter, model: type[CommandData]) -> dict[str, Any]:
    """Return the fields that a letter holds for a command, in the present version of its type.

    They are of an earlier version where the letter says so of that very type. Raises Refused: invalid_json or
    invalid_body.
    """
    attributes, value = attributes_and_data(letter.headers, letter.value)
    fields = read_json(value or b"")
    if not isinstance(fields, dict):
        raise Refused(Code.INVALID_BODY, f"The letter holds {kind_of(fields)}, not a JSON object; send `data`.")
    name, version = parse_type(attributes.get("type", "")) or ("", 0)
    if name != model.__name__ or version == model.version or not is_readable(name, version, model.version):
        return fields
    try:
        return upcast(model, version, fields)[0].model_dump(mode="json")
    except ValidationError as error:
        raise refusal_of(error) from error


def mended_type(letter: DeadLetter, mended: Mended) -> type[CommandData]:
    """Return the type of the command that a letter is mended into. Raises Refused for one that nobody may write."""
    model = _model(_named(letter) if mended.type is None else mended.type)
    if model in NOT_MENDED:
        raise Refused(Code.INVALID_BODY, f"{model.__name__} cannot be mended. {NOT_MENDED[model]}")
    return model


def read_mended(fields: dict[str, Any]) -> Mended:
    """Return how a letter is to be mended. Raises Refused invalid_body."""
    unknown = sorted(set(fields) - set(Mended.model_fields))
    if unknown:
        raise Refused(
            Code.INVALID_BODY,
            f"There is no field '{unknown[0]}' here; send `data`, `type` or both, or no body to replay it as it is.",
            unknown=list(unknown),
        )
    return validated(Mended, fields)


def _named(letter: DeadLetter) -> str:
    attribute = attributes_and_data(letter.headers, letter.value)[0].get("type", "")
    name_and_version = parse_type(attribute)
    if name_and_version is None:
        raise Refused(
            Code.UNKNOWN_TYPE,
            f"The letter does not say which command it is (its ce_type is '{attribute}'). Say it with `type`, "
            f"which is one of {', '.join(COMMANDS)}.",
        )
    return name_and_version[0]


def _model(name: str) -> type[CommandData]:
    if name not in COMMANDS:
        raise Refused(
            Code.UNKNOWN_TYPE, f"There is no command type '{name}'; the known ones are {', '.join(COMMANDS)}."
        )
    return COMMANDS[name]
