"""`pipeloom webhooks`: what is sent, and what a person reads."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from services.kit.webhook_shapes import A_DELIVERY, A_WEBHOOK, WEBHOOK_ID

from .conftest import Service

Pipeloom = Callable[[str], Result]


def sent(service: Service) -> tuple[str, str, Any]:
    [request] = service.requests
    body = json.loads(request.content) if request.content else None
    return request.method, request.url.path.removeprefix("/api/v1/webhooks"), body


def test_a_webhook_is_made_and_its_secret_shown(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(201, {**A_WEBHOOK, "secret": "whsec_example"})
    result = pipeloom("webhooks create https://hooks.example/pipeloom --type PipelineCreated --subject pipelines/")
    assert result.exit_code == 0, result.output
    assert "whsec_example" in result.stdout
    assert sent(service) == (
        "POST",
        "",
        {"url": "https://hooks.example/pipeloom", "types": ["PipelineCreated"], "subject": "pipelines/"},
    )


def test_without_types_it_is_told_of_all(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(201, {**A_WEBHOOK, "types": None})
    assert ["types", "all"] in [
        line.split() for line in pipeloom("webhooks create https://hooks.example/").stdout.splitlines()
    ]
    assert sent(service)[2]["types"] is None


@pytest.mark.parametrize(
    ("line", "status", "answer", "request_sent"),
    [
        ("list", 200, [A_WEBHOOK], ("GET", "", None)),
        ("show ID", 200, A_WEBHOOK, ("GET", f"/{WEBHOOK_ID}", None)),
        ("enable ID", 200, A_WEBHOOK, ("PATCH", f"/{WEBHOOK_ID}", {"status": "enabled"})),
        ("disable ID", 200, A_WEBHOOK, ("PATCH", f"/{WEBHOOK_ID}", {"status": "disabled"})),
        (
            "update ID --url https://a.example/",
            200,
            A_WEBHOOK,
            ("PATCH", f"/{WEBHOOK_ID}", {"url": "https://a.example/"}),
        ),
        (
            "update ID --type StepReady --type StepFailed --subject ''",
            200,
            A_WEBHOOK,
            ("PATCH", f"/{WEBHOOK_ID}", {"types": ["StepReady", "StepFailed"], "subject": ""}),
        ),
        ("update ID --all-types", 200, A_WEBHOOK, ("PATCH", f"/{WEBHOOK_ID}", {"types": None})),
        ("delete ID --yes", 200, {"id": WEBHOOK_ID}, ("DELETE", f"/{WEBHOOK_ID}", None)),
        ("deliveries ID", 200, [A_DELIVERY], ("GET", f"/{WEBHOOK_ID}/deliveries", None)),
        ("redeliver ID 17", 202, A_DELIVERY, ("POST", f"/{WEBHOOK_ID}/deliveries/17/redeliver", None)),
    ],
)
def test_each_command_asks_and_shows_the_answer(
    pipeloom: Pipeloom, service: Service, line: str, status: int, answer: Any, request_sent: Any
) -> None:
    service.answer(status, answer)
    result = pipeloom(f"webhooks {line.replace('ID', WEBHOOK_ID)} -o json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == answer
    assert sent(service) == request_sent


@pytest.mark.parametrize("options", ["", "--type StepReady --all-types"])
def test_an_update_of_nothing_or_of_opposites_is_wrong_usage(
    pipeloom: Pipeloom, service: Service, options: str
) -> None:
    assert pipeloom(f"webhooks update {WEBHOOK_ID} {options}").exit_code == 2
    assert service.requests == []


def test_a_refusal_that_speaks_of_http_is_told_with_the_command_to_type(pipeloom: Pipeloom, service: Service) -> None:
    message = "The webhook is disabled: gone. Enable it first, with PATCH "
    message += f"/api/v1/webhooks/{WEBHOOK_ID} and the status enabled."
    service.answer(409, {"name": "webhook_disabled", "message": message})
    result = pipeloom(f"webhooks redeliver {WEBHOOK_ID} 17")
    assert result.exit_code == 1
    assert f"pipeloom webhooks enable {WEBHOOK_ID}" in " ".join(result.stderr.split())


def test_failed_deliveries_are_asked_for_and_told_with_their_reason(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(200, [{**A_DELIVERY, "status": "failed"}])
    result = pipeloom(f"webhooks deliveries {WEBHOOK_ID} --status failed --limit 5")
    assert "The receiver answered 503." in result.stdout
    assert dict(service.requests[0].url.params) == {"status": "failed", "limit": "5"}


def test_a_webhook_that_is_not_there_is_told(pipeloom: Pipeloom, service: Service) -> None:
    service.answer(404, {"name": "webhook_not_found", "message": "There is no such webhook."})
    result = pipeloom(f"webhooks show {WEBHOOK_ID}")
    assert result.exit_code == 1
    assert WEBHOOK_ID in result.stderr
