"""Find the transcripts: every *.jsonl below the projects of every configuration directory.

Links are followed, each folder and each file once; what cannot be read is counted, never fatal.
"""

from __future__ import annotations

import os
import stat

from ullage.base.record import Record
from ullage.system.places import find_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    # Device, inode, size, mtime and ctime in nanoseconds.
    Status = tuple[int, int, int, int, int]

_SUFFIX = ".jsonl"
THIS_MACHINE = "this machine"


class Root(Record):
    """A folder of transcripts by project, and the name of the machine that wrote them."""

    directory: str
    machine: str = THIS_MACHINE


class Transcript(Record):
    """A file as the walk found it: `root` is its root's number, `project` the name of its folder below that root."""

    path: str
    root: int
    project: str
    status: Status


class TranscriptList(Record):
    """The transcripts that a walk found, by path; `skipped` counts files and folders that it left out, by kind."""

    roots: tuple[Root, ...]
    transcripts: tuple[Transcript, ...]
    skipped: dict[str, int]


def list_config_directories(environ: Mapping[str, str], profiles: Iterable[str | None]) -> list[str]:
    """Return this machine's configuration directories: the defaults, those in the environment, those of `profiles`.

    `CLAUDE_CONFIG_DIR` may name several, with commas between.
    """
    home = find_home(environ)
    xdg = environ.get("XDG_CONFIG_HOME", "")
    named = [os.path.expanduser(part.strip()) for part in environ.get("CLAUDE_CONFIG_DIR", "").split(",")]
    default = [os.path.join(home, ".claude"), os.path.join(xdg if os.path.isabs(xdg) else f"{home}/.config", "claude")]
    return list(dict.fromkeys(filter(os.path.isabs, [*default, *named, *(one for one in profiles if one)])))


def choose_root(directory: str, machine: str = THIS_MACHINE) -> Root:
    """Return the root of a configuration directory: its `projects`, or the directory itself where it has none."""
    projects = os.path.join(directory, "projects")
    return Root(directory=projects if os.path.isdir(projects) else directory, machine=machine)


def list_transcripts(roots: Iterable[Root]) -> TranscriptList:
    """Return the transcripts below all roots; `Transcript.root` is the root's index."""
    walk = _Walk()
    roots = tuple(roots)
    found = [transcript for number, root in enumerate(roots) for transcript in walk.below(number, root.directory)]
    found.sort(key=lambda transcript: transcript.path)
    return TranscriptList(roots=roots, transcripts=tuple(found), skipped=walk.skipped)


class _Walk:
    """A walk over roots that remembers the folders and files it has visited, so that none is counted twice."""

    def __init__(self) -> None:
        self.skipped: dict[str, int] = {}
        self._folders: set[tuple[int, int]] = set()
        self._files: set[tuple[int, int]] = set()

    def below(self, root: int, top: str) -> Iterator[Transcript]:
        """Yield the transcripts below a root's directory `top`; none where that does not exist."""
        if not os.path.lexists(top):
            return
        waiting = [(top, "")]
        while waiting:
            folder, project = waiting.pop()
            for entry in self._entries(folder):
                try:
                    status = entry.stat()
                except OSError:
                    if entry.name.endswith(_SUFFIX) or not entry.is_symlink():
                        self._skip("unreadable_files")
                    continue
                if entry.name.endswith(_SUFFIX) and self._is_new_file(status):
                    yield Transcript(path=entry.path, root=root, project=project, status=read_status(status))
                elif stat.S_ISDIR(status.st_mode):
                    waiting.append((entry.path, project or entry.name))

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in self._folders:
                self._skip("folders_seen_before")
                return []
            self._folders.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                return list(entries)
        except OSError:
            self._skip("unreadable_folders")
            return []

    def _is_new_file(self, status: os.stat_result) -> bool:
        if not stat.S_ISREG(status.st_mode):
            self._skip("not_files")
            return False
        identity = (status.st_dev, status.st_ino)
        if identity in self._files:
            self._skip("files_seen_before")
            return False
        self._files.add(identity)
        return True

    def _skip(self, kind: str) -> None:
        self.skipped[kind] = self.skipped.get(kind, 0) + 1


def read_status(status: os.stat_result) -> Status:
    """Return the fields that identify a file and show whether it changed."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
