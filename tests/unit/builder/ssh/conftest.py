"""An ssh host on this machine that serves git repositories to those whose key it knows."""

import contextlib
import io
import shlex
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
import paramiko.common as codes
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.kit.settings import BuilderSettings

FILES = {"src/train.py": "def train(rows): ...\n"}
WAIT_S = 10.0
CHUNK = 65536


def new_key() -> str:
    """Return a new private key as users have it."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def loaded(key: str) -> paramiko.PKey:
    return paramiko.Ed25519Key.from_private_key(io.StringIO(key))


class Door(paramiko.ServerInterface):
    """Lets in who has the deploy key, and runs git for them."""

    def __init__(self, host: "SshHost") -> None:
        self._host = host
        self._environment: dict[str, str] = {}

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        is_known = username == "git" and key == loaded(self._host.deploy_key)
        return codes.AUTH_SUCCESSFUL if is_known else codes.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return codes.OPEN_SUCCEEDED

    def check_channel_env_request(self, channel: paramiko.Channel, name: bytes, value: bytes) -> bool:
        self._environment[name.decode()] = value.decode()
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._host.ran.append(command.decode())
        threading.Thread(target=self._run, args=(channel, command.decode()), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel, command: str) -> None:
        program, path = shlex.split(command)
        if not self._host.answers:
            return
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # the client may go at any time
            self._upload_pack(channel, program, self._host.root / path.lstrip("/"))

    def _upload_pack(self, channel: paramiko.Channel, program: str, repository: Path) -> None:
        with subprocess.Popen(
            [program.removesuffix("-upload-pack"), "upload-pack", str(repository)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self._environment, "PATH": "/usr/bin:/bin:/usr/local/bin"},
        ) as git:
            assert git.stdin
            assert git.stdout
            assert git.stderr
            threading.Thread(target=self._feed, args=(channel, git.stdin), daemon=True).start()
            while data := git.stdout.read1(CHUNK):  # type: ignore[attr-defined]
                channel.sendall(data)
            channel.sendall_stderr(git.stderr.read())
            channel.send_exit_status(git.wait(WAIT_S))
        channel.shutdown_write()  # closed now, the client might see that before it sees that git was started

    def _feed(self, channel: paramiko.Channel, stdin: Any) -> None:
        with contextlib.suppress(OSError, EOFError), stdin:
            while data := channel.recv(CHUNK):
                stdin.write(data)
                stdin.flush()


class SshHost:
    """Where the host is, and what it was asked to run."""

    def __init__(self, root: Path, deploy_key: str) -> None:
        self.root = root
        self.deploy_key = deploy_key
        self.ran: list[str] = []
        self.answers = True
        self.key = paramiko.RSAKey.generate(2048)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"ssh://git@{self.name}{path}"

    def known_hosts(self, key: paramiko.PKey | None = None) -> str:
        known = key or self.key
        return f"[127.0.0.1]:{self.port} {known.get_name()} {known.get_base64()}\n"

    @contextmanager
    def serving(self) -> Iterator[None]:
        thread = threading.Thread(target=self._accept)
        thread.start()
        try:
            yield
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            for transport in self._transports:
                transport.close()
            thread.join(WAIT_S)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            self._transports.append(transport)
            transport.add_server_key(self.key)
            try:
                transport.start_server(event=threading.Event(), server=Door(self))
            except (paramiko.SSHException, EOFError):
                transport.close()


@pytest.fixture
def ssh_host(tmp_path: Path, commit: Any) -> Iterator[SshHost]:
    if not shutil.which("git"):
        pytest.skip("git is not installed here")
    commit(tmp_path / "churn.git", FILES, bare=True)
    host = SshHost(tmp_path, new_key())
    with host.serving():
        yield host


@pytest.fixture
def by_ssh(ssh_host: SshHost, settings: BuilderSettings, tmp_path: Path) -> BuilderSettings:
    """Settings that allow the host and know its key."""
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(ssh_host.known_hosts())
    return settings.model_copy(update={"allowed_hosts": [ssh_host.name], "ssh_known_hosts_file": known_hosts})
