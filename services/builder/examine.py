"""One build, as one blocking call: fetch, check, and the commit that was found good."""

import threading

from events.resources import Step
from services.builder.checks import check_step
from services.builder.source import open_source
from services.kit.settings import BuilderSettings


def examine(step: Step, settings: BuilderSettings, abandoned: threading.Event) -> str:
    """Return the id of the commit at which `step`'s source passes every check.

    Raises Unbuildable with what to mend, Unreachable when the host does not answer, OSError for trouble of our own.
    """
    with open_source(step.container_config, settings, abandoned) as source:
        check_step(step, source.tree)
        return source.commit_id
