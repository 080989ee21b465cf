"""What is broken when: decided by the seed alone, before anything runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

COMPOSERS = ("composer-1", "composer-2", "composer-3")
RELAYS = ("relay-1", "relay-2")
GATEWAYS = ("gateway-1", "gateway-2")
OTHERS = ("builder-1", "webhooks-1", "monitor-1")
PARTS = (*COMPOSERS, *RELAYS, *GATEWAYS, *OTHERS)
KINDS = ("composer", "relay", "gateway", "others")
LINKS = (*(f"kafka/{each}" for each in (*KINDS, "clients")), *(f"postgres/{each}" for each in KINDS))
DOORS = tuple(f"http/{each}" for each in GATEWAYS)

SESSION_S = 6.0
# So many seconds are between two faults, and before the first.
SPACING_S = (1.2, 2.6)
FIRST_S = 2.0


@dataclass(frozen=True)
class Fault:
    """Something to break; `seconds` is how long it lasts, where it lasts."""

    what: str
    target: str
    seconds: float = 0.0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:g} s" if self.seconds else ""
        return f"{self.what} {self.target}{lasting}"


@dataclass(frozen=True)
class Planned:
    """A fault, and how many seconds after the start it comes."""

    at_s: float
    fault: Fault


def planned(seed: int, seconds: float) -> list[Planned]:
    """Return the faults of a run, the same ones for the same seed; a longer run begins as a shorter one does."""
    random, plan = Random(seed), list[Planned]()
    at_s, faults = FIRST_S, _without_end(random)
    while at_s < seconds:
        plan.append(Planned(round(at_s, 2), next(faults)))
        at_s += random.uniform(*SPACING_S)
    return plan


def _without_end(random: Random) -> Iterator[Fault]:
    """Deal a shuffled deck after the other, so that no kind of fault is left out for long."""
    while True:
        deck = _deck(random)
        random.shuffle(deck)
        yield from deck


def _deck(random: Random) -> list[Fault]:
    pauses = (SESSION_S / 2, SESSION_S + 0.5, 2 * SESSION_S)
    return [
        *(Fault("kill", random.choice(parts)) for parts in (COMPOSERS, COMPOSERS, RELAYS, GATEWAYS, OTHERS)),
        *(Fault("terminate", random.choice(parts)) for parts in (COMPOSERS, RELAYS, GATEWAYS, OTHERS)),
        Fault("kill", "kafka"),
        Fault("kill", "postgres"),
        Fault("kill", "a backend of postgres"),
        Fault("terminate", random.choice(("kafka", "postgres"))),
        *(Fault("pause", random.choice(COMPOSERS), seconds) for seconds in pauses),
        Fault("pause", random.choice(RELAYS), random.choice(pauses)),
        Fault("pause", random.choice(GATEWAYS), random.choice(pauses)),
        Fault("pause", random.choice(("kafka", "postgres")), random.choice((2.0, SESSION_S / 2))),
        *_of_the_network(random),
        Fault("end", "all sessions of postgres"),
        Fault("lock", "inbox", random.choice((2.0, 6.0))),
        Fault("deadlock", "a save"),
        Fault("conflict", "saves", 4.0),
        Fault("fill", "kafka", random.choice((2.0, 4.0))),
        Fault("fill", "postgres", random.choice((2.0, 5.0))),
        Fault("hang and kill", random.choice(GATEWAYS), 1.0),
        Fault("storm", "composers", 4.0),
    ]


def _of_the_network(random: Random) -> list[Fault]:
    return [
        Fault("cut", random.choice(LINKS)),
        Fault("cut", random.choice(DOORS)),
        Fault("hang", random.choice(LINKS), random.choice((3.0, 8.0))),
        Fault("hang", random.choice(DOORS), 3.0),
        Fault("slow", random.choice(LINKS), 5.0),
        Fault("lose replies", "postgres/composer"),
        Fault("lose replies", "postgres/relay"),
        Fault("lose replies", random.choice(LINKS)),
        Fault("lose replies", random.choice(DOORS)),
    ]
