"""One build, as one blocking call: fetch, check, keep, and what was found good."""

import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass

from events.refusals import FailureCode
from events.resources import Step
from services.builder.checks import check_step
from services.builder.errors import Unbuildable
from services.builder.git import Source
from services.builder.keep import keep_tree
from services.builder.source import open_source
from services.builder.uploaded import uploaded_source
from services.kit.archives import Limits
from services.kit.objects import ObjectStore
from services.kit.sealing import SealBroken, Sealer, deploy_key_context
from services.kit.settings import BuilderSettings


@dataclass(frozen=True, slots=True)
class Bench:
    """What builds are done with."""

    settings: BuilderSettings
    limits: Limits
    objects: ObjectStore
    sealer: Sealer


@dataclass(frozen=True, slots=True)
class Built:
    """What a build has found: the commit (of git), and the name of the archive that is kept."""

    commit_id: str | None
    origin: str
    source: str


def examine(environment: str, step: Step, bench: Bench, abandoned: threading.Event) -> Built:
    """Return what is kept of `step`'s source, which passed every check.

    Raises Unbuildable with what to mend, Unreachable when the host does not answer, OSError for trouble of our own.
    """
    with _opened(environment, step, bench, abandoned) as source:
        check_step(step, source.tree)
        kept = source.kept or keep_tree(source.tree, bench.objects, bench.limits, bench.settings.work_dir, abandoned)
        return Built(source.commit_id, source.origin, kept)


def _opened(environment: str, step: Step, bench: Bench, abandoned: threading.Event) -> AbstractContextManager[Source]:
    if step.source is not None:
        return uploaded_source(step.source, bench.objects, bench.limits, bench.settings.work_dir)
    return open_source(step.container_config, bench.settings, abandoned, _deploy_key(environment, step, bench.sealer))


def _deploy_key(environment: str, step: Step, sealer: Sealer) -> str | None:
    if step.sealed_deploy_key is None:
        return None
    try:
        return sealer.open(step.sealed_deploy_key, context=deploy_key_context(environment, step.step_name))
    except SealBroken as broken:
        raise Unbuildable(
            FailureCode.DEPLOY_KEY_REFUSED,
            f"The deploy key cannot be opened ({broken}); create the step again with its key.",
        ) from None
