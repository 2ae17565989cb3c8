"""The entry point: what runs at every prompt is dispatched before anything heavy is imported."""

from __future__ import annotations

import os
import sys

# These end soon: their imports and rows make no circles that are worth a millisecond of looking for.
_WITHOUT_COLLECTION = ("statusline", "hook", "tokens")
# These write their bytes to the descriptor at once, whatever becomes of them, or nothing.
_WITHOUT_STREAMS = ("prompt", "statusline")


def main() -> int:
    """Run the command line and return the exit code; ^C at a prompt is no reason for a traceback."""
    try:
        return _dispatch()
    except KeyboardInterrupt:
        return 130
    except MemoryError:
        return _give_up("This process may have no more memory, so it stopped. `ulimit -v` shows a limit.")
    except EOFError:
        # Python's own, of a compiled module.
        below = os.path.dirname(os.path.abspath(__file__))
        return _give_up(f"A full disk has cut a file of it short. Remove the directories __pycache__ below {below}.")


def _give_up(why: str) -> int:
    """Say in one line why nothing can be done; a hook that is to fail closed blocks by its exit code."""
    print(f"ullage: {why}", file=sys.stderr)
    return 2 if sys.argv[1:2] == ["hook"] and "--fail-closed" in sys.argv else 5


def _dispatch() -> int:
    arguments = sys.argv[1:]
    status: int | None = None
    if arguments[:1] and arguments[0] in _WITHOUT_COLLECTION:
        import gc

        gc.disable()
    if arguments[:1] == ["prompt"]:
        from ullage import prompt

        status = prompt.run(arguments[1:], os.environ)
    elif arguments[:1] == ["statusline"]:
        from ullage.claude_code import statusline

        status = statusline.run(arguments[1:], os.environ)
    elif arguments[:1] == ["hook"]:
        from ullage.claude_code import hook

        status = hook.run(arguments[1:], os.environ)
    elif arguments[:1] == ["tee"]:
        from ullage.claude_code import tee

        status = tee.run(arguments[1:], os.environ)
    elif arguments == ["refresh", "--detach"]:
        from ullage import prompt

        status = prompt.start_refresh_if_due(os.environ)
    elif arguments[:1] == ["init"]:
        from ullage.setup import init

        status = init.run(arguments[1:])
    if status is None:
        _secure_streams()
        from ullage.cli import run

        status = run(arguments)
    return status


def run() -> int:
    """Be the program: `main`, then leave; what ran without click has nothing to tidy up, which takes Python 1.5 ms."""
    is_quick = sys.argv[1:] == ["refresh", "--detach"] or (sys.argv[1:] and sys.argv[1] in _WITHOUT_STREAMS)
    if not is_quick or None in (sys.stdin, sys.stdout, sys.stderr):
        _secure_streams()
    if sys.platform == "win32":
        # What HOME is elsewhere; Git Bash sets HOME as well.
        os.environ.setdefault("HOME", os.environ.get("USERPROFILE", ""))
    _forget_locale_of_python()
    status = main()
    if "click" not in sys.modules:
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except OSError:
                # The reader has had enough.
                continue
        os._exit(status)
    return status


def _secure_streams() -> None:
    from ullage.system import streams

    streams.secure()


def run_tray() -> int:
    """Be `ullage tray` as a program without a console, which on Windows would stay open beside the icon."""
    sys.argv.insert(1, "tray")
    return run()


def _forget_locale_of_python() -> None:
    """Remove the locale that Python names where there is none (PEP 538): of the terminal it says nothing.

    Python's UTF-8 mode tells it from one that was set; it does not where that was asked for, or always on (PEP 686).
    """
    is_telling = sys.version_info < (3, 15) and not os.environ.get("PYTHONUTF8")
    if is_telling and sys.flags.utf8_mode and os.environ.get("LC_CTYPE") in ("C.UTF-8", "C.utf8", "UTF-8"):
        del os.environ["LC_CTYPE"]


if __name__ == "__main__":
    sys.exit(run())
