"""The last guard of secrets in log lines. Code that logs one is wrong all the same."""

import re

import structlog

HIDDEN = "[hidden]"

_NAMES = re.compile(r"authorization|cookie|passw|secret|token|dsn|credential|private_key", re.IGNORECASE)
# A name and a password in an address (the password may have a slash in it, and does not look like a port), an access or
# SDK token (JSON Web Tokens begin so), the secret of a webhook, and a key file's content.
_TEXTS = re.compile(
    r"(?<=://)(?:[^\s/@]+|[^\s/@:\"']*:(?!\d{1,5}[/?#])[^\s\"'@]+)(?=@)"
    r"|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|whsec_[\w+/=-]+"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END[^\n]*|$)"
)


def hide_secrets(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Hide values that are named as secrets are, and what looks like one in any text of a line."""
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: object) -> object:
    if _NAMES.search(name):
        return HIDDEN
    match value:
        case str():
            return _TEXTS.sub(HIDDEN, value)
        case dict():
            return {key: _clean(str(key), each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean("", each) for each in value]
        case _:
            return value
