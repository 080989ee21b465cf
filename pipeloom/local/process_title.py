"""The command line that `ps` shows for a forked process: without this it is that of the process it was forked from."""

import ctypes
import os
import sys
from pathlib import Path

# Of the fields of /proc/self/stat that follow the name in brackets; see proc(5).
_ARGUMENTS_BEGIN, _ARGUMENTS_END = 45, 46


def set_title(*arguments: str) -> None:
    """Show this process as a Python with these arguments; nothing happens where /proc does not tell how."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return
    begin, end = int(fields[_ARGUMENTS_BEGIN]), int(fields[_ARGUMENTS_END])
    room = end - begin
    if room > 0:
        ctypes.memmove(begin, fitting(arguments, room), room)


def fitting(arguments: tuple[str, ...], room: int) -> bytes:
    """Return exactly `room` bytes: the longest form that fits, or else the shortest one, cut off."""
    forms = [os.fsencode("\0".join((program, *arguments)) + "\0") for program in (sys.executable, "python", "")]
    title = next((form for form in forms if len(form) <= room), os.fsencode("\0".join(arguments)))
    return title[: room - 1].ljust(room, b"\0")
