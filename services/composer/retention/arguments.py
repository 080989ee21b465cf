"""What can be typed after `pipeloom prune`."""

import argparse

DESCRIPTION = """\
Take commands and events out of Postgres that are older than they are kept, while the system runs.

What goes is decided longer ago than PIPELOOM_RETENTION__KEEP_DAYS says (or --keep-days), published, and told to every
webhook. The state that it has left stays, so `pipeloom verify` and `pipeloom rebuild` work as before. What is gone is
the past: histories, lists of commands and the feed begin later then, and say so; and a command that is repeated after
that is a new one.

Composers do the same by themselves when PIPELOOM_RETENTION__KEEP_DAYS is set. Needs PIPELOOM_POSTGRES__DSN and
PIPELOOM_KAFKA__BOOTSTRAP_SERVERS, and that composers are not behind: what waits may repeat what is old.
"""
EPILOG = """\
Example: pipeloom prune --keep-days 90 --dry-run
exit codes: 0 done, 1 refused (what went before stays gone, and nothing is half gone), 2 wrong usage, or Postgres or
Kafka cannot be used
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser."""
    program = argparse.ArgumentParser(
        prog="pipeloom prune",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    program.add_argument(
        "--keep-days", type=float, metavar="N", help="keep so many days, 14 or more (default: the setting)"
    )
    program.add_argument("--dry-run", action="store_true", help="tell what would go, and change nothing")
    program.add_argument("--output", choices=("text", "json"), default="text", help="default: %(default)s")
    return program
