"""Run a program as root of a user namespace in which another user's directory is mounted read-only.

Takes the directory, where it is mounted, the user's number outside (1000 inside), and the program with its arguments.
The parent, root outside, writes the maps: no program that could do so is everywhere.
"""

from __future__ import annotations

import ctypes
import os
import sys

_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVELY, _PRIVATE = 1, 32, 4096, 0x4000, 0x40000


def main() -> int:
    directory, place, user, *program = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    has_moved, is_mapped = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        _check(libc.unshare(_NEW_USER | _NEW_MOUNTS))
        os.write(has_moved[1], b"x")
        os.read(is_mapped[0], 1)
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        at = os.fsencode(place)
        _check(libc.mount(None, b"/", None, _RECURSIVELY | _PRIVATE, None))
        _check(libc.mount(os.fsencode(directory), at, None, _BIND, None))
        _check(libc.mount(None, at, None, _BIND | _REMOUNT | _READ_ONLY, None))
        os.execvp(program[0], program)
    os.read(has_moved[0], 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w", encoding="ascii") as file:
            file.write(f"0 0 1\n1000 {user} 1\n")
    os.write(is_mapped[1], b"x")
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    sys.exit(main())
