"""A real tmux on a socket of its own, seen through a client in a terminal emulator."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pyte
import pytest

from tests.support.contrast import READABLE, contrast
from tests.support.tools import PATIENCES, REPOSITORY, need, run, still_hangs, ullage, wait_until
from ullage.config.palette import LEVELS, Colouring
from ullage.prompt import tmux
from ullage.quota import timeline
from ullage.quota.timeline import Frame
from ullage.render.surfaces import Span, paint
from ullage.setup import hosts
from ullage.store.cache import ProfileCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ullage.quota.timeline import Level
    from ullage.simulate import Simulator

COLUMNS = 160
HOSTILE = "A,b}#{pid} #S #(touch pwned) $(touch pwned) `touch pwned` %H #[fg=blue]#,;"


class Tmux:
    """A server with its own directory for sockets; `screen` is what its client shows."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self.screen = pyte.Screen(COLUMNS, 6)
        self._stream = pyte.ByteStream(self.screen)
        self._client: pexpect.spawn[bytes] | None = None

    def __call__(self, *arguments: str) -> str:
        done = run([need("tmux"), "-L", "test", *arguments], self.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout.removesuffix("\n")

    def start(self, *lines: str) -> None:
        """Start the server with the user's own configuration and more lines, and attach the client."""
        config = Path(self.environ["HOME"]) / "test.conf"
        config.write_text("\n".join(["set -g status-interval 1", *lines, "source-file -q ~/.tmux.conf", ""]))
        self("-f", str(config), "new-session", "-d", "-x", str(COLUMNS), "-y", "6", "cat")
        self._client = pexpect.spawn(need("tmux"), ["-L", "test", "attach"], env=self.environ, dimensions=(6, COLUMNS))

    def status(self) -> str:
        """Return the status line as it is now on the client's screen."""
        assert self._client is not None
        with contextlib.suppress(pexpect.TIMEOUT):
            while True:
                self._stream.feed(self._client.read_nonblocking(65536, timeout=0.05))
        return self.screen.display[-1]

    def shows(self, text: str) -> None:
        wait_until(lambda: text in self.status(), what=f"{text!r} in the status line {self.status()!r}")

    def colour_of(self, text: str) -> str:
        start = self.status().index(text)
        return str(self.screen.buffer[5][start].fg)

    def stop(self) -> None:
        if self._client is not None:
            self._client.close(force=True)
        run([need("tmux"), "-L", "test", "kill-server"], self.environ)


@pytest.fixture
def server(
    environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Tmux]:
    """A tmux that is not started yet; refreshes of `environ` find it once it is."""
    monkeypatch.setattr(tmux, "_SECONDS", 60)
    # A socket's path is at most some hundred bytes long, which a test's own directory is too deep for.
    environ["TMUX_TMPDIR"] = str(tmp_path_factory.mktemp("t"))
    started = Tmux(environ)
    try:
        yield started
    finally:
        started.stop()


def write_timeline(environ: Mapping[str, str], *texts: str, refresh_after: int | None = None) -> None:
    """Put a timeline in the cache: one text for now, the others for later hours."""
    cache, now = ProfileCache(environ), int(time.time())
    cache.make_private()
    frames = [Frame(starts_at=now - 60 + 3600 * hour, level="normal", text=text) for hour, text in enumerate(texts)]
    due = now + 1800 if refresh_after is None else refresh_after
    cache.save_timeline("tmux", timeline.encode(frames, written=now, refresh_after=due, checkpoint=0, clock=None), None)


@pytest.mark.parametrize("options", [[], ["--without-process"]])
def test_setup_shows_the_segment_once_in_its_colour_with_all_else(
    environ: dict[str, str], server: Tmux, simulate: Callable[..., Simulator], options: list[str]
) -> None:
    simulate("over-limit")
    assert ullage("refresh", environ=environ).returncode == 0
    assert ullage("setup", "tmux", "--yes", *options, environ=environ).returncode == 0
    server.environ.update(environ)
    server.start("set -g status-right 'a clock that is as long as the one that tmux has at first'")
    server.shows("5h 100%×")
    assert "a clock that is as long as the one that tmux has at first 5h" in server.status()
    assert server.colour_of("100%×") == "000000"
    server("source-file", str(Path(environ["HOME"]) / ".tmux.conf"))
    assert server("show-option", "-gv", "status-right").count("#(ullage-prompt tmux)") == 1
    assert server("show-option", "-gv", "status-right-length") == "100"


# tmux as it comes, and how two themes paint the place of a segment: a pill on a bar, and a block of a strong colour.
STYLES = {
    "as it comes": ("", "{}"),
    "catppuccin": ("set -g status-style 'bg=#1e1e2e,fg=#cdd6f4'", "#[bg=#313244,fg=#cdd6f4] {} tail"),
    "dracula": ("set -g status-style 'bg=#44475a,fg=#f8f8f2'", "#[fg=#282a36,bg=#50fa7b] {} tail"),
}
# The colours that a terminal has of its own, as xterm paints them.
NAMED = {"green": "00cd00", "black": "000000", "default": "000000"}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("style", STYLES)
def test_every_level_can_be_read_on_the_bar(environ: dict[str, str], server: Tmux, style: str, level: Level) -> None:
    write_timeline(environ, paint([Span(text="fable "), Span(text="81%", level=level)], "tmux", Colouring().in_tmux()))
    setting, place = STYLES[style]
    server.environ.update({**environ, "COLORTERM": "truecolor"})
    server.start(f"{setting}\nset -g status-right '{place.format('#(ullage-prompt tmux)')}'")
    server.shows("fable 81%")
    start = server.status().index("fable")
    cells = [server.screen.buffer[5][start + column] for column in range(len("fable 81%"))]
    for cell in cells:
        ink, ground = (f"#{NAMED.get(colour, colour)}" for colour in (cell.fg, cell.bg))
        assert contrast(ink, ground) >= READABLE, (cell, ink, ground)
    # What stands behind it in the theme's own colours keeps them.
    if "tail" in place:
        first, last = cells[0], server.screen.buffer[5][server.status().index("tail")]
        assert (last.fg, last.bg, last.bold) == (first.fg, first.bg, first.bold)


def test_setup_leaves_a_longer_status_line_alone(environ: dict[str, str], server: Tmux) -> None:
    ullage("setup", "tmux", "--yes", environ=environ)
    server.start("set -g status-right-length 150")
    assert server("show-option", "-gv", "status-right-length") == "150"


def test_hostile_names_are_shown_not_run(
    environ: dict[str, str], server: Tmux, simulate: Callable[..., Simulator], tmp_path: Path
) -> None:
    simulate("hostile-names")
    Path(environ["ULLAGE_CONFIG"]).write_text('[segment]\ntemplate = "{top.label} {top}"\n')
    ullage("refresh", environ=environ)
    ullage("setup", "tmux", "--yes", environ=environ)
    server.environ.update(environ)
    server.start()
    server.shows("A$(touch pwned)`touch pwned`%n%F")
    assert not list(tmp_path.rglob("pwned"))


TEXTS = pytest.mark.parametrize("text", ["plain", HOSTILE, "-x", "ends in ;", "##[fg=blue]", "é▰▱×", ""])


def write_painted(environ: Mapping[str, str], text: str) -> None:
    write_timeline(environ, paint([Span(text=text, level="critical")], "tmux", Colouring().in_tmux()))


@TEXTS
def test_what_ullage_prompt_prints_is_shown_to_the_letter(
    environ: dict[str, str], server: Tmux, tmp_path: Path, text: str
) -> None:
    write_painted(environ, text)
    server.start(f"set -g status-right '<{hosts.TMUX_PULL}>'", "set -g status-right-length 120")
    server.shows(f"<{text}>")
    assert not text or server.colour_of(text) == "000000"
    assert not list(tmp_path.rglob("pwned"))


@TEXTS
def test_what_a_refresh_has_set_is_shown_to_the_letter_and_starts_no_process(
    environ: dict[str, str], server: Tmux, tmp_path: Path, text: str
) -> None:
    # Without ullage-prompt in PATH nothing else could show it.
    server.environ["PATH"] = os.path.dirname(need("tmux"))
    server.start(f"set -g status-right '<{hosts.TMUX_PUSH}>'", "set -g status-right-length 120")
    server.shows("<>")
    write_painted(environ, text)
    tmux.push(environ, ProfileCache(environ).read_timeline("tmux"), int(time.time()))
    server.shows(f"<{text}>")
    assert not text or server.colour_of(text) == "000000"
    assert not list(tmp_path.rglob("pwned"))


def test_what_does_not_hold_any_more_gives_way_to_ullage_prompt(environ: dict[str, str], server: Tmux) -> None:
    # There from the start: a prompt that found no timeline would have a refresh write one.
    write_timeline(environ, "before", "later")
    server.start(f"set -g status-right '<{hosts.TMUX_PUSH}>'")
    now = int(time.time())
    tmux.push(environ, ProfileCache(environ).read_timeline("tmux"), now)
    write_timeline(environ, "after")
    server.shows("<before>")
    server("set-option", "-g", "@ullage_until", str(now))
    server.shows("<after>")
    # A clock that was set back makes what is set a thing of the future.
    server("set-option", "-g", "@ullage_until", str(now + 3600))
    server.shows("<before>")
    server("set-option", "-g", "@ullage_from", str(now + 1800))
    server.shows("<after>")


@pytest.mark.parametrize("push", [True, False])
def test_a_refresh_sets_it_where_that_is_wanted(
    environ: dict[str, str], server: Tmux, simulate: Callable[..., Simulator], push: bool
) -> None:
    simulate("over-limit")
    Path(environ["ULLAGE_CONFIG"]).write_text(f"[tmux]\npush = {str(push).lower()}\n")
    server.environ.update(environ)
    server.start()
    assert ullage("refresh", environ=environ).returncode == 0
    data = ProfileCache(environ).read_timeline("tmux")
    header = timeline.read_header(data)
    assert header is not None
    pushed = tmux.find_pushed(data, header.written)
    assert pushed is not None
    assert "100%×" in pushed.text
    shown = [server("show-option", "-gqv", name) for name in ("@ullage", "@ullage_from", "@ullage_until")]
    assert shown == ([pushed.text, str(pushed.start), str(pushed.until)] if push else ["", "", ""])


def test_a_server_of_another_profile_is_left_alone(environ: dict[str, str], server: Tmux) -> None:
    server.start()
    environ["CLAUDE_CONFIG_DIR"] = "/somewhere/else"
    write_timeline(environ, "not yours")
    tmux.push(environ, ProfileCache(environ).read_timeline("tmux"), int(time.time()))
    assert server("show-option", "-gqv", "@ullage") == ""


def test_a_server_that_does_not_answer_does_not_keep_the_others_from_it(
    environ: dict[str, str], server: Tmux, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    write_timeline(environ, "text")
    monkeypatch.chdir(Path(environ["TMUX_TMPDIR"]) / f"tmux-{os.geteuid()}")
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind("a-deaf-one")
        deaf.listen()
        assert "a-deaf-one" in tmux.list_sockets(environ)[0]
        for seconds in PATIENCES:
            monkeypatch.setattr(tmux, "_SECONDS", seconds)
            tmux.push(environ, ProfileCache(environ).read_timeline("tmux"), int(time.time()))
            if server("show-option", "-gqv", "@ullage") == "text":
                break
    assert server("show-option", "-gqv", "@ullage") == "text"


def test_no_server_is_started(environ: dict[str, str], server: Tmux) -> None:
    write_timeline(environ, "text")
    tmux.push({**environ, "PATH": os.environ["PATH"]}, ProfileCache(environ).read_timeline("tmux"), int(time.time()))
    assert os.listdir(environ["TMUX_TMPDIR"]) == []
    server.start()
    server("kill-server")
    wait_until(lambda: not run([need("tmux"), "-L", "test", "ls"], environ).stdout, what="the server's end")
    tmux.push(environ, ProfileCache(environ).read_timeline("tmux"), int(time.time()))
    assert run([need("tmux"), "-L", "test", "ls"], environ).returncode != 0


def test_the_status_line_goes_on_while_a_refresh_hangs(
    environ: dict[str, str], server: Tmux, simulate: Callable[..., Simulator]
) -> None:
    hanging = simulate("silent")
    began = time.monotonic()
    write_timeline(environ, "before", refresh_after=0)
    server.environ.update(environ)
    server.start("set -g status-right '<#(ullage-prompt tmux)>'")
    server.shows("<before>")
    wait_until(lambda: hanging.requests == 1, what="the refresh's request")
    write_timeline(environ, "after")
    server.shows("<after>")
    assert still_hangs(environ, began)


@pytest.mark.parametrize("reload", [False, True])
def test_the_plugin_puts_the_segment_where_it_is_asked_for(environ: dict[str, str], server: Tmux, reload: bool) -> None:
    write_timeline(environ, "#[fg=red]42%#[default]")
    plugin = f"run-shell '{REPOSITORY / 'ullage.tmux'}'"
    server.start("set -g status-left '<#{ullage}>'", "set -g status-right '[#{ullage}] [#{ullage}];'", plugin)
    if reload:
        server("run-shell", str(REPOSITORY / "ullage.tmux"))
    server.shows("[42%] [42%];")
    server.shows("<42%>")
    assert server.colour_of("42%") == "red"
    assert server("show-option", "-gv", "status-right") == f"[{hosts.TMUX_PUSH}] [{hosts.TMUX_PUSH}];"


def test_the_plugin_changes_nothing_that_was_not_asked_for(environ: dict[str, str], server: Tmux) -> None:
    server.start("set -g status-right 'mine '")
    before = server("show-options", "-g")
    server("run-shell", str(REPOSITORY / "ullage.tmux"))
    assert server("show-options", "-g") == before
