"""`ullage doctor`."""

from __future__ import annotations

import json
import math
import os
from datetime import UTC, datetime, timedelta

import click

from ullage import doctor
from ullage.cli import options
from ullage.quota import exits
from ullage.render import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--measure", is_flag=True, help="Time a prompt, too, in every shell that is here; takes some seconds.")
@options.add_profile_option
def command(as_json: bool, measure: bool) -> int:
    """Look at what is installed, set up, read and due here, and say what is wrong with it.

    Starts each shell that is set up, as you do, to see whether its prompt shows the segment. Changes nothing and asks
    nobody. What it prints holds no secret, no e-mail address and no account id, so that it can be pasted into an issue.
    Exits with 0 when all is well, 2 when an environment, a config.toml, a dotfile or a file's mode is wrong, 5 when the
    cache or the history cannot be used; otherwise as `ullage usage` does for what is known.
    """
    now = datetime.now(UTC)
    found = doctor.examine(os.environ, now, measured=measure)
    status = choose_code(found, now)
    if as_json:
        click.echo(json.dumps({**found.document, "exit_code": status}, indent=1))
    else:
        click.echo("\n".join(_lines(found.document)))
        click.echo("\nAll is well." if status == 0 else _advice(found))
    return status


def choose_code(found: doctor.Examination, now: datetime) -> int:
    """Return the exit code of the first finding; without findings, that of the contract for the reading."""
    if found.findings:
        return found.findings[0].exit_code
    return exits.choose_exit_code(found.reading, found.schedule.problem, found.thresholds, now)


def _advice(found: doctor.Examination) -> str:
    if found.findings:
        return "\n".join(f"\n! {finding['message']}" for finding in found.document["findings"])
    if found.reading is None:
        return "\n! Nothing is known yet. `ullage refresh --force` asks now, and says what stands in the way."
    return "\n! What is known is too old to show. `ullage refresh --force` asks now, and says what stands in the way."


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"ullage {document['ullage']}, Python {document['python']}, {document['system']}"
    yield ""
    for host in document["hosts"]:
        yield f"{host['name']:9} {_host(host)}"
    yield ""
    timed = [f"{name} {taken} ms" for name, taken in document["prompt_milliseconds"].items() if taken is not None]
    if timed:
        yield f"a prompt  {', '.join(timed)}"
    yield f"cache     {_directory(document['cache'])}{_trust(document['cache'])}"
    yield f"state     {_directory(document['state'])}"
    if document["state"] is not None:
        yield f"history   {_history(document['state']['history'])}"
    yield f"reading   {_reading(document['reading'])}"
    for source in document["sources"]:
        yield f"source    {_source(source)}"
    if document["sign_in"]:
        yield f"sign-in   {_sign_in(document['sign_in'])}"
    yield f"refresh   {_refresh(document['refresh'])}"
    problem = document["refresh"]["problem"]
    if problem:
        yield f"problem   {problem['code']}: {problem['message']}"
    for sent in document["metrics"]:
        yield f"metrics   {_sent(sent)}"
    if document["push"] is not None:
        yield f"push      {_sent({'way': 'to other machines', **document['push']})}"
    yield f"config    {_config(document['config'])}"
    yield f"variables {', '.join(document['variables']) or 'none'}"


def _host(host: dict[str, Any]) -> str:
    if host["program"] is None and host["set_up"] == "none":
        return "not installed"
    version = host["version"] or ("of unknown version" if host["program"] else "not installed")
    how = {
        "none": f"not set up: `ullage setup {host['name']}`",
        "block": f"set up in {host['file']} (line {host['line']})",
        "edited": f"set up in {host['file']} (line {host['line']}, edited)",
        "by hand": f"set up by hand in {host['file']} (line {host['line']})",
        "damaged": f"the block in {host['file']} is damaged",
    }[host["set_up"]]
    taken = f", {_duration(host['hook_microseconds'])} a prompt" if host.get("hook_microseconds") is not None else ""
    shown = {True: ", seen", False: ", not seen", None: ""}[_seen(host)]
    old = "" if host["enough"] is not False else f", too old: {host['minimum']} is the least"
    return f"{version:9} {how}{shown}{taken}{old}"


def _seen(host: dict[str, Any]) -> bool | None:
    starts = [seen for seen in (host["seen"], host["seen_at_login"]) if seen is not None]
    return all(starts) if starts else None


def _duration(microseconds: float) -> str:
    return f"{microseconds:.0f} µs" if microseconds < 1000 else f"{microseconds / 1000:.1f} ms"


def _directory(found: dict[str, Any] | None) -> str:
    if found is None:
        return "nowhere"
    return f"{found['directory']}, {_standing(found)}"


def _trust(found: dict[str, Any] | None) -> str:
    return "; trusted to be read (ULLAGE_TRUSTED_CACHE), so no refresh is started" if found and found["trusted"] else ""


def _standing(found: dict[str, Any]) -> str:
    if not found["exists"]:
        return "not there yet"
    owner = {True: "yours", False: "another user's", None: "of unknown owner"}[found["yours"]]
    return f"{owner}, mode {found['mode'] or 'unknown'}"


def _history(found: dict[str, Any]) -> str:
    aside = f"; damaged and set aside: {', '.join(found['damaged'])}" if found["damaged"] else ""
    if not found["exists"]:
        return f"not there yet{aside}"
    size = "of unknown size" if found["bytes"] is None else f"{math.ceil(found['bytes'] / 1024)} KiB"
    samples = "cannot be read" if found["samples"] is None else f"{found['samples']} samples"
    return f"{os.path.basename(found['file'])}, {_standing(found)}, {size}, {samples}{aside}"


def _reading(reading: dict[str, Any] | None) -> str:
    if reading is None:
        return "none"
    age = words.format_ago(timedelta(seconds=reading["age_seconds"]))
    return f"from {reading['source']}, {age}, {reading['state']}, {reading['windows']} windows"


def _source(source: dict[str, Any]) -> str:
    chosen = "in force" if source["in_force"] else "not in force"
    last = "no answer yet"
    if source["age_seconds"] is not None:
        last = f"last answer {words.format_ago(timedelta(seconds=source['age_seconds']))}"
    obstacle = f"; {source['obstacle']}" if source["obstacle"] else ""
    return f"{source['name']}, {chosen}, {last}, costs {source['cost']}{obstacle}"


def _sign_in(found: dict[str, Any]) -> str:
    tier, ends = found["plan_tier"] or "tier not told", found["expires_at"]
    return f"{tier}, {f'ends at {ends}' if ends else 'end not told'}, as told at {found['looked_at']}"


def _refresh(refresh: dict[str, Any]) -> str:
    attempt = f"last attempt {refresh['attempted_at'] or 'never'}"
    count = refresh["failures"]
    failures = f", {count} failure{'s in a row' if count > 1 else ''}" if count else ""
    due = "due now" if refresh["due"] else f"next at {refresh['next_at']}"
    held = f", held until {refresh['held_until']}" if refresh["held_until"] else ""
    running = refresh["running"]
    now = f"; process {running['process']} is asking since {running['since']}" if running else ""
    return f"{due}, {attempt}{failures}{held}{now}{', and has been stopped' if running and running['stopped'] else ''}"


def _sent(sent: dict[str, Any]) -> str:
    last = f"last sent at {sent['succeeded_at']}" if sent["succeeded_at"] else "never sent yet"
    problem = f"; {sent['problem']}" if sent["problem"] else ""
    return f"{sent['way']}, {last}{problem}"


def _config(config: dict[str, Any]) -> str:
    if config["path"] is None:
        return f"nowhere; source {config['source']}"
    if not config["exists"]:
        return f"{config['path']}, not there: the defaults are in force; source {config['source']}"
    lines = config["wrong_lines"]
    if lines == [0]:
        return f"{config['path']}, cannot be read; source {config['source']}"
    state = f"mistakes on line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}" if lines else "fine"
    return f"{config['path']}, {state}; source {config['source']}"
