"""Turns what pydantic says of bad data into a refusal that a person understands."""

from pydantic import JsonValue, ValidationError

from events.refusals import Code, Refused
from events.wording import fault_of

MAX_FIELDS_TOLD = 20
MAX_PATH = 500


def refusal_of(error: ValidationError) -> Refused:
    """Return the refusal for `error`: invalid_name when only names are at fault, invalid_body otherwise."""
    problems = error.errors(include_url=False)
    fields: list[JsonValue] = [
        {"field": path_of(problem["loc"]), "message": fault_of(problem)} for problem in problems[:MAX_FIELDS_TOLD]
    ]
    code = Code.INVALID_NAME if {problem["type"] for problem in problems} == {"invalid_name"} else Code.INVALID_BODY
    told = "; ".join(f"{path_of(problem['loc'])}: {fault_of(problem)}" for problem in problems[:3])
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return Refused(code, f"{told}{more}.", fields=fields)


def path_of(location: tuple[int | str, ...]) -> str:
    """Return where a problem is, `body` for the whole.

    A field's name is the sender's own text: what cannot be printed is not repeated.
    """
    path = ".".join(str(part) for part in location) or "body"
    return "".join(character if character.isprintable() else "\ufffd" for character in path[:MAX_PATH])
