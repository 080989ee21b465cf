"""Why something outside does not answer, in words for the health page."""

import os
import re

from aiokafka.errors import KafkaError

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]+|[A-Z]+|[0-9]+")


def reason_of(error: BaseException) -> str:
    """Return what a server or the way to it said; the error's name in words when it said nothing."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    said = str(error.args[0]).strip() if error.args else ""
    if isinstance(error, KafkaError):
        named = type(error).__name__  # Kafka's own name of it, which its documentation has
        return f"{said} ({named})" if said else named
    return said or _in_words(type(error).__name__)


def _in_words(name: str) -> str:
    return " ".join(word.lower() for word in _WORD.findall(name.removesuffix("Error")))
