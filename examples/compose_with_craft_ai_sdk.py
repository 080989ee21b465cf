"""Compose a pipeline with craft-ai-sdk, the package that Pipeloom's HTTP API is made for.

The package is unmodified. It reads where the API is and who asks from CRAFT_AI_ENVIRONMENT_URL, CRAFT_AI_CONTROL_URL
and CRAFT_AI_SDK_TOKEN, which `.pipeloom/env` sets:

    set -a; . .pipeloom/env; set +a
    .venv/bin/python examples/compose_with_craft_ai_sdk.py

`create_step` returns once the builder has checked the code. The service holds the request for up to two seconds, which
most builds take less than; up to 0.48 the package sleeps 10 seconds before it asks again about one that takes longer.
"""

import secrets

from craft_ai_sdk import CraftAiSdk, Input, Output, SdkException
from step_repository import FUNCTION_NAME, FUNCTION_PATH, INPUTS, OUTPUTS, step_repository


def main() -> None:
    """Create a step and a pipeline, show how a refusal looks, and delete both."""
    sdk = CraftAiSdk()
    mark = secrets.token_hex(3)  # so that two runs never meet
    step, pipeline = f"predict-{mark}", f"churn-{mark}"
    with step_repository() as repository:
        created = sdk.create_step(
            step_name=step,
            function_path=FUNCTION_PATH,
            function_name=FUNCTION_NAME,
            container_config={"repository_url": str(repository)},
            inputs=[Input(**each) for each in INPUTS],
            outputs=[Output(**each) for each in OUTPUTS],
        )
    try:
        print(f"The step {step} is {created['creation_info']['status']}.")
        compose(sdk, pipeline, step)
    finally:
        sdk.delete_step(step, force_dependents_deletion=True)
        print(f"Deleted the step {step}, and with it what was left on it.")


def compose(sdk: CraftAiSdk, pipeline: str, step: str) -> None:
    """Go through the four functions of the page "Compose a pipeline"."""
    sdk.create_pipeline(pipeline_name=pipeline, step_name=step)
    inputs = sdk.get_pipeline(pipeline)["inputs"]
    print(f"The pipeline {pipeline} takes {', '.join(each['input_name'] for each in inputs)}.")
    print(f"It is one of {len(sdk.list_pipelines())} in this environment.")
    try:
        sdk.create_pipeline(pipeline_name=pipeline, step_name=step)
    except SdkException as refusal:
        print(f"Creating it again is refused with {refusal.status_code} {refusal.name}.")
    print(f"Deleted: {sdk.delete_pipeline(pipeline)}")
    print(f"Now get_pipeline gives {sdk.get_pipeline(pipeline)}.")


if __name__ == "__main__":
    main()
