"""The product under measurement: `pipeloom up` on embedded servers, as a user starts it."""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx

from benchmarks.children import child, wait_until
from benchmarks.processes import part_of, processes_below
from pipeloom.demo.source import FUNCTION_NAME, FUNCTION_PATH, INPUTS, make_repository
from pipeloom.local.ports import pick_port

READY_S = 120.0
ANSWER_S = 60.0
STEP = "train"


@dataclass(frozen=True)
class Product:
    """A running stack: the pid of its supervisor, and what its `env` file says."""

    process: "subprocess.Popen[str]"
    data_dir: Path
    variables: dict[str, str]

    @property
    def port(self) -> int:
        """The port of its HTTP API."""
        return int(urlsplit(self.variables["PIPELOOM_URL"]).port or 0)

    @property
    def kafka(self) -> str:
        """The address of its broker."""
        return self.variables["PIPELOOM_KAFKA__BOOTSTRAP_SERVERS"]

    def dsn(self, database: str = "pipeloom") -> str:
        """Return the address of a database on its Postgres server."""
        return urlunsplit(urlsplit(self.variables["PIPELOOM_POSTGRES__DSN"])._replace(path=f"/{database}"))

    def pid_of(self, part: str) -> int:
        """Return the pid of the topmost process of a part. Raises LookupError."""
        found = [each for each in processes_below(self.process.pid) if part_of(each.command) == part]
        pids = {each.pid for each in found}
        for each in found:
            if each.parent not in pids:
                return each.pid
        raise LookupError(f"{part} is not running")

    def authorization(self) -> str:
        """Return the header's value for a fresh access token."""
        answer = httpx.post(
            f"{self.variables['PIPELOOM_URL']}/api/v1/auth/refresh",
            json={"refresh_token": self.variables["CRAFT_AI_SDK_TOKEN"]},
            timeout=ANSWER_S,
        )
        return f"Bearer {answer.raise_for_status().json()['access_token']}"

    def client(self) -> httpx.Client:
        """Return a signed-in client."""
        headers = {"Authorization": self.authorization()}
        return httpx.Client(base_url=self.variables["PIPELOOM_URL"], headers=headers, timeout=ANSWER_S)

    def make_step(self) -> None:
        """Have the builder make the step that all pipelines are composed of."""
        make_repository(self.data_dir / "source")
        step = {
            "step_name": STEP,
            "function_path": FUNCTION_PATH,
            "function_name": FUNCTION_NAME,
            "inputs": INPUTS,
            "container_config": {"repository_url": str(self.data_dir / "source")},
        }
        with self.client() as client:
            client.post("/api/v1/steps", json=step).raise_for_status()
            built = client.get(f"/api/v1/steps/{STEP}", params={"wait_for_completion": "true"}).json()
        if built["creation_info"]["status"] != "Ready":
            raise RuntimeError(f"the step could not be built: {built}")


def own_environment() -> dict[str, str]:
    """Return what of this process's environment a stack of its own may see."""
    return {key: "" for key in os.environ if key.startswith("PIPELOOM_")}


@contextmanager
def started(data_dir: Path) -> Iterator[Product]:
    """Run `pipeloom up` inside the block; it is ready when the block begins."""
    env_file = data_dir / "env"
    argv = ["-m", "pipeloom", "up", "--data-dir", str(data_dir), "--http-port", str(pick_port())]
    log = data_dir / "up.log"
    with child("pipeloom up", argv, log, own_environment()) as process:
        wait_until(lambda: process.poll() is not None or env_file.exists(), READY_S, f"{env_file} exists")
        if process.poll() is not None:
            raise RuntimeError(f"pipeloom up ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        lines = shlex.split(env_file.read_text())
        yield Product(process, data_dir, dict(line.split("=", 1) for line in lines))


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that Postgres's own account can reach too, and remove it."""
    with tempfile.TemporaryDirectory(prefix="pipeloom-benchmark-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
