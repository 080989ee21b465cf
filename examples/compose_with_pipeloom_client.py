"""Compose a pipeline with Pipeloom's own client.

It has the same functions as craft-ai-sdk and sends an idempotency key with every write: when the connection breaks,
it sends the write again under the same key, and the write takes effect once. Errors come in kinds that can be caught.
It reads PIPELOOM_URL and CRAFT_AI_SDK_TOKEN (or PIPELOOM_SDK_TOKEN), which `.pipeloom/env` sets:

    set -a; . .pipeloom/env; set +a
    .venv/bin/python examples/compose_with_pipeloom_client.py
"""

import secrets

from step_repository import FUNCTION_NAME, FUNCTION_PATH, INPUTS, OUTPUTS, step_repository

import pipeloom


def main() -> None:
    """Create a step, compose and deploy a pipeline on it, and delete all three."""
    mark = secrets.token_hex(3)  # so that two runs never meet
    step, pipeline, deployment = f"predict-{mark}", f"churn-{mark}", f"churn-live-{mark}"
    with pipeloom.Client() as client:
        with step_repository() as repository:
            client.create_step(
                step,
                FUNCTION_PATH,
                FUNCTION_NAME,
                container_config={"repository_url": str(repository)},
                inputs=INPUTS,
                outputs=OUTPUTS,
            )
        try:
            print(f"The step {step} is Ready.")
            compose(client, pipeline, step)
            deploy(client, deployment, pipeline)
        finally:
            client.delete_step(step, force_dependents_deletion=True)
            print(f"Deleted the step {step}, and with it what was left on it.")


def compose(client: pipeloom.Client, pipeline: str, step: str) -> None:
    """Create a pipeline; the same key again is the same request, without one it is a second request."""
    key = f"examples/{pipeline}"
    first = client.create_pipeline(pipeline, step, idempotency_key=key)
    again = client.create_pipeline(pipeline, step, idempotency_key=key)
    print(f"The pipeline {pipeline} is {first['status']}; with the same key the answer is the same: {first == again}.")
    try:
        client.create_pipeline(pipeline, step)
    except pipeloom.Conflict as refusal:
        print(f"Another request for it is refused with {refusal.code}.")


def deploy(client: pipeloom.Client, deployment: str, pipeline: str) -> None:
    """Deploy the pipeline; now its deletion has to be forced."""
    client.create_deployment(pipeline, deployment, "endpoint")
    try:
        client.delete_pipeline(pipeline)
    except pipeloom.Conflict as refusal:
        print(f"Deleting it is refused with {refusal.code}, since of {refusal.details['deployments']}.")
    print(f"Deleted: {client.delete_pipeline(pipeline, force_deployments_deletion=True)}")


if __name__ == "__main__":
    main()
