"""A real sshd on the loopback, whose sessions have an environment of the test's own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bench.monitoring import free_port
from tests.support.tools import need, run, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def running(directory: Path, environ: Mapping[str, str], more: str = "", *, forced: str = "") -> Iterator[Path]:
    """Run a server with `more` lines of configuration; yield the directory of an `ssh` that reaches it by any name.

    `forced` is the command that the key in authorized_keys may run, and no other; empty: it may run all.
    """
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") or need("sshd")
    port = free_port()
    for key in ("host", "client"):
        run([need("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(directory / key)], environ)
    options = f'restrict,command="{forced}" ' if forced else ""
    (directory / "authorized").write_text(options + (directory / "client.pub").read_text())
    settings = " ".join(f"{name}={value}" for name, value in environ.items() if name not in ("TERM", "USER"))
    (directory / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {directory}/host\nAuthorizedKeysFile {directory}/authorized\n"
        "StrictModes no\nUsePAM no\nPermitRootLogin yes\nPidFile none\nPermitUserRC no\nPrintMotd no\nPrintLastLog no\n"
        f"SetEnv {settings}\n{more}\n"
    )
    (directory / "ssh_config").write_text(
        f"Host *\nHostName 127.0.0.1\nPort {port}\nUser {getpass.getuser()}\nIdentityFile {directory}/client\n"
        f"StrictHostKeyChecking no\nUserKnownHostsFile {directory}/known\nLogLevel ERROR\n"
    )
    (directory / "bin").mkdir()
    ssh = directory / "bin" / "ssh"
    # ssh looks for its own files where the user really lives.
    ssh.write_text(f'#!/bin/sh\nexec {need("ssh")} -F {directory}/ssh_config "$@"\n')
    ssh.chmod(0o755)
    if os.geteuid() == 0:
        # Debian's service makes it at its start; another test may need it at the same time.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    server = subprocess.Popen([sshd, "-D", "-e", "-f", directory / "sshd_config"], stderr=subprocess.PIPE)
    try:
        wait_until(lambda: _answers(port) or server.poll() is not None, what="the server")
        yield directory / "bin"
    finally:
        server.terminate()
        server.communicate()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
