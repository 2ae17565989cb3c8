"""What Windows does in its own way: programs without a window, ended with their children; files that hinder no other.

Imported there alone.
"""

from __future__ import annotations

import os
import sys
import time

assert sys.platform == "win32"

import _winapi  # noqa: E402  # the rest is of that system alone
import msvcrt  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    import subprocess

# For every program that we start: a console that nobody sees (CREATE_NO_WINDOW), in which its children run as well, and
# no ^C that was meant for us (CREATE_NEW_PROCESS_GROUP). With DETACHED_PROCESS a child of its own would get a console,
# with a window: python.exe of a virtual environment has one.
HIDDEN = 0x08000000 | 0x00000200

# How long a file may be held by another program.
PATIENCE_SECONDS = 0.5
_STEP_SECONDS = 0.01
# ERROR_ACCESS_DENIED and ERROR_SHARING_VIOLATION: another program holds the file, or it is being replaced.
_HELD = (5, 32)
_READ, _SHARED, _OPEN_EXISTING, _NORMAL = 0x80000000, 1 | 2 | 4, 3, 0x80
_QUERY_LIMITED, _STILL_ACTIVE = 0x1000, 259
_JOB_EXTENDED_LIMITS, _JOB_ENDS_WITH_ITS_HANDLE = 9, 0x2000
# JOBOBJECT_EXTENDED_LIMIT_INFORMATION, and where its flags stand.
_LIMITS_BYTES, _FLAGS_AT = 144, 16

_FOLDERS = r"Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders"


def open_shared(path: str) -> int:
    """Open a file for reading, so that others may replace or remove it meanwhile; return a descriptor."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            handle = _winapi.CreateFile(path, _READ, _SHARED, 0, _OPEN_EXISTING, _NORMAL, 0)
            break
        except PermissionError as error:
            if error.winerror not in _HELD or os.path.isdir(path) or time.monotonic() >= deadline:
                raise
            time.sleep(_STEP_SECONDS)
    try:
        return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY)
    except OSError:
        _winapi.CloseHandle(handle)
        raise


def replace(source: str, target: str) -> None:
    """Replace a file, which is refused while another program holds it open: then again for half a second."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            os.replace(source, target)
        except PermissionError as error:
            if error.winerror not in _HELD or time.monotonic() >= deadline:
                raise
            time.sleep(_STEP_SECONDS)
        else:
            return


def is_running(process: int) -> bool:
    """Say whether a process runs. `os.kill(process, 0)` would send it a ^C."""
    try:
        handle = _winapi.OpenProcess(_QUERY_LIMITED, False, process)
    except OSError as error:
        return isinstance(error, PermissionError)
    try:
        return _winapi.GetExitCodeProcess(handle) == _STILL_ACTIVE
    finally:
        _winapi.CloseHandle(handle)


# The job of each program that was started, by its process id: all that it starts is in there.
_jobs: dict[int, int] = {}


def hold_tree(process: subprocess.Popen[bytes]) -> None:
    """Put a process that has just begun into a job, so that `end_tree` ends its children too, and our own end does."""
    import ctypes

    kernel = _kernel()
    job = kernel.CreateJobObjectW(None, None)
    if not job:
        return
    limits = bytearray(_LIMITS_BYTES)
    limits[_FLAGS_AT : _FLAGS_AT + 4] = _JOB_ENDS_WITH_ITS_HANDLE.to_bytes(4, "little")
    given = (ctypes.c_char * _LIMITS_BYTES).from_buffer(limits)
    kernel.SetInformationJobObject(job, _JOB_EXTENDED_LIMITS, given, _LIMITS_BYTES)
    if kernel.AssignProcessToJobObject(job, int(process._handle)):  # type: ignore[attr-defined]  # the only one there is
        _jobs[process.pid] = job
    else:
        _winapi.CloseHandle(job)


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process with whatever it has started; that it has ended already is no fault."""
    job = _jobs.pop(process.pid, 0)
    if job:
        _kernel().TerminateJobObject(job, 1)
        _winapi.CloseHandle(job)
    else:
        process.kill()


def _kernel() -> ctypes.WinDLL:
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32")
    kernel.CreateJobObjectW.restype = wintypes.HANDLE
    kernel.SetInformationJobObject.argtypes = (wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD)
    kernel.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
    kernel.TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
    return kernel


def find_documents() -> str | None:
    """Return the directory of the user's documents, which may lie anywhere; None where Windows does not say."""
    import winreg

    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _FOLDERS) as key:
            found, _ = winreg.QueryValueEx(key, "Personal")
    except OSError:
        return None
    path = os.path.expandvars(found) if isinstance(found, str) else ""
    return path if os.path.isabs(path) else None
