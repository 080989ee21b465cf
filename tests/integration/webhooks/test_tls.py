"""Over https a receiver has to prove that it is who the URL names."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.receiver import Receiver, open_receiver
from tests.unit.builder.https.conftest import certificate

from .conftest import World


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    return certificate(tmp_path)


@pytest.fixture
async def receiver(roots: Path) -> AsyncIterator[Receiver]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(roots)
    async with open_receiver(tls) as opened:
        yield opened


async def test_a_certificate_of_a_known_root_is_taken(
    world: World, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    hook = await world.hook("/ok")
    async with world.service(allow_http=False):
        await world.happen()
        await world.until(hook, status="delivered", attempts=1)
    [posted] = world.receiver.at("/ok")
    assert hook.verified(posted)["type"]


async def test_a_certificate_of_nobody_is_not(world: World) -> None:
    hook = await world.hook("/ok")
    async with world.service(retry_delays_s=[]):
        await world.happen()
        row = await world.until(hook, status="failed", last_status_code=None)
    assert "certificate verify failed" in row["last_error"]
    assert world.receiver.posted == []


async def test_a_certificate_for_another_name_is_not(
    world: World, roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    hook = await world.hook("/ok")
    await world.pool.execute("UPDATE webhook SET url = replace(url, '127.0.0.1', 'localhost')")
    async with world.service(retry_delays_s=[]):
        await world.happen()
        row = await world.until(hook, status="failed", last_status_code=None)
    assert "mismatch" in row["last_error"]
    assert world.receiver.posted == []
