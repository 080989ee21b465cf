"""Becomes another program, as another user if asked, that does not outlive the process which started it.

Run as a script with the interpreter's isolated mode: it must import the standard library only.
Arguments: the signal for the parent's death, the parent's pid, `uid:gid` or `-`, then the command.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def _become(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, signal_number: int) -> None:
    """Have the kernel send this process the signal when its parent dies."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:  # it died before the kernel was told
        sys.exit(1)


def main(signal_number: str, parent: str, identity: str, *command: str) -> None:
    """Drop privileges, tie this process to its parent, and become the command."""
    if identity != "-":
        _become(*map(int, identity.split(":")))
    die_with(int(parent), int(signal_number))
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as trouble:
        sys.exit(f"cannot run {command[0]}: {trouble.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
