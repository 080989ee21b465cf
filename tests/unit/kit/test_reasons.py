"""Why something does not answer is told in words."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, ProducerFenced

from services.kit.reasons import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "it did not answer in time"),
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 5432)"), "Connection refused"),
        (OSError("no address is known"), "no address is known"),
        (ConnectionResetError(), "connection reset"),
        (
            asyncpg.CannotConnectNowError("the database system is starting up"),
            "the database system is starting up",
        ),
        (asyncpg.CannotConnectNowError(), "cannot connect now"),
        (KafkaConnectionError("Unable to bootstrap"), "Unable to bootstrap (KafkaConnectionError)"),
        (ProducerFenced("There is a newer producer"), "There is a newer producer (ProducerFenced)"),
        (KafkaConnectionError(), "KafkaConnectionError"),
    ],
    ids=repr,
)
def test_a_reason_is_what_the_server_said_and_not_how_python_writes_it(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason
