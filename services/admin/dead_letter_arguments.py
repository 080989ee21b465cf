"""What can be typed after `pipeloom admin dead-letters`."""

import argparse
from typing import TypeAlias

from services.admin import dead_letters
from services.kit.dead_letters import LetterId

DESCRIPTION = """\
Records on the commands topic that were no commands. Each environment sees its own with `pipeloom dead-letters`;
those that name no environment, or none that there is, are the operator's:

  pipeloom admin dead-letters list
  pipeloom admin dead-letters show --id 3-1042
  pipeloom admin dead-letters discard --id 3-1042

A letter to an environment that is created later belongs to it from then on, and can be replayed there.
"""
STATUSES = ("open", "replayed", "discarded", "all")

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_dead_letters(commands: Commands) -> None:
    """Add the commands about dead letters."""
    text = "list, show or discard the dead letters of nobody, or of one environment"
    letters = commands.add_parser(
        "dead-letters", help=text, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    inner = letters.add_subparsers(required=True, metavar="COMMAND", title="commands")
    text = "list dead letters, the newest first"
    listed = inner.add_parser("list", help=text, epilog="example: pipeloom admin dead-letters list --status all")
    listed.add_argument("--environment", metavar="ID", help="those of this environment, instead of those of nobody")
    listed.add_argument("--status", choices=STATUSES, default="open", help="which ones (default: %(default)s)")
    listed.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (default: %(default)s)")
    listed.set_defaults(run=dead_letters.list_dead_letters)
    shown = inner.add_parser("show", help="show one with the bytes of its record")
    shown.set_defaults(run=dead_letters.show_dead_letter)
    discarded = inner.add_parser("discard", help="settle one that is worth nothing; it is kept, and no longer open")
    discarded.set_defaults(run=dead_letters.discard_dead_letter)
    for each in (shown, discarded):
        each.add_argument("--id", required=True, type=_letter_id, metavar="ID", help="its id, from list, as in 3-1042")


def _letter_id(text: str) -> LetterId:
    try:
        return LetterId.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
