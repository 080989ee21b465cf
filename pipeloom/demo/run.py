"""Gets the demo a stack, tells the story on it, and stops it again."""

import asyncio
import io
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from aiokafka.errors import KafkaError
from rich.console import Console

from events.topics import EVENTS_TOPIC
from pipeloom.client import AsyncClient, PipeloomError
from pipeloom.demo.feed import open_feed
from pipeloom.demo.interruption import Interruption
from pipeloom.demo.narrator import Narrator, StoryFailedError
from pipeloom.demo.story import Story
from pipeloom.local.console import progress_on
from pipeloom.local.environment import settle_environment
from pipeloom.local.errors import LocalStackError
from pipeloom.local.ports import pick_port
from pipeloom.local.stack import LocalStack
from services.kit.settings import UnusableSettingsError, load_settings

_TROUBLE = (PipeloomError, LocalStackError, KafkaError, UnusableSettingsError, OSError)


@dataclass(frozen=True, slots=True)
class Place:
    """A running Pipeloom: its HTTP API, the token for it (None: the environment's), and its Kafka."""

    url: str
    sdk_token: str | None
    kafka: str


async def run_demo(data_dir: Path | None, url: str | None) -> int:
    """Tell the story on the Pipeloom at `url`, or on one that is started for it; return the exit code.

    Without a `data_dir` the one that is started gets a folder of its own, which stays only when something went wrong.
    """
    if data_dir is not None:
        return await _run_in(data_dir, url)
    if url:  # its builder reads sources in the folder where it was started
        return await _run_in(Path(".pipeloom"), url)
    folder = Path(tempfile.mkdtemp(prefix="pipeloom-demo-"))
    code = await _run_in(folder, url)
    if code != 1 or not (folder / "logs").exists():
        shutil.rmtree(folder, ignore_errors=True)
    return code


async def _run_in(data_dir: Path, url: str | None) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a reason may hold what this terminal cannot show
    console = Console(highlight=False)
    narrator = Narrator(console)
    telling = asyncio.create_task(_tell_from_start_to_stop(data_dir, url, console, narrator), name="the story")
    interruption = Interruption(telling)
    try:
        await telling
    except StoryFailedError as failure:
        narrator.failed(failure)
    except _TROUBLE as trouble:
        narrator.trouble(f"The demo cannot go on: {trouble or repr(trouble)}")
    except asyncio.CancelledError:
        if interruption.signal is None:
            raise
        narrator.trouble(f"Stopped by {interruption.signal.name} before the end.")
        return 128 + interruption.signal
    else:
        return 0
    if not url and (data_dir / "logs").exists():
        narrator.note(f"What each process said is in {data_dir / 'logs'}.")
    return 1


async def _tell_from_start_to_stop(data_dir: Path, url: str | None, console: Console, narrator: Narrator) -> None:
    begun = time.monotonic()
    async with _running_at(url) if url else _started(data_dir, console, narrator) as place:
        await _tell(place, narrator, data_dir / "demo" / "source")
    narrator.done(f"All of it held, in {time.monotonic() - begun:.1f} s from the first start to the last stop.")


async def _tell(place: Place, narrator: Narrator, folder: Path) -> None:
    mark = uuid4().hex[:8]
    topic = EVENTS_TOPIC.name(load_settings().kafka.topic_prefix)
    async with AsyncClient(place.url, place.sdk_token) as client:
        user = await client.who_am_i()
        narrator.note(f"{place.url} knows us as {user.get('name')}; the names of this story end in {mark}")
        async with open_feed(place.kafka, topic, mark) as feed:
            await Story(client, feed, narrator, folder, mark).tell()


@asynccontextmanager
async def _running_at(url: str) -> AsyncIterator[Place]:
    yield Place(url, None, load_settings().kafka.bootstrap_servers)


@asynccontextmanager
async def _started(data_dir: Path, console: Console, narrator: Narrator) -> AsyncIterator[Place]:
    begun = time.monotonic()
    settle_environment()
    progress = progress_on(console)
    stack = LocalStack(data_dir, http_port=pick_port(), report=progress)
    try:
        await stack.start()  # cleans up after itself when it fails
    finally:
        progress.settle()
    try:
        narrator.title(f"Kafka, Postgres and the services are ready after {time.monotonic() - begun:.1f} s.")
        yield Place(stack.addresses.url, _token_in(stack.env_file), stack.addresses.kafka)
    finally:
        await stack.stop()


def _token_in(env_file: Path) -> str:
    words = shlex.split(env_file.read_text())
    return dict(word.split("=", 1) for word in words)["CRAFT_AI_SDK_TOKEN"]
