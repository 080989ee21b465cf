"""Keep a table of the pipelines of all environments from the events topic alone, with a Faust worker.

It runs until it is stopped, and writes the table as JSON to PIPELOOM_TABLE_FILE (`.pipeloom/pipelines.json`) once a
second, when it has changed. What is done with an event is in pipeline_table.py.

    set -a; . .pipeloom/env; set +a
    .venv/bin/python examples/consumers/table_with_faust.py

PIPELOOM_KAFKA__TOPIC_PREFIX names the installation's topics (`pipeloom`).

Faust counts an event as done when the agent raises, and a crash gives some events twice. So it suits views that can be
read anew, as this one: bytes in, decoded in the agent, which never raises, and each event has its effect once.
"""

import asyncio
import logging
import os
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import faust
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from pipeline_table import PipelineTable

SERVERS = os.environ["PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"]
TOPIC = os.environ.get("PIPELOOM_KAFKA__TOPIC_PREFIX", "pipeloom") + ".events"
FILE = Path(os.environ.get("PIPELOOM_TABLE_FILE", ".pipeloom/pipelines.json"))

logger = logging.getLogger(__name__)


class CommittedThread(AIOKafkaConsumerThread):
    """Reads committed records only. Faust has no setting for that but exactly_once, which does much more."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        return consumer


class CommittedConsumer(Consumer):
    """Has the consumer thread above."""

    def _new_consumer_thread(self) -> CommittedThread:
        return CommittedThread(self, loop=self.loop, beacon=self.beacon)


class CommittedTransport(Transport):
    """Has the consumer above."""

    Consumer = CommittedConsumer


class App(faust.App):
    """Has the transport above."""

    def _new_transport(self) -> CommittedTransport:
        return CommittedTransport(self.conf.broker_consumer, self)


app = App(
    # A group of its own each time: the table is in memory, so each run wants all events from the beginning.
    # A table that outlives the worker is an app.Table on a fixed id, with a changelog topic made beforehand.
    f"pipeline-table-{secrets.token_hex(4)}",
    broker=[f"kafka://{server}" for server in SERVERS.split(",")],
    topic_allow_declare=False,  # the topics are the installation's
    topic_disable_leader=True,
    web_enabled=False,  # or it listens on all addresses; `faust worker` needs --without-web for that
    broker_session_timeout=10,
    broker_heartbeat_interval=3,
    broker_rebalance_timeout=30,
)
events = app.topic(TOPIC, key_serializer="raw", value_serializer="raw")
table = PipelineTable()


@app.agent(events, concurrency=1)
async def keep(stream: Any) -> None:
    """Take each event into the table."""
    async for event in stream.events():
        try:
            table.take(event.headers.items(), event.value)
        except Exception:
            logger.exception("Left out: %s", event.message)


@app.timer(interval=1.0)  # type: ignore[untyped-decorator]
async def write() -> None:
    """Write the table to its file when it has changed."""
    await asyncio.to_thread(replace, table.as_json())


def replace(text: str) -> None:
    """Write the file, which is never half written."""
    if FILE.exists() and FILE.read_text() == text:
        return
    FILE.parent.mkdir(parents=True, exist_ok=True)
    half = FILE.with_suffix(".half")
    half.write_text(text)
    half.replace(FILE)


if __name__ == "__main__":
    with TemporaryDirectory() as folder:  # Faust makes one for its own tables, of which there are none
        app.conf.datadir = Path(folder)
        faust.Worker(app, loglevel="WARNING", quiet=True).execute_from_commandline()
