"""How long it takes to be there: from nothing, again, and after kill -9.

  from nothing        `pipeloom up` on a new data folder, its packages and jars there, until it says that it is ready
  again               the same on the same data folder
  a service restarts  the composer or the relay is ended by SIGTERM, until the supervisor's new one is ready
  failover            the composer or the broker is killed (SIGKILL), until a create that was sent then is answered

A failover is seen from outside: a client creates pipelines, one after the other and without a pause.

    python -m benchmarks recovery             about 2 minutes
    python -m benchmarks recovery --rounds 1  a quick look
"""

import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from benchmarks.children import wait_until
from benchmarks.product import STEP, Product, scratch, started
from benchmarks.report import options, said, show, versus, write
from benchmarks.spread import spread

WITHIN_S = 60.0
RETRY_S = 0.02
CALM_S = 3.0
TARGETS = {"from nothing": 4.0, "again": 2.5, "failover: composer": 7.0, "failover: kafka": 4.0}


class Creator:
    """A client that creates pipelines without a pause, and knows when the last answer came to what was sent when."""

    def __init__(self, product: Product) -> None:
        self.answered_sent_at = 0.0
        self.answered_at = 0.0
        self._product = product
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="creator", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        wait_until(lambda: self.answered_at > 0, WITHIN_S, "a create is answered")

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join(WITHIN_S)

    def answered_after(self, moment: float) -> bool:
        """Tell whether a create that was sent after `moment` was answered."""
        return self.answered_sent_at > moment

    def _run(self) -> None:
        number = time.time_ns()
        with self._product.client() as client:
            while not self._ended.is_set():
                number += 1
                sent_at = time.perf_counter()
                if self._create(client, number):
                    self.answered_at, self.answered_sent_at = time.perf_counter(), sent_at
                else:
                    self._ended.wait(RETRY_S)

    def _create(self, client: httpx.Client, number: int) -> bool:
        body = {"pipeline_name": f"r{number}", "step_names": [STEP]}
        try:
            return client.post("/api/v1/pipelines", json=body, timeout=WITHIN_S).status_code == httpx.codes.CREATED
        except httpx.TransportError:
            return False


@contextmanager
def creating(product: Product) -> Iterator[Creator]:
    """Have pipelines created inside the block."""
    creator = Creator(product)
    creator.start()
    try:
        yield creator
    finally:
        creator.stop()


def failover(product: Product, creator: Creator, part: str) -> float:
    """Kill a part; return after how many seconds a create was answered that was sent afterwards."""
    os.kill(product.pid_of(part), signal.SIGKILL)
    killed_at = time.perf_counter()
    wait_until(lambda: creator.answered_after(killed_at), WITHIN_S, f"a create is answered after the {part} was killed")
    return creator.answered_at - killed_at


def restart(product: Product, part: str) -> float:
    """End a part in order; return after how many seconds its successor is ready."""
    old = product.pid_of(part)
    began = time.perf_counter()
    os.kill(old, signal.SIGTERM)
    wait_until(lambda: _is_ready_anew(product, part, old), WITHIN_S, f"the {part} is ready again")
    return time.perf_counter() - began


def _is_ready_anew(product: Product, part: str, old: int) -> bool:
    try:
        if product.pid_of(part) == old:
            return False
        url = json.loads((product.data_dir / "admin.json").read_text())[part]
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return bool(answer.status == httpx.codes.OK)
    except (LookupError, OSError, ValueError):
        return False


def one_round(folder: Path) -> dict[str, float]:
    """Return what → seconds."""
    found: dict[str, float] = {}
    for what in ("from nothing", "again"):
        with ExitStack() as stack:
            began = time.perf_counter()
            product = stack.enter_context(started(folder))
            found[what] = time.perf_counter() - began
            said(f"{what}: {found[what]:.1f} s")
            if what == "from nothing":
                product.make_step()
                continue
            for part in ("composer", "relay"):
                found[f"restart: {part}"] = restart(product, part)
            with creating(product) as creator:
                for part in ("composer", "kafka"):
                    found[f"failover: {part}"] = failover(product, creator, part)
                    said(f"failover: {part}: {found[f'failover: {part}']:.1f} s")
                    time.sleep(CALM_S)  # the supervisor forgives a part that has lived a while
    return found


def main() -> None:
    """Measure, show and write."""
    given = options(__doc__ or "", "recovery", rounds=3, seconds=None).parse_args()
    rounds = []
    for _ in range(given.rounds):
        with scratch() as folder:
            rounds.append(one_round(folder / "data"))
    rows = []
    for what in rounds[0]:
        seconds = spread([each[what] for each in rounds])
        target = versus(seconds.median, TARGETS[what], at_least=False) if what in TARGETS else ""
        rows.append([what, seconds.told(), target])
    show("Seconds: median (range) of the rounds", ["what", "seconds", "target"], rows)
    write(given.out, "recovery", {"rounds": rounds})


if __name__ == "__main__":
    main()
