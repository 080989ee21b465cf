import os
import signal
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pipeloom.local.kafka import EmbeddedKafka
from services.builder.examine import Built, examine
from services.kit.kafka import ensure_topics
from services.kit.sealing import ensure_secrets_key
from services.kit.settings import Settings
from tests.integration.builder.conftest import Workshop
from tests.support.installation import open_log
from tests.support.services import eventually

WAIT_S = 20.0


@pytest.fixture
async def kafka(tmp_path: Path) -> AsyncIterator[EmbeddedKafka]:
    """A broker of the test's own, that it may kill."""
    broker = EmbeddedKafka(tmp_path / "kafka")
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def workshop(kafka: EmbeddedKafka, tmp_path: Path) -> AsyncIterator[Workshop]:
    settings = Settings()
    settings.kafka.bootstrap_servers = kafka.bootstrap_servers
    settings.builder.source_roots = [tmp_path]
    settings.builder.work_dir = tmp_path / "builder"
    settings.objects.location = str(tmp_path / "objects")
    settings.secrets.key_file = tmp_path / "secrets.key"
    ensure_secrets_key(settings.secrets.key_file)
    await ensure_topics(settings.kafka)
    async with open_log(settings.kafka) as log:
        yield Workshop(settings, log.producer)


async def test_a_builder_waits_for_kafka_and_reports_when_it_is_back(
    workshop: Any, created: Any, reported: Any, repository: Path, kafka: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a build that ends while the broker is dead
    dead = threading.Event()

    def examine_when_dead(environment: str, step: Any, bench: Any, abandoned: threading.Event) -> Built:
        assert dead.wait(WAIT_S)
        return examine(environment, step, bench, abandoned)

    async with workshop.builder() as health:
        with monkeypatch.context() as patched:
            patched.setattr("services.builder.reporter.examine", examine_when_dead)
            await workshop.publish(created(str(repository)))
            # When
            os.kill(kafka.pid, signal.SIGKILL)
            await kafka.wait()
            dead.set()
            await eventually(lambda: not health.is_well("kafka consumer"))
            await kafka.start()
        # Then
        [command, *_] = await workshop.reports(1)
        assert reported(command).outcome == "ready"
        await workshop.caught_up()
        await eventually(lambda: health.is_ready)
        # And the builder goes on as before
        await workshop.publish(created(str(repository), step_name="after"))
        await workshop.caught_up()
        # The first report may be there more than once, under its one id
        by_id = {command.id: reported(command).step_name for command in await workshop.reports(2)}
        assert sorted(by_id.values()) == ["after", "train"]
