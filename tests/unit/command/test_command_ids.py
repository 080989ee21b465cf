"""What a request's command is known by."""

from uuid import UUID

import pytest

from events.refusals import Code, Refused
from services.command.submit import command_id_of
from services.kit.tokens import Identity

from .conftest import MakeRequest

ADA = Identity("ada", "lab")


def test_the_same_key_gives_the_same_command_id(make_request: MakeRequest) -> None:
    once, again = make_request({"Idempotency-Key": "k"}), make_request({"Idempotency-Key": "k"}, b"another body")
    assert command_id_of(once, ADA) == command_id_of(again, ADA)


@pytest.mark.parametrize(
    ("asker", "key"),
    [(Identity("bob", "lab"), "k"), (Identity("ada", "shop"), "k"), (ADA, "l"), (ADA, "K"), (ADA, "k ")],
)
def test_another_key_user_or_environment_gives_another_command_id(
    make_request: MakeRequest, asker: Identity, key: str
) -> None:
    asked = command_id_of(make_request({"Idempotency-Key": "k"}), ADA)
    assert command_id_of(make_request({"Idempotency-Key": key}), asker) != asked


def test_the_parts_of_an_identity_do_not_run_into_each_other(make_request: MakeRequest) -> None:
    request = make_request({"Idempotency-Key": "k"})
    assert command_id_of(request, Identity("b", "a-c")) != command_id_of(request, Identity("c-b", "a"))


def test_a_derived_command_id_never_changes(make_request: MakeRequest) -> None:
    # Clients repeat requests across our releases.
    assert command_id_of(make_request({"Idempotency-Key": "k"}), ADA) == UUID("e6d49abd-53de-595c-a599-27e6a069faa8")


def test_without_a_key_every_request_is_another_command(make_request: MakeRequest) -> None:
    ids = [command_id_of(make_request(), ADA) for _ in range(100)]
    assert len(set(ids)) == 100
    assert {each.version for each in ids} == {7}


def test_a_key_that_cannot_be_used_is_refused(make_request: MakeRequest) -> None:
    with pytest.raises(Refused) as caught:
        command_id_of(make_request({"Idempotency-Key": ""}), ADA)
    assert caught.value.code is Code.INVALID_HEADER
