"""Interactive shells with a configuration of their own, and timelines for their prompts to show."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from tests.support.terminal import Terminal
from tests.support.tools import need
from ullage.base.record import Record
from ullage.config.palette import Colouring
from ullage.quota import timeline
from ullage.quota.timeline import TIMELINES
from ullage.render.surfaces import Span, paint
from ullage.store.cache import ProfileCache
from ullage.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Text = str | Sequence[str | tuple[str, str]]

COLOURS = {"normal": "green", "warning": "brown", "critical": "bold red"}


class Shell(Record):
    """How a shell is started, told to show the segment and given a prompt."""

    name: str
    load: str
    prompt: str
    two_lines: str
    vi: str
    export: str
    status: str
    # Another version's, where that is not the one that the machine has.
    program: str = ""

    @property
    def version(self) -> str:
        """Tell two versions of a shell apart, in the names of tests."""
        return self.program or self.name

    def init(self, *options: str) -> str:
        """Return the line of a dotfile."""
        return self.load.format(" ".join([self.name, *options]))

    def start(
        self,
        environ: Mapping[str, str],
        configuration: Sequence[str],
        *,
        program: str = "",
        options: Sequence[str] = (),
        rows: int = 24,
        columns: int = 80,
    ) -> Terminal:
        """Start an interactive shell that reads this configuration and no other."""
        home, program = environ["HOME"], program or need(self.version)
        if self.name == "bash":
            path = f"{home}/.configuration"
            command = [program, "--noprofile", "--rcfile", path, *options, "-i"]
        elif self.name == "zsh":
            path = f"{home}/.zshrc"
            command = [program, "--no-globalrcs", *options]
        else:
            path = f"{home}/.config/fish/config.fish"
            command = [program, *options]
            configuration = ["set -g fish_greeting", *configuration]
            # Where this is missing, fish starts to make completions for all that is installed.
            os.makedirs(f"{home}/.local/share/fish/generated_completions", exist_ok=True)
            os.makedirs(os.path.dirname(path), exist_ok=True)
        # Another shell may be reading it.
        write_atomically(path, "\n".join([*configuration, ""]).encode())
        return Terminal(command, environ, rows=rows, columns=columns)


BASH = Shell(
    name="bash",
    load='eval "$(ullage init {})"',
    prompt="PS1='$ '",
    two_lines=r"PS1='top line\n$ '",
    vi="set -o vi",
    export="export {}={}",
    status='echo "[$?:${PIPESTATUS[*]}]"',
)
ZSH = Shell(
    name="zsh",
    load='eval "$(ullage init {})"',
    prompt="PROMPT='$ '",
    two_lines="PROMPT=$'top line\\n$ '",
    vi="bindkey -v",
    export="export {}={}",
    status='echo "[$?:$pipestatus[*]]"',
)
FISH = Shell(
    name="fish",
    load="ullage init {} | source",
    prompt="function fish_prompt; echo -n '$ '; end",
    two_lines=r"function fish_prompt; printf 'top line\n$ '; end",
    vi="fish_vi_key_bindings",
    export="set -gx {} {}",
    status='echo "[$status:$pipestatus]"',
)
# Debian 12 has 3.6; .ci/install-packages has this one from Debian 13.
FISH_4 = FISH.replace(program="fish-4")
SHELLS = (BASH, ZSH, FISH, FISH_4)


def publish(
    environ: Mapping[str, str],
    text: Text,
    *,
    then: Sequence[tuple[int, Text]] = (),
    due_in: int = 3600,
    now: int | None = None,
) -> None:
    """Put a text into every surface's timeline, from a minute ago on, and others from so many seconds from now on."""
    now = int(time.time()) if now is None else now
    cache = ProfileCache(environ)
    cache.make_private()
    for surface in TIMELINES:
        frames = [
            timeline.Frame(starts_at=now + start, level="normal", text=_painted(each, surface))
            for start, each in ((-60, text), *then)
        ]
        data = timeline.encode(frames, written=now - 60, refresh_after=now + due_in, checkpoint=now, clock=None)
        cache.save_timeline(surface, data, now)


@contextlib.contextmanager
def a_refresh_under_way(environ: Mapping[str, str]) -> Iterator[None]:
    """Have another refresh run, so that one which a shell starts changes nothing of what is shown."""
    cache = ProfileCache(environ)
    cache.make_private()
    with cache.lock() as held:
        assert held
        yield


def _painted(text: Text, surface: str) -> str:
    pieces = [text] if isinstance(text, str) else text
    spans = [Span(text=piece) if isinstance(piece, str) else Span(text=piece[0], level=piece[1]) for piece in pieces]  # type: ignore[arg-type]
    return paint(spans, surface, Colouring().in_terminal())
