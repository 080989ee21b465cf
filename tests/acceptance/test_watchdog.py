"""A process whose work stands still is restarted by `pipeloom up`, which says why, and works on."""

import json
from pathlib import Path

import asyncpg
import httpx

from events.topics import COMMANDS_TOPIC
from pipeloom import AsyncClient, writes
from services.kit.process import HELD_UP
from tests.acceptance.stack import open_stack
from tests.support.servers import Servers
from tests.support.services import eventually

SETTINGS = {"PIPELOOM_WATCHDOG__STUCK_AFTER_S": "10"}


def sdk_token(env_file: Path) -> str:
    lines = dict(line.partition("=")[::2] for line in env_file.read_text().splitlines())
    return lines["CRAFT_AI_SDK_TOKEN"].strip("'")


async def test_a_composer_that_is_held_up_is_started_again_with_its_reason_on_the_screen(
    servers: Servers, tmp_path: Path
) -> None:
    async with open_stack(servers, tmp_path, SETTINGS) as stack:
        # Given a session that holds every cursor
        holder = await asyncpg.connect(stack.postgres.dsn.get_secret_value())
        async with AsyncClient(stack.url, sdk_token(stack.data_dir / "env")) as client:
            held = holder.transaction()
            await held.start()
            topic = COMMANDS_TOPIC.name(stack.kafka.topic_prefix)
            await holder.execute("SELECT FROM partition_cursor WHERE topic = $1 FOR UPDATE", topic)
            asked = await client.submit(writes.create_or_update_environment_variable("KEY", "value"))
            # When
            ended = f"composer   ended with code {HELD_UP}: ended by its watchdog: "
            await eventually(lambda: ended in stack.output_file.read_text(), 60)
            await held.rollback()
            await holder.close()
            # Then
            await eventually(lambda: stack.output_file.read_text().count("composer   ready") >= 2, 90)
            assert (await client.get_command(asked, wait_s=30))["status"] == "succeeded"
        composer = json.loads((stack.data_dir / "admin.json").read_text())["composer"]
        async with httpx.AsyncClient(trust_env=False) as http:
            health = (await http.get(f"{composer}/readyz")).json()
        assert health["last_end"].startswith(f"code {HELD_UP}: ended by its watchdog: ")
