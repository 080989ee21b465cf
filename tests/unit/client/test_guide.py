"""Both clients have the same functions, and the guide tells them and the errors."""

import inspect
import re
from typing import Any

import pytest

import pipeloom
from pipeloom import AsyncClient, Client, PipeloomError
from pipeloom.client import errors, writes
from tests.unit.docs.markdown import page, table_rows

GUIDE = page("docs/guides/client.md")


def functions_of(kind: type) -> dict[str, inspect.Signature]:
    public = {name: each for name, each in vars(kind).items() if not name.startswith("_")}
    return {name: inspect.signature(each) for name, each in public.items() if name not in {"close", "aclose"}}


def parameters(signature: inspect.Signature) -> list[str]:
    return [str(parameter) for parameter in signature.parameters.values() if parameter.name != "self"]


def test_both_clients_have_the_same_functions() -> None:
    asynchronous = {name: parameters(each) for name, each in functions_of(AsyncClient).items()}
    assert asynchronous == {name: parameters(each) for name, each in functions_of(Client).items()}


def test_every_write_of_the_client_can_be_submitted_with_the_same_arguments() -> None:
    for name, method in functions_of(Client).items():
        if "idempotency_key" in method.parameters:
            sent = parameters(inspect.signature(getattr(writes, name)))
            assert sent == [each for each in parameters(method) if not each.startswith(("wait:", "timeout_s:"))], name


def test_the_guide_tells_every_function() -> None:
    told = {name for row in table_rows(GUIDE.section("The functions")) for name in re.findall(r"`(\w+)\(", row[0])}
    assert told == set(functions_of(Client))


def test_the_guide_tells_every_kind_of_error() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, PipeloomError)]
    told = {row[0].strip("`") for row in table_rows(GUIDE.section("Errors"))}
    assert told == {kind.__name__ for kind in kinds} - {"PipeloomError"}


@pytest.mark.parametrize("name", pipeloom.__all__)
def test_what_is_public_is_there(name: str) -> None:
    found: Any = getattr(pipeloom, name)
    assert found.__doc__
