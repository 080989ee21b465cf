"""Lists on a terminal of 80 columns: what other commands need can be copied from them."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from services.kit.webhook_shapes import A_DELIVERY, A_WEBHOOK, WEBHOOK_ID

from .conftest import Service
from .test_trail import COMMAND, CREATED, LETTER

Pipeloom = Callable[[str], Result]

ID = "0192f7a0-7c1e-7b3a-9c55-2f9d1c5a0e11"
ACTOR = "0198c5f2-b210-7a44-b0de-6a3f0f8f2c77"
ASKED: dict[str, Any] = {**COMMAND, "command_id": ID, "actor": ACTOR, "subject": "pipelines/churn-prediction-weekly"}
DONE: dict[str, Any] = {**CREATED, "command_id": ID, "actor": ACTOR}
PIPELINE = {"pipeline_name": "p" * 70, "status": "Ready", "created_at": "2026-01-31T12:00:00.000Z"}
FROM_A_PRODUCER = {**LETTER, "source": "/billing/nightly", "type": "pipeloom.PipelineRequested.v1"}


@pytest.fixture(autouse=True)
def a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeloom.cli.output._terminal_width", lambda: 80)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")


@pytest.mark.parametrize(
    ("words", "documents", "copied"),
    [
        ("commands list", [ASKED], [ID, ASKED["subject"], "step_exists"]),
        ("steps history train", [DONE], [ID, ACTOR, "StepCreated"]),
        ("webhooks list", [A_WEBHOOK], [WEBHOOK_ID, A_WEBHOOK["url"], "enabled"]),
        (f"webhooks deliveries {WEBHOOK_ID}", [A_DELIVERY], [str(A_DELIVERY["sequence"]), A_DELIVERY["type"]]),
        ("dead-letters list", [LETTER], ["3-1042", "invalid_body"]),
        ("dead-letters list", [FROM_A_PRODUCER], ["3-1042", "/billing/nightly", "pipeloom.PipelineRequested.v1"]),
        ("pipelines list", [PIPELINE], ["p" * 70]),
    ],
)
def test_on_80_columns_ids_names_and_codes_are_whole(
    pipeloom: Pipeloom, service: Service, words: str, documents: list[dict[str, Any]], copied: list[str]
) -> None:
    service.answer(200, documents)
    shown = pipeloom(words).stdout
    assert max(map(len, shown.splitlines())) <= 80
    for text in copied:
        assert text in shown, shown
