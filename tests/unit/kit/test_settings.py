"""Settings from environment variables."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from services.kit.process import run_service
from services.kit.settings import Settings, UnusableSettingsError, load_settings


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("PIPELOOM_"):
            monkeypatch.delenv(name)


def test_without_variables_the_settings_work_locally() -> None:
    settings = Settings()
    assert settings.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert (settings.http.host, settings.health.host) == ("127.0.0.1", "127.0.0.1")


def test_a_variable_names_its_section_and_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELOOM_KAFKA__BOOTSTRAP_SERVERS", "one:9092,two:9092")
    monkeypatch.setenv("PIPELOOM_HTTP__RESULT_TIMEOUT_S", "2.5")
    monkeypatch.setenv("PIPELOOM_BUILDER__SOURCE_ROOTS", '["/srv/git"]')
    settings = Settings()
    assert settings.kafka.bootstrap_servers == "one:9092,two:9092"
    assert settings.http.result_timeout_s == 2.5
    assert settings.builder.source_roots == [Path("/srv/git")]
    assert settings.kafka.partitions == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIPELOOM_KAFKA__PARTITIONS", "0"),
        ("PIPELOOM_KAFKA__PARTITIONS", "many"),
        ("PIPELOOM_KAFKA__TOPIC_PREFIX", "a b"),
        ("PIPELOOM_HTTP__RESULT_TIMEOUT_S", "0"),
        ("PIPELOOM_AUTH__ACCESS_TOKEN_LIFE_S", "901"),
        ("PIPELOOM_LOG_FORMAT", "xml"),
        ("PIPELOOM_BUILDER__SOURCE_ROOTS", "[1, 2"),
        ("PIPELOOM_BUILDER__SOURCE_ROOTS", "/tmp"),
        ("PIPELOOM_BUILDER__ALLOWED_HOSTS", "[1]"),
        ("PIPELOOM_HTTP__PORT", "70000"),
        ("PIPELOOM_HTTP__PORT", ""),
        ("PIPELOOM_HEALTH__PORT", "-1"),
        ("PIPELOOM_KAFKA", "junk"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_in_one_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()
    with pytest.raises(UnusableSettingsError, match=f"^the settings cannot be used: {name}: .+$"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("PIPELOOM_TRACING__EXPORTER", "jaeger", "must be 'none', 'otlp', 'console' or 'file'"),
        ("PIPELOOM_LOG_FORMAT", "xml", "must be 'console' or 'json'"),
        ("PIPELOOM_KAFKA__TOPIC_PREFIX", "a b", "must be 1 to 100 of a-z, A-Z, 0-9, dot, underscore and hyphen"),
        ("PIPELOOM_HTTP__RESULT_TIMEOUT_S", "0", "must be more than 0"),
        ("PIPELOOM_KAFKA__PARTITIONS", "many", "must be a whole number"),
        ("PIPELOOM_WEBHOOKS__ALLOWED_NETWORKS", '["here"]', "must be a network, as in 10.1.0.0/16"),
        (
            "PIPELOOM_BUILDER__SOURCE_ROOTS",
            "/srv",
            'must be a list, and is a text, as JSON, such as ["one", "two"]',
        ),
    ],
)
def test_what_a_setting_has_to_be_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UnusableSettingsError) as caught:
        load_settings()
    assert str(caught.value) == f"the settings cannot be used: {name}: {fault}"


def test_every_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELOOM_HTTP__PORT", "0")
    monkeypatch.setenv("PIPELOOM_BUILDER__SOURCE_ROOTS", "/tmp")
    with pytest.raises(
        UnusableSettingsError, match=r"PIPELOOM_HTTP__PORT: .*; PIPELOOM_BUILDER__SOURCE_ROOTS: .*as JSON"
    ):
        load_settings()


def test_a_process_whose_settings_cannot_be_used_ends_with_1_and_the_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(*_: object) -> None:
        raise AssertionError("it must not run")

    monkeypatch.setenv("PIPELOOM_BUILDER__SOURCE_ROOTS", "/tmp")
    with pytest.raises(
        SystemExit, match=r"^pipeloom relay: the settings cannot be used: PIPELOOM_BUILDER__SOURCE_ROOTS"
    ):
        run_service("relay", main)


def test_the_password_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELOOM_POSTGRES__DSN", "postgresql://ada:s3cret@db/pipeloom")
    settings = Settings()
    assert "s3cret" not in repr(settings) + settings.model_dump_json()
    assert settings.postgres.dsn.get_secret_value() == "postgresql://ada:s3cret@db/pipeloom"
