"""The last guard of secrets in log lines. Code that logs one is wrong all the same."""

import re

import structlog

HIDDEN = "[hidden]"

_NAMES = re.compile(r"authorization|cookie|passw|secret|token|dsn|credential|private_key", re.IGNORECASE)
# A password in an address, an access or SDK token (JSON Web Tokens begin so), and a key file's content.
_TEXTS = re.compile(
    r"(?<=://)[^\s/@]+(?=@)|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END[^\n]*|$)"
)


def hide_secrets(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Hide values that are named as secrets are, and what looks like one in any text of a line."""
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: object) -> object:
    if _NAMES.search(name):
        return HIDDEN
    return _TEXTS.sub(HIDDEN, value) if isinstance(value, str) else value
