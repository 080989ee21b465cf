"""Steps as a user of craft-ai-sdk asks for them."""

from pathlib import Path
from typing import Any

from tests.acceptance.contract.remote import Document, Sdk, new
from tests.acceptance.sources import CODE, FUNCTION_PATH
from tests.acceptance.tenant import Tenant

SDK_INPUTS = [
    new("Input", "months", "number", description="As a customer", is_required=True, default_value=3.5),
    new("Input", "plan", "string", default_value="basic"),
    new("Input", "strict", "boolean", is_required=False, default_value=False),
    new("Input", "weights", "json", default_value={"ages": ["young", "old"]}),
]
SDK_OUTPUTS = [new("Output", "risk", "number", description="From 0 to 1")]
REQUIREMENTS = "numpy>=1.26\npandas\n"


async def create_step(sdk: Sdk, tenant: Tenant, **changes: Any) -> Document:
    """Create a step from the tests' repository, unless told otherwise."""
    asked: Document = {
        "step_name": "train",
        "function_path": FUNCTION_PATH,
        "function_name": "predict",
        "description": "Tells who leaves",
        "container_config": {"repository_url": str(tenant.repository), "included_folders": ["src"]},
        "inputs": SDK_INPUTS,
        "outputs": SDK_OUTPUTS,
    }
    step: Document = await sdk.create_step(**(asked | changes))
    return step


def make_local_folder(folder: Path) -> dict[str, bytes]:
    """Put the code of a step into a folder; return the content of each file."""
    files = {
        FUNCTION_PATH: CODE.encode(),
        "src/model/weights.txt": "1 2 3 é\n".encode(),
        "requirements.txt": REQUIREMENTS.encode(),
        "notes/todo.md": b"Not for the step\n",
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return files
