"""One run: processes, what befalls them, and what is there when everything has healed."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

from aiokafka import TopicPartition

from events.topics import COMMANDS_TOPIC, EVENTS_TOPIC
from services.composer.service import compose_until
from services.kit.health import Health
from services.kit.notices import read_notice
from services.kit.process import CANCEL_WITHIN_S, STOP_WITHIN_S
from services.kit.settings import ComposerSettings, KafkaSettings, RelaySettings, Settings
from services.relay.service import Relay
from tests.simulation.broker import Broker
from tests.simulation.clock import Process
from tests.simulation.log import PartitionLog
from tests.simulation.network import KINDS, Faults, Network
from tests.simulation.postgres import Postgres, SimulatedPool
from tests.simulation.producers import SimulatedClients
from tests.simulation.workload import ENVIRONMENTS, Workload

PARTITIONS = 2
SESSION_MS = 2_000
HEALED_WITHIN_S = 120.0
KAFKA = KafkaSettings(topic_prefix="sim", partitions=PARTITIONS)
COMMANDS = COMMANDS_TOPIC.name(KAFKA.topic_prefix)
EVENTS = EVENTS_TOPIC.name(KAFKA.topic_prefix)
GROUP = KAFKA.group("composer", None)


class World:
    """Everything that a seed decides."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"world {seed}")
        self.network = Network(seed)
        self.broker = Broker(self.network, (COMMANDS, EVENTS), PARTITIONS)
        self.postgres = Postgres(self.network)
        self.postgres.tables.environments.update(ENVIRONMENTS)
        self.workload = Workload(seed, COMMANDS, PARTITIONS)
        self.commits_ahead: list[str] = []
        self.strikes = 0
        self.processes: dict[str, Process] = {}
        self.everyone: list[Process] = []
        self._is_over = False
        self._lives = 0
        self._settings = self._choose_settings()
        self.broker.group(GROUP, COMMANDS).on_commit = self._on_commit

    async def run(self) -> None:
        """Let everything go wrong, then heal, and wait until all is done. Raises TimeoutError when it never is."""
        self.network.faults = self._choose_faults()
        composers = ("composer-1", "composer-2", "composer-3")[: self.random.choice((2, 2, 3))]
        for name in (*composers, "relay-1", "relay-2"):
            self._begin(name)
        number = self.random.randint(10, 40)
        trouble = asyncio.create_task(self._strike())
        await self.workload.produce(self.broker, number, self.random.uniform(0.5, 6))
        await asyncio.sleep(self.random.uniform(0, 3))
        trouble.cancel()
        await self._heal()
        async with asyncio.timeout(HEALED_WITHIN_S):
            while not self._is_done():  # noqa: ASYNC110 - the clock is virtual
                await asyncio.sleep(0.1)
        self.network.tell("-", "done")
        await self._stop()

    def _choose_settings(self) -> Settings:
        chance = self.random
        return Settings.model_construct(
            kafka=KAFKA,
            composer=ComposerSettings(session_timeout_ms=SESSION_MS, max_batch=chance.choice((1, 2, 5, 500))),
            relay=RelaySettings(max_batch=chance.choice((1, 3, 500)), poll_interval_s=chance.choice((0.2, 0.5))),
        )

    def _choose_faults(self) -> Faults:
        """Return few kinds of trouble, or many: each run has a character."""
        chance = self.random
        kinds = tuple(each for each in KINDS if chance.random() < 0.5) or KINDS
        return Faults(
            rate=chance.choice((0, 0.01, 0.03, 0.1)),
            kinds=kinds,
            slow_rate=chance.choice((0, 0.05, 0.3)),
            longest_pause_s=chance.choice((0.5, SESSION_MS / 1000, 3 * SESSION_MS / 1000)),
        )

    def _begin(self, name: str) -> None:
        """Begin a process, in place of the one of that name that died."""
        self._lives += 1
        process = self.processes[name] = Process(f"{name}.{self._lives}")
        self.everyone.append(process)
        self.network.tell(process.name, "begins")
        process.on_death.append(lambda: self._on_death(name))
        clients = SimulatedClients(self.network, self.broker, process)
        pool: Any = SimulatedPool(self.postgres, process)
        process.run(
            self._compose(process, clients, pool) if "composer" in name else self._relay(process, clients, pool)
        )

    def _compose(self, process: Process, clients: SimulatedClients, pool: Any) -> Coroutine[Any, Any, None]:
        return compose_until(process.stop, self._settings, Health(), clients, pool)

    def _relay(self, process: Process, clients: SimulatedClients, pool: Any) -> Coroutine[Any, Any, None]:
        relay = Relay(self._settings, Health(), clients, pool, pool.connect)

        def hint(payload: str) -> None:
            if not process.is_dead and self.random.random() < 0.7:
                loop = asyncio.get_running_loop()
                loop.call_later(self.network.delay(), relay.on_notice, read_notice(payload), context=process.context)

        notices = self.postgres.tables.on_notice
        notices.append(hint)
        process.on_death.append(lambda: notices.remove(hint))
        return relay.run(process.stop)

    def _on_death(self, name: str) -> None:
        self.network.tell(self.processes[name].name, "died")
        self.strikes += 1
        if not self._is_over:
            self.network.later(self.random.uniform(0.05, 3), self._restart, name)

    def _restart(self, name: str) -> None:
        if self.processes[name].is_dead and not self._is_over:
            self._begin(name)

    async def bury(self) -> list[str]:
        """Kill everybody, and return what ended a process that nobody had killed."""
        self._is_over = True
        for process in self.everyone:
            process.kill()
        tasks = {each.task for each in self.everyone if each.task}
        while (await asyncio.wait(tasks, timeout=1))[1]:
            for task in tasks:  # asyncio.wait_for of Python 3.11 loses a cancellation that comes with its result
                task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        return sorted(repr(end) for end in ends if isinstance(end, Exception))

    async def _strike(self) -> None:
        """Do something to somebody now and then."""
        every_s = self.random.choice((0.3, 1, 5, 1000))
        while True:
            await asyncio.sleep(self.random.expovariate(1 / every_s))
            process = self.random.choice(sorted(self.processes.values(), key=lambda each: each.name))
            if process.is_dead:
                continue
            what = self.random.choice(("kill", "pause", "stop", "end sessions", "rebalance"))
            self.network.tell(process.name, f"is struck: {what}")
            self.strikes += 1
            match what:
                case "kill":
                    process.kill()
                case "pause":
                    process.pause()
                    self.network.later(self.random.uniform(0.1, 3 * SESSION_MS / 1000), process.resume)
                case "stop":
                    process.stop.set()
                    self.network.later(self.random.uniform(0.5, 15), process.kill)
                case "end sessions":
                    self._end_sessions()
                case "rebalance":
                    self._rebalance()

    def _end_sessions(self) -> None:
        for connection in list(self.postgres.connections.values()):
            if self.random.random() < 0.5:
                self.postgres.end(connection)

    def _rebalance(self) -> None:
        group = self.broker.group(GROUP, COMMANDS)
        if group.members():
            group.leave(self.random.choice(group.members()))

    async def _heal(self) -> None:
        """End all trouble: nothing fails any more, and everybody runs."""
        self.network.tell("-", "everything heals")
        self.network.faults = Faults()
        for name, process in list(self.processes.items()):
            process.resume()
            if process.is_dead or process.stop.is_set():
                process.kill()
                self._begin(name)

    def _is_done(self) -> bool:
        """Tell whether every command is composed and every event published."""
        tables = self.postgres.tables
        for partition in range(PARTITIONS):
            cursor = tables.cursors.get((COMMANDS, partition))
            log = self._log(COMMANDS, partition)
            if cursor is None or cursor["next_offset"] < log.end or log.last_stable < log.end:
                return False
            logged = sum(key[0] == partition for key in tables.events)
            if len(self._log(EVENTS, partition).committed()) < logged:
                return False
        return True

    def _log(self, topic: str, partition: int) -> PartitionLog:
        return self.broker.logs[TopicPartition(topic, partition)]

    async def _stop(self) -> None:
        """Stop everybody, as SIGTERM does, and run_service after it. Raises TimeoutError when somebody does not."""
        self._is_over = True
        for process in self.processes.values():
            process.stop.set()
        tasks = [each.task for each in self.processes.values() if each.task]
        _, late = await asyncio.wait(tasks, timeout=STOP_WITHIN_S)
        for task in late:
            task.cancel()
        if late:
            _, late = await asyncio.wait(late, timeout=CANCEL_WITHIN_S)
        if late:
            raise TimeoutError

    def _on_commit(self, where: Any, offset: int) -> None:
        cursor = self.postgres.tables.cursors.get((COMMANDS, where.partition))
        if cursor is None or offset > cursor["next_offset"]:
            self.commits_ahead.append(f"offset {offset} of {where} was committed, the cursor is {cursor}")
