"""The admin commands, run as an operator runs them."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from pipeloom.local.ports import HOST, pick_port
from services.kit.settings import Settings
from services.kit.tokens import hash_secret
from tests.support.servers import Servers

Ended = subprocess.CompletedProcess[str]
Admin = Callable[..., Awaitable[Ended]]

KEPT_VARIABLES = ("PATH", "HOME", "LANG")


async def run(dsn: str, *arguments: str) -> Ended:
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "error", "-m", "services.admin", *arguments],
        env={**environment, "PIPELOOM_POSTGRES__DSN": dsn},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def dsn(installation: Settings) -> str:
    return installation.postgres.dsn.get_secret_value()


@pytest.fixture
def admin(dsn: str) -> Admin:
    """Run an admin command on the installation."""
    return lambda *arguments: run(dsn, *arguments)


async def answer(ended: Awaitable[Ended]) -> Any:
    """Return what a command that succeeded printed, and nothing beside it."""
    done = await ended
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


async def sentence(ended: Awaitable[Ended], code: int = 1) -> str:
    """Return the one sentence of a command that failed."""
    done = await ended
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("pipeloom admin: ")
    return line.removeprefix("pipeloom admin: ")


async def stored(dsn: str, sql: str, *given: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(sql, *given))
    finally:
        await connection.close()


async def test_bootstrap_makes_all_that_a_first_client_needs(admin: Admin, dsn: str) -> None:
    made = await answer(admin("bootstrap", "--environment", "lab", "--user", "ada"))
    assert set(made) == {"token_id", "environment", "user", "sdk_token"}
    assert (made["environment"], made["user"]) == ("lab", "ada")
    (row,) = await stored(dsn, "SELECT * FROM sdk_token JOIN app_user ON app_user.id = user_id")
    assert (row["environment"], row["name"], row["token_hash"]) == ("lab", "ada", hash_secret(made["sdk_token"]))


async def test_bootstrap_again_gives_another_token_to_the_same_user(admin: Admin, dsn: str) -> None:
    first = await answer(admin("bootstrap", "--environment", "lab", "--user", "ada"))
    again = await answer(admin("bootstrap", "--environment", "lab", "--user", "ada"))
    assert first["sdk_token"] != again["sdk_token"]
    counts = await stored(
        dsn,
        "SELECT (SELECT count(*) FROM environment), (SELECT count(*) FROM app_user), (SELECT count(*) FROM sdk_token)",
    )
    assert tuple(counts[0]) == (1, 1, 2)


async def test_environments_are_created_once_and_listed_in_order(admin: Admin) -> None:
    for environment in ("shop", "lab"):
        made = await answer(admin("create-environment", "--environment", environment))
        assert made == {"environment": environment, "created": True}
    again = await answer(admin("create-environment", "--environment", "lab"))
    assert again == {"environment": "lab", "created": False}
    listed = await answer(admin("list-environments"))
    assert [each["id"] for each in listed] == ["lab", "shop"]
    assert all(datetime.fromisoformat(each["created_at"]).tzinfo for each in listed)


async def test_a_user_keeps_its_id(admin: Admin, dsn: str) -> None:
    made = await answer(admin("create-user", "--user", "Ünï", "--email", "u@example.org"))
    assert made == {"user": "Ünï", "user_id": str(UUID(made["user_id"])), "created": True}
    for email in ([], ["--email", "u@example.org"]):
        assert await answer(admin("create-user", "--user", "Ünï", *email)) == {**made, "created": False}
    told = await sentence(admin("create-user", "--user", "Ünï", "--email", "other@example.org"))
    assert told == "There is a user 'Ünï' already, with the e-mail address u@example.org; nothing was changed."
    (row,) = await stored(dsn, "SELECT name, email FROM app_user")
    assert tuple(row) == ("Ünï", "u@example.org")


@pytest.mark.parametrize("email", ["", "ada", "@example.org", "ada@", "a b@example.org", "a@b@c", "a@" + "b" * 253])
async def test_what_is_no_email_address_is_refused(admin: Admin, email: str) -> None:
    told = await sentence(admin("create-user", "--user", "ada", f"--email={email}"))
    assert told == f"{email!r} is no e-mail address; write it as in ada@example.org."
    assert await answer(admin("list-users")) == []


async def test_users_are_listed_in_order(admin: Admin) -> None:
    await answer(admin("create-user", "--user", "bob"))
    await answer(admin("create-user", "--user", "ada", "--email", "ada@example.org"))
    listed = await answer(admin("list-users"))
    assert [(each["name"], each["email"]) for each in listed] == [("ada", "ada@example.org"), ("bob", None)]
    assert set(listed[0]) == {"id", "name", "email", "created_at"}


async def test_moments_are_told_as_rfc_3339(admin: Admin) -> None:
    await answer(admin("create-environment", "--environment", "lab"))
    (listed,) = await answer(admin("list-environments"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", listed["created_at"])


async def test_the_tokens_of_an_environment_that_is_not_there_are_not_an_empty_list(admin: Admin) -> None:
    told = await sentence(admin("list-tokens", "--environment", "nowhere"))
    assert told == "There is no environment 'nowhere'; list-environments tells which there are."


async def test_a_token_is_shown_once_listed_without_its_secret_and_revoked_once(admin: Admin) -> None:
    # Given
    await answer(admin("create-environment", "--environment", "lab"))
    await answer(admin("create-user", "--user", "ada"))
    made = await answer(admin("create-token", "--environment", "lab", "--user", "ada"))
    # When
    listed = await admin("list-tokens", "--environment", "lab")
    # Then
    assert made["sdk_token"] not in listed.stdout
    assert hash_secret(made["sdk_token"]).hex() not in listed.stdout
    (token,) = json.loads(listed.stdout)
    assert (token["id"], token["user_name"], token["revoked_at"]) == (made["token_id"], "ada", None)
    # When
    revoked = await answer(admin("revoke-token", "--token-id", made["token_id"]))
    # Then
    assert revoked == {"token_id": made["token_id"], "revoked": True}
    (token,) = await answer(admin("list-tokens", "--environment", "lab"))
    assert token["revoked_at"] is not None
    assert await sentence(admin("revoke-token", "--token-id", made["token_id"])) == (
        f"There is no token {made['token_id']} that could be revoked."
    )


@pytest.mark.parametrize("environment", ["", "Lab", "a_b", "-a", "a" * 64, "a b"])
async def test_an_environment_that_cannot_be_named_so_is_refused(admin: Admin, environment: str) -> None:
    told = await sentence(admin("create-environment", f"--environment={environment}"))
    assert told == f"'{environment}' cannot be an environment id: use 1 to 63 of a-z, 0-9 and inner hyphens."


@pytest.mark.parametrize("user", ["", " ", "a\nb"])
async def test_a_user_that_nobody_could_tell_apart_is_refused(admin: Admin, user: str) -> None:
    assert "user" in await sentence(admin("create-user", f"--user={user}"))


async def test_an_argument_that_is_no_text_is_not_told_as_postgres_fault(admin: Admin) -> None:
    not_utf_8 = os.fsdecode(b"--user=a\xff")
    assert "Postgres cannot be used" not in await sentence(admin("create-user", not_utf_8))


async def test_a_token_needs_an_environment_and_a_user(admin: Admin) -> None:
    await answer(admin("create-environment", "--environment", "lab"))
    told = await sentence(admin("create-token", "--environment", "lab", "--user", "nobody"))
    assert told == "There is no user 'nobody'; create it first."
    await answer(admin("create-user", "--user", "ada"))
    told = await sentence(admin("create-token", "--environment", "nowhere", "--user", "ada"))
    assert told == "There is no environment 'nowhere'; create it first."


async def test_a_token_that_is_not_there_cannot_be_revoked(admin: Admin) -> None:
    token_id = str(uuid4())
    told = await sentence(admin("revoke-token", "--token-id", token_id))
    assert told == f"There is no token {token_id} that could be revoked."


@pytest.mark.parametrize(
    "arguments",
    [[], ["nothing"], ["bootstrap"], ["bootstrap", "--user", "ada"], ["revoke-token", "--token-id", "17"]],
    ids=" ".join,
)
async def test_a_command_that_cannot_be_read_tells_how_to_write_it(arguments: list[str]) -> None:
    done = await run("postgresql://unused", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: pipeloom admin")


async def test_a_database_without_a_schema_is_told_with_the_remedy(servers: Servers) -> None:
    told = await sentence(run(await servers.new_database(), "list-environments"))
    assert told == "the database has no schema yet; run `pipeloom init` first."


async def test_a_postgres_that_is_away_is_told_with_the_setting_that_names_it() -> None:
    told = await sentence(run(f"postgresql://ada:s3cret@{HOST}:{pick_port()}/lab", "list-environments"), code=3)
    assert told.startswith("Postgres cannot be used (PIPELOOM_POSTGRES__DSN): ")
    assert "s3cret" not in told


@pytest.mark.parametrize(("dsn", "code"), [("nonsense", 1), ("http://example.org", 1), ("", 3)])
async def test_a_dsn_that_is_none_is_told_with_the_setting_that_names_it(dsn: str, code: int) -> None:
    told = await sentence(run(dsn, "list-environments"), code)
    assert "PIPELOOM_POSTGRES__DSN" in told


async def test_settings_that_cannot_be_used_are_told(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.admin", "list-environments"],
        env={**os.environ, "PIPELOOM_POSTGRES__DSN": dsn, "PIPELOOM_POSTGRES__POOL_SIZE": "none"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("pipeloom admin: the settings cannot be used: ")
    assert "Traceback" not in done.stderr
