"""An https host on this machine that serves git repositories."""

import datetime
import ipaddress
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import make_wsgi_chain

FILES = {"src/train.py": "def train(rows): ...\n"}

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


class Host:
    """An https host on this machine: git at /churn.git and /empty.git, and answers that tests put in front of it."""

    def __init__(self, server: WSGIServer, git: Wsgi) -> None:
        self.name = f"127.0.0.1:{server.server_port}"
        self.asked: list[str] = []
        self.answers: dict[str, tuple[str, dict[str, str], bytes]] = {}
        self._git = git

    def url(self, path: str) -> str:
        return f"https://{self.name}{path}"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.asked.append(path)
        for prefix, (status, headers, body) in self.answers.items():
            if path.startswith(prefix):
                start_response(status, list(headers.items()))
                return [body]
        return self._git(environ, start_response)


def certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    # Else it begins within this second, which a clock read in another way may not have reached.
    since, until = now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), since, until)
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "host.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def http_backend(root: Path) -> Wsgi:
    """Serve the repositories below `root` by git itself, which speaks version 2 of the protocol and filters."""

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        cgi = {name: value for name, value in environ.items() if isinstance(value, str)}
        cgi |= {"GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "GIT_PROTOCOL": "version=2"}
        asked = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        done = subprocess.run(
            ["git", "http-backend"], input=asked, env=cgi, capture_output=True, timeout=30, check=True
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
        status = dict(headers).pop("Status", "200 OK")
        start_response(status, [header for header in headers if header[0] != "Status"])
        return [body]

    return serve


@contextmanager
def serving(application: Wsgi, pem: Path) -> Iterator[Host]:
    server = WSGIServer(("127.0.0.1", 0), QuietHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    host = Host(server, application)
    server.set_app(host)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=["git", "dulwich"])
def application(request: pytest.FixtureRequest, tmp_path: Path, commit: Any) -> Iterator[Wsgi]:
    """Serve the repositories /churn.git and /empty.git."""
    commit(tmp_path / "churn.git", FILES, bare=True)
    (tmp_path / "empty.git").mkdir()
    Repo.init_bare(str(tmp_path / "empty.git")).close()
    with Repo(str(tmp_path / "churn.git")) as churn, Repo(str(tmp_path / "empty.git")) as empty:
        if request.param == "dulwich":
            served: dict[str, BackendRepo] = {"/churn.git": churn, "/empty.git": empty}
            yield make_wsgi_chain(DictBackend(served))
        elif shutil.which("git"):
            config = churn.get_config()
            config.set((b"uploadpack",), b"allowFilter", True)
            config.write_to_path()
            yield http_backend(tmp_path)
        else:
            pytest.skip("git is not installed here")


@pytest.fixture
def host(application: Wsgi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    for name in ("https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(application, pem) as made:
        yield made
