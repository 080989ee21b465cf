"""A terminal of a user of `pipeloom up`, with its env file loaded."""

import os
import shlex
import sys

from tests.acceptance.stack import Stack


def variables(stack: Stack) -> dict[str, str]:
    """Return what a user's shell has: the lines of the env file, and the topics, which are not the usual ones here."""
    lines = shlex.split((stack.data_dir / "env").read_text())
    return {
        "PATH": os.environ["PATH"],
        "PYTHON": sys.executable,
        "PIPELOOM_KAFKA__TOPIC_PREFIX": stack.kafka.topic_prefix,
        **dict(line.split("=", 1) for line in lines),
    }
