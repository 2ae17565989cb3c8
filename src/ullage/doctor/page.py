"""What `ullage doctor` shows: what is wrong first, then the rest in groups, each line with a mark. Pure."""

from __future__ import annotations

import math
import os
from datetime import timedelta

from ullage.base.values import parse_time
from ullage.render import words
from ullage.render.facts import Fact
from ullage.render.surfaces import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from typing import Any

    from ullage.render.facts import Mark

    Line = list[Span]

_SET_UP = {
    "block": "set up in {file} (line {line})",
    "edited": "set up in {file} (line {line}, edited)",
    "by hand": "set up by hand in {file} (line {line})",
    "damaged": "the block in {file} is damaged",
}


def lay_out(document: dict[str, Any], wrong: Sequence[str], now: datetime, width: int) -> Iterator[Line]:
    """Yield the lines of an examination's document; `wrong` are sentences about what is wrong, the gravest first."""
    yield [
        Span(text=f"ullage {document['ullage']}", style="bold"),
        Span(text=f"  Python {document['python']}, {document['system']}", level="faint"),
    ]
    yield []
    groups = (
        ("Where it is shown", _hosts(document)),
        ("What is known", _known(document, now)),
        ("Sources", _sources(document)),
        ("Files", _files(document)),
    )
    if not wrong and any(fact.mark == "✗" for _, facts in groups for fact in facts):
        yield [Span(text="All is well here; what is marked ✗ below is not.")]
    elif not wrong:
        yield [Span(text="✓ ", level="normal"), Span(text="All is well.")]
    for sentence in wrong:
        yield from Fact(mark="✗", name="", text=sentence).lay_out(width)
    names = max(len(fact.name) for _, facts in groups for fact in facts)
    for heading, facts in groups:
        yield []
        yield [Span(text=heading, style="bold")]
        for fact in facts:
            yield from fact.lay_out(width, names + 2)


def _hosts(document: dict[str, Any]) -> list[Fact]:
    facts = [_host(host) for host in document["hosts"]]
    if document["system"].startswith("Windows"):
        # That most of them are not there is no news on it.
        facts = [fact for fact in facts if fact.text != "not installed"]
    # Hosts that show the segment come first, then those that could, then those that are not installed.
    facts.sort(key=lambda fact: ("✗✓·".index(fact.mark), fact.text == "not installed"))
    timed = [f"{name} {taken} ms" for name, taken in document["prompt_milliseconds"].items() if taken is not None]
    return [*facts, *([Fact(mark="·", name="a prompt", text=f"takes {', '.join(timed)}")] if timed else [])]


def _host(host: dict[str, Any]) -> Fact:
    how, name = host["set_up"], host["name"]
    if how == "none":
        text = f"{host['version'] or ''}, not set up: `ullage setup {name}`".removeprefix(", ")
        return Fact(mark="·", name=name, text=text if host["program"] else "not installed")
    starts = [seen for seen in (host["seen"], host["seen_at_login"]) if seen is not None]
    parts = [
        host["version"] or ("of unknown version" if host["program"] else "not installed"),
        _SET_UP[how].format(file=host["file"], line=host["line"]),
        ("seen" if all(starts) else "not seen") if starts else "",
        f"{_duration(host['hook_microseconds'])} a prompt" if host.get("hook_microseconds") is not None else "",
        f"too old: {host['minimum']} is the least" if host["enough"] is False else "",
    ]
    fails = how == "damaged" or not all(starts) or host["enough"] is False
    return Fact(mark="✗" if fails else "✓", name=name, text=", ".join(filter(None, parts)))


def _duration(microseconds: float) -> str:
    return f"{microseconds:.0f} µs" if microseconds < 1000 else f"{microseconds / 1000:.1f} ms"


def _known(document: dict[str, Any], now: datetime) -> list[Fact]:
    facts = [_reading(document["reading"]), _refresh(document["refresh"], now)]
    if document["sign_in"]:
        facts.append(_sign_in(document["sign_in"], now))
    facts += [_sent("metrics", sent["way"], sent, now) for sent in document["metrics"]]
    push = document["push"]
    return [*facts, *([_sent("push", "to other machines", push, now)] if push is not None else [])]


def _reading(reading: dict[str, Any] | None) -> Fact:
    if reading is None:
        return Fact(mark="·", name="reading", text="none yet")
    age = words.format_ago(timedelta(seconds=reading["age_seconds"]))
    text = f"from {reading['source']}, {age}, {reading['state']}, {reading['windows']} windows"
    return Fact(mark={"fresh": "✓", "expired": "✗"}.get(reading["state"], "·"), name="reading", text=text)  # type: ignore[arg-type]  # two marks and a default


def _refresh(refresh: dict[str, Any], now: datetime) -> Fact:
    count, running, problem = refresh["failures"], refresh["running"], refresh["problem"]
    parts = [
        "due now" if refresh["due"] else f"next {_at(refresh['next_at'], now)}",
        f"last attempt {_at(refresh['attempted_at'], now)}" if refresh["attempted_at"] else "never attempted",
        f"{count} failure{'s in a row' if count > 1 else ''}" if count else "",
        f"held until {_clock(refresh['held_until'], now)}" if refresh["held_until"] else "",
    ]
    text = ", ".join(filter(None, parts))
    if running:
        stopped = ", and has been stopped" if running["stopped"] else ""
        text += f"; process {running['process']} is asking since {_clock(running['since'], now)}{stopped}"
    if problem:
        text += f"; {problem['code']}: {problem['message']}"
    return Fact(mark="✗" if problem else "✓", name="refresh", text=text)


def _sign_in(found: dict[str, Any], now: datetime) -> Fact:
    tier, ends = found["plan_tier"] or "tier not known", found["expires_at"]
    end = f"ends {_at(ends, now)}" if ends else "end not known"
    return Fact(mark="✓", name="sign-in", text=f"{tier}, {end}, looked up {_at(found['looked_at'], now)}")


def _sent(name: str, way: str, sent: dict[str, Any], now: datetime) -> Fact:
    last = f"last sent {_at(sent['succeeded_at'], now)}" if sent["succeeded_at"] else "never sent yet"
    problem = f"; {sent['problem']}" if sent["problem"] else ""
    return Fact(mark="✗" if problem else "✓", name=name, text=f"{way}, {last}{problem}")


def _at(text: str, now: datetime) -> str:
    """Return a moment of the document by the local clock, and how far away it is."""
    moment = parse_time(text)
    if moment is None:
        return text
    away = f"in {words.format_countdown(moment - now)}" if moment > now else words.format_ago(now - moment)
    return f"{words.format_clock(moment, now)}, {away}"


def _clock(text: str, now: datetime) -> str:
    moment = parse_time(text)
    return text if moment is None else words.format_clock(moment, now)


def _sources(document: dict[str, Any]) -> list[Fact]:
    in_force = [source for source in document["sources"] if source["in_force"]]
    none_works = all(source["obstacle"] for source in in_force)
    return [_source(source, hopeless=none_works) for source in document["sources"]]


def _source(source: dict[str, Any], *, hopeless: bool) -> Fact:
    chosen = "in force" if source["in_force"] else "not in force"
    last = "no answer yet"
    if source["age_seconds"] is not None:
        last = f"last answer {words.format_ago(timedelta(seconds=source['age_seconds']))}"
    obstacle = f"; {source['obstacle']}" if source["obstacle"] else ""
    text = f"{chosen}, {last}, costs {source['cost']}{obstacle}"
    mark: Mark = "·" if not source["in_force"] or (obstacle and not hopeless) else "✗" if obstacle else "✓"
    return Fact(mark=mark, name=source["name"], text=text)


def _files(document: dict[str, Any]) -> list[Fact]:
    state = document["state"]
    return [
        _cache(document["cache"]),
        _directory("state", state),
        *([_history(state["history"])] if state is not None else []),
        _config(document["config"]),
        Fact(mark="·", name="variables", text=", ".join(document["variables"]) or "none"),
    ]


def _directory(name: str, found: dict[str, Any] | None) -> Fact:
    if found is None:
        return Fact(mark="✗", name=name, text="nowhere")
    return Fact(mark=_mark(found), name=name, text=f"{found['directory']}, {_standing(found)}")


def _cache(found: dict[str, Any] | None) -> Fact:
    fact = _directory("cache", found)
    if found is None or not found["trusted"]:
        return fact
    text = f"{fact.text}; trusted to be read (ULLAGE_TRUSTED_CACHE), so no refresh is started"
    return fact.replace(mark="✓" if found["exists"] else "✗", text=text)


def _mark(found: dict[str, Any]) -> Mark:
    return "·" if not found["exists"] else "✗" if found["yours"] is False else "✓"


def _standing(found: dict[str, Any]) -> str:
    if not found["exists"]:
        return "not there yet"
    if found["yours"] is None and found["mode"] is None:
        return "there"
    owner = {True: "yours", False: "another user's", None: "of unknown owner"}[found["yours"]]
    return f"{owner}, mode {found['mode'] or 'unknown'}"


def _history(found: dict[str, Any]) -> Fact:
    aside = f"; damaged and set aside: {', '.join(found['damaged'])}" if found["damaged"] else ""
    if not found["exists"]:
        return Fact(mark="·", name="history", text=f"not there yet{aside}")
    size = "of unknown size" if found["bytes"] is None else f"{math.ceil(found['bytes'] / 1024)} KiB"
    samples = "cannot be read" if found["samples"] is None else f"{found['samples']} samples"
    text = f"{os.path.basename(found['file'])}, {_standing(found)}, {size}, {samples}{aside}"
    return Fact(mark="✗" if found["samples"] is None else _mark(found), name="history", text=text)


def _config(config: dict[str, Any]) -> Fact:
    path, lines, source = config["path"], config["wrong_lines"], f"source {config['source']}"
    if path is None:
        return Fact(mark="✗", name="config", text=f"nowhere; {source}")
    if not config["exists"]:
        return Fact(mark="·", name="config", text=f"{path}, not there: the defaults are in force; {source}")
    if lines == [0]:
        return Fact(mark="✗", name="config", text=f"{path}, cannot be read; {source}")
    state = f"mistakes on line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}" if lines else "fine"
    return Fact(mark="✗" if lines else "✓", name="config", text=f"{path}, {state}; {source}")
