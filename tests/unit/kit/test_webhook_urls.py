"""The URLs that a webhook may have, and the secrets that it gets."""

import base64

import pytest
from standardwebhooks import Webhook

from events.refusals import Code, Refused
from services.kit.settings import WebhooksSettings
from services.kit.webhook_secrets import new_secret
from services.kit.webhook_urls import MAX_URL_LENGTH, demand_usable_url


def refused(url: str, **settings: object) -> str | None:
    try:
        demand_usable_url(url, WebhooksSettings.model_validate(settings))
    except Refused as error:
        return error.message if error.code is Code.INVALID_WEBHOOK_URL else None
    return None


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example/pipeloom",
        "https://hooks.example",
        "https://hooks.example:8443/a?b=c&d=%20",
        "https://xn--bcher-kva.example/",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
        "HTTPS://Hooks.Example/",
    ],
)
def test_https_to_a_name_or_a_public_address_is_fine(url: str) -> None:
    assert refused(url) is None


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://hooks.example/", "https://"),
        ("ftp://hooks.example/", "web"),
        ("file:///etc/passwd", "web"),
        ("hooks.example/pipeloom", "web"),
        ("https://", "web"),
        ("https:///path", "web"),
        ("https://hooks.example:0/", "web"),
        ("https://hooks.example:99999/", "web"),
        ("https://hooks.example:port/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://0177.0.0.1/", "no URL"),
        ("https://ada:secret@hooks.example/", "password"),
        ("https://ada@hooks.example/", "password"),
        ("https://hooks.example/#part", "fragment"),
        ("https://hooks.example/a b", "percent-encode"),
        ("https://hooks.example/\r\nHost: x", "percent-encode"),
        ("https://bücher.example/", "punycode"),
        (f"https://hooks.example/{'a' * MAX_URL_LENGTH}", "longer"),
    ],
)
def test_another_url_is_refused_with_a_reason(url: str, word: str) -> None:
    assert word in (refused(url) or "")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[fd00::1]",
        "localhost",
        "LOCALHOST.",
        "api.localhost",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0",
    ],
)
def test_an_inside_address_is_refused_in_whatever_form(host: str) -> None:
    assert "not a public address" in (refused(f"https://{host}/") or "")


def test_what_the_settings_allow_is_fine() -> None:
    assert refused("http://127.0.0.1:9000/", allow_http=True, allowed_networks=["127.0.0.0/8"]) is None
    assert refused("https://127.0.0.1:9000/", allowed_networks=["10.0.0.0/8"])


def test_each_secret_is_another_one_that_standard_webhooks_takes() -> None:
    secrets = {new_secret() for _ in range(10)}
    assert len(secrets) == 10
    for secret in secrets:
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
        Webhook(secret)
