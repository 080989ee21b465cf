"""What can be typed after `pipeloom verify` and `pipeloom rebuild`."""

import argparse

VERIFY = """\
Replay the event log and compare what comes out with the projection, as of one moment, while the system runs.

Also checked: histories have no gaps, heads are their ends, each command has one result and one inbox row that points
at it, and cursors stand behind what was decided. Nothing is written. Needs PIPELOOM_POSTGRES__DSN, and room in
Postgres for a temporary copy of the projection.
"""
VERIFY_EPILOG = """\
Example: pipeloom verify --environment team-a --output json
exit codes: 0 equal, 1 there are differences (each is named, up to 1,000), 2 it could not be checked
"""
REBUILD = """\
Build the projection anew from the event log beside the live one, then swap it in, while the system runs.

A rebuild that was killed goes on where it was when it is started again. Needs PIPELOOM_POSTGRES__DSN, a user that owns
the tables and may create a schema (`pipeloom_rebuild`), and room for a second projection.
"""
REBUILD_EPILOG = """\
Example: pipeloom rebuild --dry-run
exit codes: 0 done, 1 refused (nothing was changed), 2 wrong usage, or Postgres cannot be used (nothing was swapped)
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it read has `what` to do."""
    program = argparse.ArgumentParser(prog="pipeloom")
    commands = program.add_subparsers(dest="what", required=True, metavar="COMMAND")
    raw = argparse.RawDescriptionHelpFormatter
    checks = commands.add_parser("verify", description=VERIFY, epilog=VERIFY_EPILOG, formatter_class=raw)
    checks.add_argument("--environment", metavar="ID", help="this environment only (default: all)")
    builds = commands.add_parser("rebuild", description=REBUILD, epilog=REBUILD_EPILOG, formatter_class=raw)
    builds.add_argument(
        "--dry-run", action="store_true", help="tell what would change, swap nothing and leave nothing behind"
    )
    builds.add_argument("--restart", action="store_true", help="begin anew instead of going on with an interrupted one")
    for command in (checks, builds):
        command.add_argument("--output", choices=("text", "json"), default="text", help="default: %(default)s")
    return program
