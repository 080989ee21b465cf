"""The values of environment variables: sealed on their way in, opened on their way out, clear nowhere between."""

from events.refusals import Code, Refused
from events.resources import EnvironmentVariable
from services.kit.sealing import SealBroken, Sealer

MAX_VALUE_BYTES = 32 * 1024


def seal_value(sealer: Sealer, environment: str, name: str, value: str) -> str:
    """Return `value` sealed for one variable of one environment. Raises Refused invalid_body."""
    reason = _why_unusable(value)
    if reason:
        raise Refused(
            Code.INVALID_BODY,
            f"The value of the environment variable '{name}' {reason}.",
            environment_variable_name=name,
        )
    return sealer.seal(value, context=_context(environment, name))


def open_value(sealer: Sealer, environment: str, variable: EnvironmentVariable) -> str:
    """Return a variable's value. Raises Refused unreadable_value when our keys do not open it."""
    try:
        return sealer.open(variable.sealed_value, context=_context(environment, variable.name))
    except SealBroken as error:
        raise Refused(
            Code.UNREADABLE_VALUE,
            f"The value of the environment variable '{variable.name}' cannot be opened: {error}. "
            "Put the key that sealed it back into the file PIPELOOM_SECRETS__KEY_FILE, or set the variable again.",
            environment_variable_name=variable.name,
        ) from error


def _context(environment: str, name: str) -> str:
    return f"environments/{environment}/environment-variables/{name}"


def _why_unusable(value: str) -> str | None:
    if len(value.encode()) > MAX_VALUE_BYTES:
        return f"is larger than {MAX_VALUE_BYTES} bytes; keep it in a file and refer to that"
    if "\x00" in value:
        return "contains a NUL character, which no environment variable can hold"
    return None
