"""Repositories on ssh hosts, read with the step's own deploy key: no agent, no configuration, no prompts."""

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko
import structlog
from dulwich.client import SSHGitClient, SSHVendor
from dulwich.errors import GitProtocolError, HangupException
from dulwich.protocol import Protocol

from events.refusals import FailureCode
from services.builder.budget import SILENCE_S, Budget
from services.builder.errors import Unbuildable, Unreachable
from services.builder.git import Source
from services.builder.remote_git import FetchPack, remote_source
from services.builder.wording import quoted
from services.kit.settings import BuilderSettings

SSH_PORT = 22
PROTOCOL_VERSION = 2
KEY_TYPES: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)

_URL = re.compile(r"ssh://(?:(?P<user>[\w.-]+)@)?(?P<host>[\w.-]+)(?::(?P<port>\d{1,5}))?(?P<path>/[^\x00?#]+)")
_SHORT = re.compile(r"(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?P<path>[^\x00]+)")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SshAddress:
    """Where a repository is."""

    user: str
    host: str
    port: int
    path: str

    @property
    def host_and_port(self) -> str:
        """The host as the list of allowed ones names it."""
        return self.host if self.port == SSH_PORT else f"{self.host}:{self.port}"


def ssh_address(url: str) -> SshAddress | None:
    """Return what `ssh://[user@]host[:port]/path` or `user@host:path` names, or None when `url` is another kind."""
    match = _URL.fullmatch(url) or _SHORT.fullmatch(url)
    if match is None:
        return None
    found = match.groupdict()
    return SshAddress(
        found["user"] or "git", found["host"].lower(), int(found.get("port") or SSH_PORT), str(found["path"])
    )


@contextmanager
def ssh_source(
    address: SshAddress,
    branch: str | None,
    deploy_key: str | None,
    settings: BuilderSettings,
    abandoned: threading.Event,
) -> Iterator[Source]:
    """Fetch the head of `branch` with `deploy_key`."""
    vendor = _Vendor(_private_key(deploy_key), settings.ssh_known_hosts_file, Budget(abandoned))
    client = _Client(address.host, address.port, address.user, vendor=vendor, quiet=True)
    where = f"{address.user}@{address.host_and_port}:{address.path}"
    with (
        vendor.closing(),
        client.closing(),
        remote_source(_fetching(client, vendor), address.path, where, branch, settings, abandoned) as source,
    ):
        yield source


def _private_key(text: str | None) -> paramiko.PKey:
    if text is None:
        raise Unbuildable(
            FailureCode.DEPLOY_KEY_REFUSED,
            "An ssh URL needs container_config.repository_deploy_key: the private key of a deploy key that may read "
            "the repository.",
        )
    for kind in KEY_TYPES:
        try:
            return kind.from_private_key(io.StringIO(text.strip() + "\n"))
        except paramiko.PasswordRequiredException:
            break
        except Exception as error:  # noqa: BLE001 - of a damaged key paramiko asserts, and lets decoders' errors pass
            # Neither the text of the error nor its traceback: they may quote the key.
            log.debug("a deploy key is none of a kind", kind=kind.__name__, error=type(error).__name__)
    raise Unbuildable(
        FailureCode.DEPLOY_KEY_REFUSED,
        "container_config.repository_deploy_key is no private key that can be used; give an Ed25519, ECDSA or RSA key "
        "in OpenSSH or PEM form, without a passphrase.",
    )


@dataclass
class _Vendor(SSHVendor):
    """How dulwich runs git on the host."""

    key: paramiko.PKey
    known_hosts_file: Path | None
    budget: Budget
    clients: list[paramiko.SSHClient] = field(default_factory=list)
    has_answered: bool = False

    def run_command(  # type: ignore[override] # dulwich's passes what an ssh program would need
        self, host: str, command: bytes, username: str, port: int, protocol_version: int | None = None, **_: Any
    ) -> "_Pipe":
        client = paramiko.SSHClient()
        self.clients.append(client)
        client.load_host_keys(str(self.known_hosts_file))
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            self._connect(client, host, port, username)
            transport = client.get_transport()
            if transport is None:
                raise Unreachable(f"{quoted(host)} hung up")
            channel = transport.open_session(timeout=SILENCE_S)
            channel.settimeout(SILENCE_S)
            channel.update_environment({"GIT_PROTOCOL": f"version={protocol_version or PROTOCOL_VERSION}"})
            channel.exec_command(command)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise Unreachable(f"{quoted(host)}: {quoted(str(error))}") from error
        return _Pipe(channel, self)

    def _connect(self, client: paramiko.SSHClient, host: str, port: int, user: str) -> None:
        try:
            client.connect(
                host,
                port,
                user,
                pkey=self.key,
                allow_agent=False,
                look_for_keys=False,
                timeout=SILENCE_S,
                banner_timeout=SILENCE_S,
                auth_timeout=SILENCE_S,
                channel_timeout=SILENCE_S,
            )
        except paramiko.AuthenticationException:
            raise Unbuildable(
                FailureCode.DEPLOY_KEY_REFUSED,
                f"The host {quoted(host)} does not take repository_deploy_key; add its public key to the repository's "
                "deploy keys.",
            ) from None
        except paramiko.BadHostKeyException:
            raise Unbuildable(
                FailureCode.SOURCE_NOT_ALLOWED,
                f"The host {quoted(host)} has another key than the one that this installation knows; tell the "
                "administrator.",
            ) from None
        except paramiko.SSHException as error:
            if "not found in known_hosts" not in str(error):
                raise
            raise Unbuildable(
                FailureCode.SOURCE_NOT_ALLOWED,
                f"The key of the host {quoted(host)} is not known to this installation; the administrator has to add "
                "it to the file of known hosts.",
            ) from None

    @contextmanager
    def closing(self) -> Iterator[None]:
        """End the connections with the block."""
        try:
            yield
        finally:
            for client in self.clients:
                client.close()


class _Pipe:
    """The remote git's input and output, as dulwich reads and writes them."""

    def __init__(self, channel: paramiko.Channel, vendor: _Vendor) -> None:
        self._channel = channel
        self._vendor = vendor
        self.stderr = channel.makefile_stderr("rb")

    def read(self, size: int) -> bytes:
        """Return `size` bytes, or fewer at the end."""
        parts: list[bytes] = []
        while size > 0:
            self._vendor.budget.check()
            part = self._received(size)
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def write(self, data: bytes) -> int:
        try:
            self._channel.sendall(data)
        except OSError as error:
            raise Unreachable(f"the host does not take what is sent: {quoted(str(error))}") from error
        return len(data)

    def can_read(self) -> bool:
        return self._channel.recv_ready()

    def close(self) -> None:
        self._channel.close()

    def _received(self, size: int) -> bytes:
        try:
            part = self._channel.recv(min(size, 65536))
        except TimeoutError as error:
            raise Unreachable(f"the host was silent for {SILENCE_S:g} s") from error
        self._vendor.budget.take(len(part))
        self._vendor.has_answered = self._vendor.has_answered or bool(part)
        return part


class _Client(SSHGitClient):
    """dulwich's client, which leaves its connection open when the host answers otherwise than it expects."""

    _connected: Protocol | None = None

    def _connect(self, *given: Any, **options: Any) -> Any:
        connection = super()._connect(*given, **options)
        self._connected = connection[0]
        return connection

    @contextmanager
    def closing(self) -> Iterator[None]:
        """End the connection with the block."""
        try:
            yield
        finally:
            if self._connected is not None:
                self._connected.close()


def _fetching(client: SSHGitClient, vendor: _Vendor) -> FetchPack:
    """Return the client's fetch, with a host that answers nothing told as what it means."""

    def fetch_pack(*given: Any, **options: Any) -> Any:
        try:
            return client.fetch_pack(*given, **options)
        except (HangupException, GitProtocolError) as error:
            if vendor.has_answered:
                raise
            raise Unbuildable(
                FailureCode.REPOSITORY_NOT_FOUND,
                "There is no repository at repository_url that repository_deploy_key may read; mend the URL, or add "
                "the key to the repository's deploy keys.",
            ) from error

    return fetch_pack
