"""What can be typed after `pipeloom admin`, and the help that teaches it."""

import argparse
from typing import TypeAlias
from uuid import UUID

from services.admin import actions
from services.admin.commands_topic import accept_commands_topic
from services.admin.dead_letter_arguments import add_dead_letters
from services.admin.sessions import Run

DESCRIPTION = """\
Environments, users, SDK tokens, the signing key, the dead letters of nobody, and a commands topic that was lost.

A client works in one environment, with an SDK token that belongs to a user. The first of each:

  pipeloom admin bootstrap --environment demo --user ada

prints `sdk_token`, this once: give it to the client as PIPELOOM_SDK_TOKEN (or CRAFT_AI_SDK_TOKEN).

All but rotate-signing-key work on the Postgres that PIPELOOM_POSTGRES__DSN names, after `pipeloom init`;
accept-commands-topic asks Kafka too.
"""
EPILOG = """\
Each command prints JSON. `pipeloom admin COMMAND --help` has an example.
exit codes: 0 done, 1 refused, 2 wrong usage, 3 Postgres cannot be reached
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it read has the action as `run`."""
    program = argparse.ArgumentParser(
        prog="pipeloom admin",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = program.add_subparsers(required=True, metavar="COMMAND", title="commands")
    _creations(commands)
    _lists(commands)
    _ends(commands)
    _repairs(commands)
    add_dead_letters(commands)
    return program


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _creations(commands: Commands) -> None:
    text = "environment, user and SDK token in one go; what exists is kept, the token is new"
    bootstrap = _command(commands, "bootstrap", actions.bootstrap, text, "--environment demo --user ada")
    _environment(bootstrap)
    _user(bootstrap)
    text = "create an environment; harmless when it exists"
    _environment(
        _command(commands, "create-environment", actions.create_environment, text, "--environment team-a"),
        "its id: 1 to 63 of a-z, 0-9 and inner hyphens",
    )
    text = "create a user; harmless when it exists (`created` tells)"
    user = _command(commands, "create-user", actions.create_user, text, "--user ada --email ada@example.org")
    _user(user)
    user.add_argument("--email", help="where to reach the user; others in the same environment see it")
    text = "create an SDK token; it is shown this once, and stored as a hash"
    token = _command(commands, "create-token", actions.create_token, text, "--environment team-a --user ada")
    _environment(token)
    _user(token)


def _lists(commands: Commands) -> None:
    _command(commands, "list-environments", actions.list_environments, "list the environments")
    _command(commands, "list-users", actions.list_users, "list the users")
    text = "list an environment's tokens, without the secrets"
    _environment(_command(commands, "list-tokens", actions.list_tokens, text, "--environment team-a"))


def _ends(commands: Commands) -> None:
    text = "end an SDK token; the access tokens that it was exchanged for end within 15 minutes"
    example = "--token-id 01a20c47-3365-7617-87ab-7e6ad9a77d54"
    revoke = _command(commands, "revoke-token", actions.revoke_token, text, example)
    revoke.add_argument("--token-id", required=True, type=UUID, help="its id, from list-tokens")
    text = (
        "put a new signing key first, in the file that PIPELOOM_AUTH__SIGNING_KEY_FILE names; the HTTP processes take "
        "it within a second, and the one before it stays accepted"
    )
    rotate = _command(commands, "rotate-signing-key", actions.rotate, text, "--drop-previous")
    rotate.add_argument(
        "--drop-previous", action="store_true", help="accept no key but the new one: every access token ends at once"
    )


def _repairs(commands: Commands) -> None:
    text = (
        "go on with a commands topic that was made anew or has lost commands; refused while every cursor has its place "
        "in it (the drill is in docs/guides/operations.md, 'The commands topic was lost')"
    )
    accept = _command(commands, "accept-commands-topic", accept_commands_topic, text, "--dry-run")
    accept.add_argument("--dry-run", action="store_true", help="tell what would be moved, and change nothing")


def _command(commands: Commands, name: str, run: Run, text: str, example: str = "") -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=f"example: pipeloom admin {name} {example}".rstrip(),
    )
    command.set_defaults(run=run)
    return command


def _environment(command: argparse.ArgumentParser, text: str = "the environment's id") -> None:
    command.add_argument("--environment", required=True, metavar="ID", help=text)


def _user(command: argparse.ArgumentParser) -> None:
    command.add_argument("--user", required=True, metavar="NAME", help="the user's name")
