"""Looks after Kafka and Postgres on behalf of a process that may have nothing to ask of them for a while."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.kit.health import Health
from services.kit.postgres import POSTGRES_TROUBLE, Pool, borrowed
from services.kit.reasons import reason_of
from services.kit.settings import KafkaSettings

EVERY_S = 3.0
WITHIN_S = 4.0
KAFKA_PART = "kafka"
POSTGRES_PART = "postgres"


async def probe_kafka(kafka: KafkaSettings, health: Health) -> None:
    """Ask Kafka for a sign of life every EVERY_S seconds until cancelled, and tell on the health page."""
    health.expect(KAFKA_PART)
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers, request_timeout_ms=int(WITHIN_S * 1000))
        try:
            async with asyncio.timeout(WITHIN_S):
                await admin.start()
            await _ask_on(admin, health)
        except (KafkaError, OSError) as error:
            health.ill(KAFKA_PART, f"Kafka does not answer at {kafka.bootstrap_servers}: {reason_of(error)}")
        finally:
            await admin.close()
        await asyncio.sleep(EVERY_S)


async def _ask_on(admin: AIOKafkaAdminClient, health: Health) -> None:
    """Ask over and over, until an answer fails to come."""
    while True:
        async with asyncio.timeout(WITHIN_S):
            await admin.describe_cluster()
        health.well(KAFKA_PART)
        await asyncio.sleep(EVERY_S)


async def probe_postgres(pool: Pool, health: Health) -> None:
    """Ask Postgres for a sign of life every EVERY_S seconds until cancelled, and tell on the health page."""
    health.expect(POSTGRES_PART)
    while True:
        try:
            async with borrowed(pool, WITHIN_S) as connection:
                await connection.execute("SELECT 1")
        except POSTGRES_TROUBLE as error:
            health.ill(POSTGRES_PART, f"Postgres does not answer: {reason_of(error)}")
        else:
            health.well(POSTGRES_PART)
        await asyncio.sleep(EVERY_S)
