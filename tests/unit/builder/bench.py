"""A bench of its own for each test, and builds on it."""

import threading

from events.resources import Step
from services.builder.examine import Bench, Built, examine
from services.kit.archives import Limits
from services.kit.objects import ObjectStore
from services.kit.sealing import Sealer, ensure_secrets_key
from services.kit.settings import BuilderSettings, ObjectsSettings, SecretsSettings

ENVIRONMENT = "lab"
LIMITS = Limits(unpacked_bytes=32 * 1024 * 1024, members=100)


def bench_of(settings: BuilderSettings, limits: Limits = LIMITS) -> Bench:
    """Return a bench with its object store and key beside the work folder."""
    beside = settings.work_dir.with_name("bench")
    key_file = beside / "secrets.key"
    ensure_secrets_key(key_file)
    objects = ObjectStore(ObjectsSettings(location=str(beside / "objects")))
    return Bench(settings, limits, objects, Sealer(SecretsSettings(key_file=key_file)))


def examined(step: Step, settings: BuilderSettings, limits: Limits = LIMITS) -> Built:
    """Return what a build of `step` finds."""
    return examine(ENVIRONMENT, step, bench_of(settings, limits), threading.Event())
