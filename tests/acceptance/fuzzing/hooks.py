"""Lets some of what schemathesis asks be about what is there, so that not every answer is a refusal.

Most that it makes up is right in form only: a step whose code is nowhere, a pipeline of no step. Here a part of it gets
names of what was furnished or made before. Reads may be about everything; what deletes or rebuilds spares what is kept.
"""

import json
import os
import random
from collections.abc import Callable
from typing import Any

import schemathesis
from schemathesis.generation.meta import TestPhase

WORLD: dict[str, Any] = json.loads(os.environ["PIPELOOM_FUZZ_WORLD"])
DRAW = random.Random(WORLD["seed"])
KINDS = {"step_name": "steps", "pipeline_name": "pipelines", "deployment_name": "deployments", "name": "variables"}
CHANGES = {"PUT", "DELETE"}
CLIENTS = ["craft-ai-sdk@0.43.4", "craft-ai-sdk@0.50.0", "craft-ai-sdk@0.55.2"]
WAITS = ["wait=5", "wait=0", "wait=1, handling=strict", "respond-async"]

kept: dict[str, list[str]] = WORLD["kept"]
spare: dict[str, list[str]] = WORLD["spare"]
commands: list[str] = []
webhooks: list[str] = []
_number = 0


def _fresh() -> str:
    global _number
    _number += 1
    return f"fuzz-{_number}"


def _sometimes(chance: float = 0.6) -> bool:
    return DRAW.random() < chance


@schemathesis.hook
def before_call(_: Any, case: Any, __: dict[str, Any]) -> None:
    """Put what is there in the place of what was made up. What was made up to be wrong stays wrong."""
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return
    operation = case.operation.definition.raw["operationId"]
    if case.meta is None or case.meta.phase.name is not TestPhase.STATEFUL:  # there, what was made is asked about
        _name_what_is_there(case)
    if isinstance(case.body, dict) and operation in BODIES and _sometimes():
        case.body = {**case.body, **BODIES[operation]()}
    for header, choose in HEADERS.items():
        if case.headers and header in case.headers and _sometimes(0.8):
            case.headers[header] = choose()
    if operation == "get_source" and _sometimes():
        case.path_parameters["digest"] = WORLD["digest"]
        case.query["ticket"] = WORLD["ticket"]


def _name_what_is_there(case: Any) -> None:
    for parameter, kind in KINDS.items():
        if parameter in case.path_parameters and _sometimes():
            there = spare[kind] if case.method in CHANGES else kept[kind] + spare[kind][-5:]
            case.path_parameters[parameter] = DRAW.choice(there) if there else _fresh()
    if "user_id" in case.path_parameters and _sometimes():
        case.path_parameters["user_id"] = WORLD["user_id"]
    if "webhook_id" in case.path_parameters and webhooks and _sometimes():
        case.path_parameters["webhook_id"] = DRAW.choice(webhooks[-5:])
    if "command_id" in case.path_parameters and commands and _sometimes():
        case.path_parameters["command_id"] = DRAW.choice(commands)


HEADERS: dict[str, Callable[[], str]] = {
    "Idempotency-Key": _fresh,  # one that was used before is refused
    "Prefer": lambda: DRAW.choice(WAITS),
    "If-None-Match": lambda: DRAW.choice(['"1"', "*", 'W/"3", "17"']),
    "craft-ai-client": lambda: DRAW.choice(CLIENTS),
}
BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "create_step": lambda: {**WORLD["step"], "step_name": _fresh()},
    "create_pipeline": lambda: {"pipeline_name": _fresh(), "step_names": [DRAW.choice(kept["steps"])]},
    "create_endpoint": lambda: {"name": _fresh(), "pipeline_name": DRAW.choice(kept["pipelines"])},
    "create_periodic_deployment": lambda: {**WORLD["periodic"], "name": _fresh()},
    "create_webhook": lambda: {"url": f"https://{_fresh()}.invalid/"},
    "change_webhook": lambda: {"status": "disabled"},
    "refresh": lambda: {"refresh_token": os.environ["PIPELOOM_FUZZ_SDK_TOKEN"]},
}


@schemathesis.hook
def after_call(_: Any, case: Any, response: Any) -> None:
    """Remember what was made."""
    commands.extend(response.headers.get("pipeloom-command-id", []))
    if case.method != "POST" or response.status_code not in {201, 206}:
        return
    made = response.json()
    webhooks.extend([made["id"]] if "secret" in made else [])
    for kind, name in (
        ("steps", made.get("parameters", {}).get("step_name")),
        ("pipelines", made.get("pipeline_name")),
        ("deployments", made.get("name")),
    ):
        if name is not None:
            spare[kind].append(name)
