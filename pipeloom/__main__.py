"""The command line: `pipeloom`, or `python -m pipeloom`."""

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; an interruption ends it quietly, also while it is still being loaded."""
    try:
        from pipeloom.cli.main import app

        app(prog_name="pipeloom")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
