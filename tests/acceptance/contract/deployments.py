"""Deployments as each version of craft-ai-sdk spells them."""

from typing import Any

from tests.acceptance.contract.remote import Document, Sdk, new
from tests.acceptance.contract.versions import Version

MONDAYS = "30 3 * * 1"
CONSTANTS: Document = {"months": 12, "plan": "basic"}


def source(version: Version, name: str, **options: Any) -> Document:
    """Say where an input's value comes from."""
    return new("InputSource", **{f"{version.mapped_prefix}input_name": name}, **options)


def destination(version: Version, name: str, **options: Any) -> Document:
    """Say where an output's value goes."""
    return new("OutputDestination", **{f"{version.mapped_prefix}output_name": name}, **options)


def full_mapping(version: Version) -> Document:
    """Map everything that the tests' pipeline has, to what a periodic deployment can give and take."""
    return {
        "inputs_mapping": [source(version, name, constant_value=value) for name, value in CONSTANTS.items()],
        "outputs_mapping": [destination(version, "risk", is_null=True)],
    }


async def schedule(sdk: Sdk, version: Version, pipeline: str, name: str = "nightly", **changes: Any) -> Document:
    """Create a periodic deployment."""
    options = {"schedule": MONDAYS, **full_mapping(version), **changes}
    created: Document = await sdk.create_deployment(pipeline, name, "periodic", **options)
    return created


def by_name(version: Version, kind: str, mapping: list[Document]) -> dict[str, Document]:
    """Return the entries of a mapping by what they map; `kind` is input or output."""
    return {each[f"{version.mapped_prefix}{kind}_name"]: each for each in mapping}
