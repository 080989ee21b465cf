"""The Faust application that the monitor runs in its own process."""

import faust

from events.topics import MIB
from services.kit.settings import KafkaSettings, MonitorSettings
from services.monitor.transport import Transport

# Far more than an environment or a minute can come to: what is known one by one of each is bounded.
MAX_SAVED_BYTES = 4 * MIB
TABLE = "environments"


class _App(faust.App):
    def _create_directories(self) -> None:
        """Make none: the table is in memory and in its changelog."""


def changelog_topic(kafka: KafkaSettings, monitor: MonitorSettings) -> str:
    """Return the topic that the table is restored from."""
    return f"{kafka.group('monitor', monitor.group_id)}-{TABLE}-changelog"


def make_app(kafka: KafkaSettings, group: str, instance: str | None) -> faust.App:
    """Return an application without web server, folder, leader or declared topics."""
    brokers = ";".join(f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(","))
    app = _App(
        group,
        broker=brokers,
        store="memory://",
        autodiscover=False,
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=instance,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=15.0,
        broker_commit_interval=1.0,
        producer_acks=-1,
        producer_max_request_size=MAX_SAVED_BYTES,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
    )
    app.transport = Transport(app.conf.broker, app)
    return app
