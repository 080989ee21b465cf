"""Dead letters of nobody, as an operator sees them."""

import asyncpg
import pytest

from services.kit.settings import Settings

from .test_admin import Admin, answer, run, sentence

LETTERS = """
INSERT INTO dead_letter (partition, log_offset, environment, code, message, record_value, record_headers, received_at)
VALUES (0, 1, NULL, 'missing_attribute', 'whose', 'raw', '[["ce_type", "x"], ["ce_source", "a\\u0000b"]]',
        '2026-01-31T12:00:00Z'),
    (1, 2, 'nowhere', 'unknown_environment', 'which', 'raw', '[]', '2026-01-31T12:00:01Z'),
    (2, 3, 'lab', 'invalid_json', 'what', 'raw', '[]', '2026-01-31T12:00:02Z')
"""


@pytest.fixture
def dsn(installation: Settings) -> str:
    return installation.postgres.dsn.get_secret_value()


@pytest.fixture
async def admin(dsn: str) -> Admin:
    """Run an admin command on an installation with an environment and three letters, of which one is its own."""
    await answer(run(dsn, "create-environment", "--environment", "lab"))
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(LETTERS)
    finally:
        await connection.close()
    return lambda *arguments: run(dsn, "dead-letters", *arguments)


async def test_letters_of_no_environment_are_listed_shown_and_discarded(admin: Admin) -> None:
    listed = await answer(admin("list"))
    shown = await answer(admin("show", "--id", "0-1"))
    discarded = await answer(admin("discard", "--id", "0-1"))
    assert [each["id"] for each in listed] == ["1-2", "0-1"]
    assert (shown["value"]["text"], shown["headers"]) == (
        "raw",
        [
            {"name": "ce_type", "value": "x"},
            {"name": "ce_source", "value": "a\0b"},
        ],
    )
    assert (discarded["status"], discarded["settled_by"]) == ("discarded", "pipeloom admin")
    assert [each["id"] for each in await answer(admin("list"))] == ["1-2"]
    assert [each["id"] for each in await answer(admin("list", "--status", "discarded"))] == ["0-1"]


async def test_an_environments_letters_are_listed_when_it_is_named(admin: Admin) -> None:
    assert [each["id"] for each in await answer(admin("list", "--environment", "lab"))] == ["2-3"]


async def test_the_letters_of_an_environment_that_there_is_not_are_refused(admin: Admin) -> None:
    assert "There is no environment 'zzz'; list-environments" in await sentence(admin("list", "--environment", "zzz"))


async def test_a_listed_letter_tells_whose_it_is_as_far_as_that_can_be_read(admin: Admin) -> None:
    listed = await answer(admin("list"))
    assert [(each["source"], each["type"]) for each in listed] == [(None, None), (None, "x")]


async def test_a_letter_that_is_not_there_is_a_sentence(admin: Admin) -> None:
    assert "There is no dead letter 9-9" in await sentence(admin("show", "--id", "9-9"))
