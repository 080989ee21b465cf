"""What our processes hold: memory, file descriptors, sessions."""

import contextlib
from collections import defaultdict
from dataclasses import dataclass, field

import psutil

from tests.chaos.harness.report import Check
from tests.chaos.harness.truth import count_sessions
from tests.chaos.harness.world import World

MIB = 1024 * 1024
MEMORY_MIB = 300
DESCRIPTORS = 200
# A pool holds ten; a composer three; the webhooks and the relay one more to listen, the relay one for each partition.
SESSIONS = 130


@dataclass
class Held:
    """The most that a process of each kind held when it was looked at."""

    memory_mib: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    descriptors: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def look(self, world: World) -> None:
        """Look at each process that is running."""
        for part in world.parts.values():
            with contextlib.suppress(LookupError, psutil.Error):
                process = psutil.Process(part.pid)
                memory = process.memory_full_info().pss / MIB
                self.memory_mib[part.kind] = max(self.memory_mib[part.kind], memory)
                self.descriptors[part.kind] = max(self.descriptors[part.kind], process.num_fds())


async def resource_check(world: World, during: Held) -> Check:
    """Hold what is held now, and what was held at most, against bounds that do not depend on the length of a run."""
    check = Check("memory, file descriptors and sessions are bounded")
    during.look(world)
    for kind, memory in during.memory_mib.items():
        check.hold(memory <= MEMORY_MIB, f"{kind} held {memory:.0f} MiB")
    for kind, number in during.descriptors.items():
        check.hold(number <= DESCRIPTORS, f"{kind} held {number} descriptors")
    sessions = await count_sessions(world.settings)
    check.hold(sessions <= SESSIONS, f"{sessions} sessions of Postgres")
    return check
