"""Orders for the load generator, which is a process of its own."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.children import child
from benchmarks.wire import Template


@dataclass(frozen=True, slots=True)
class Seen:
    """What the load generator saw of one order."""

    requests: int
    elapsed_s: float
    p50_ms: float
    p99_ms: float
    done: Sequence[str]
    client_cpu_s: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.elapsed_s


class Load:
    """The running load generator."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, port: int, template: Template, connections: int, seconds: float, **names: Any) -> Seen:
        """Have requests sent until the time is over or the names are. Raises RuntimeError when any is refused.

        Names are `prefix` (and at most `count` of them), or `names` (over and over, if `again`).
        """
        order = {"port": port, "template": asdict(template), "connections": connections, "seconds": seconds, **names}
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the load generator has no pipes")
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended; its log tells why")
        told = json.loads(line)
        if told["failed"]:
            raise RuntimeError(f"{told['failed']} requests were refused ({told['statuses']}): {told['refusal']}")
        return Seen(
            told["requests"], told["elapsed_s"], told["p50_ms"], told["p99_ms"], told["done"], told["client_cpu_s"]
        )


@contextmanager
def load_generator(log_dir: Path) -> Iterator[Load]:
    """Run the load generator inside the block."""
    with child("load generator", ["-m", "benchmarks.loadgen"], log_dir / "loadgen.log", piped=True) as process:
        yield Load(process)
