"""Send alerts by a channel: a desktop notification (desktop-notifier), terminals' bells, or the user's command.

No text from outside becomes part of a command: it is run without a shell, and reads the alert on stdin.
"""

from __future__ import annotations

import importlib.util
import os
import stat

from ullage.base.errors import MissingExtraError, UllageError, needs_extra
from ullage.base.values import format_time
from ullage.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ullage.alerts import Alert
    from ullage.config.wishes import Wishes
    from ullage.quota.schemas import AlertDocument

_PATIENCE_SECONDS = 15
_BELL = b"\a"
_EXTRA = ("notify", "desktop-notifier")


class ChannelError(UllageError):
    """A channel did not deliver an alert; the message says what to do."""


def explain_missing(channel: str, wishes: Wishes) -> str | None:
    """Return why a channel cannot be used here; None for a usable one."""
    if channel == "desktop" and importlib.util.find_spec("desktop_notifier") is None:
        return needs_extra(*_EXTRA)
    if channel == "command" and not wishes.command:
        return "needs a command in config.toml: alerts.command"
    return None


def send_alert(channel: str, alert: Alert, wishes: Wishes, environ: Mapping[str, str]) -> None:
    """Send an alert by one channel; raise ChannelError, or MissingExtraError, when that fails."""
    if channel == "desktop":
        notify_desktop(alert)
    elif channel == "bell":
        ring_bells()
    else:
        run_command(wishes.command, alert, environ)


def describe_alert(alert: Alert) -> AlertDocument:
    """Return the document of an alert that the user's command reads on stdin."""
    from ullage.quota.schemas import AlertDocument, AlertWindowDocument

    window = None
    if alert.window_id is not None:
        window = AlertWindowDocument(
            id=alert.window_id,
            label=alert.label,
            used_percent=alert.used_percent,
            resets_at=format_time(alert.resets_at) if alert.resets_at else None,
        )
    return AlertDocument(
        schema=1,
        kind=alert.kind,
        title=alert.title,
        message=alert.message,
        at=format_time(alert.at),
        threshold=alert.threshold,
        window=window,
    )


def run_command(command: tuple[str, ...], alert: Alert, environ: Mapping[str, str]) -> None:
    """Run the user's command with the alert as JSON on stdin; raise ChannelError when it fails or takes too long."""
    # Few name a command.
    from ullage.quota import schemas

    given = schemas.encode_line(describe_alert(alert)) + b"\n"
    try:
        done = programs.run_named(command, environ, seconds=_PATIENCE_SECONDS, given=given)
    except programs.NotRunError as error:
        raise ChannelError(f"{error}. alerts.command in config.toml names it.") from error
    if done.status != 0:
        raise ChannelError(f"{programs.explain_end(command, done)}.")


def ring_bells(directory: str = "/dev/pts" if os.path.isdir("/dev/pts") else "/dev") -> None:
    """Ring the bell of every terminal that the user owns; raise ChannelError where there is none.

    A refresh in the background has no terminal, so all are rung: the user is looking at one of them.
    """
    rung = 0
    for name in sorted(os.listdir(directory)) if hasattr(os, "geteuid") else []:
        if name.isdigit() or name.startswith("ttys"):
            rung += _ring(os.path.join(directory, name))
    if not rung:
        raise ChannelError("There is no terminal of yours to ring.")


def _ring(path: str) -> bool:
    try:
        status = os.stat(path)
        if not stat.S_ISCHR(status.st_mode) or status.st_uid != os.geteuid():
            return False
        # Non-blocking: a terminal stopped by ^S must not block this process.
        descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return os.isatty(descriptor) and os.write(descriptor, _BELL) == 1
    except OSError:
        return False
    finally:
        os.close(descriptor)


def notify_desktop(alert: Alert) -> None:
    """Show a notification on the desktop; raise MissingExtraError without the extra, ChannelError when it fails."""
    import asyncio
    import logging

    try:
        from desktop_notifier import DesktopNotifier, Urgency
    except ImportError as error:
        raise MissingExtraError("The desktop", *_EXTRA) from error
    failures: list[str] = []

    class Failures(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            cause = record.exc_info[1] if record.exc_info else None
            failures.append(f"{type(cause).__name__}: {cause}" if cause else record.getMessage())

    async def show() -> None:
        urgency = Urgency.Critical if (alert.threshold or 0) >= 100 else Urgency.Normal
        notifier = DesktopNotifier(app_name="ullage", app_icon=None)
        # Desktops read a message as markup.
        message = alert.message.replace("&", "+").replace("<", "‹").replace(">", "›")
        await notifier.send(title=alert.title, message=message, urgency=urgency)

    # The library logs failures instead of raising them: collect its log.
    logger, handler = logging.getLogger("desktop_notifier"), Failures(logging.WARNING)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        asyncio.run(asyncio.wait_for(show(), _PATIENCE_SECONDS))
    except TimeoutError as error:
        raise ChannelError(f"The desktop did not take the notification in {_PATIENCE_SECONDS} s.") from error
    finally:
        logger.removeHandler(handler)
    if failures:
        raise ChannelError(f"The desktop took no notification: {failures[0]}. Is a notification service running?")
