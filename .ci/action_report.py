"""What the action leaves of a verdict: its outputs, and a table in the job's summary.

Reads `[verdict, usage]` on stdin, the documents of `ullage guard --json` and `ullage usage --json`; the second is null
where nothing is known. GITHUB_OUTPUT and GITHUB_STEP_SUMMARY name the files, as on a runner.
"""

from __future__ import annotations

import json
import os
import secrets
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# GitHub looks for addresses of mail once more when entities are characters again; a comment parts those.
_ENTITIES = {"@": "<!-- -->&#64;"}
_HEADINGS = ("window", "used", "limit", "resets at", "as of", "source")


def list_outputs(verdict: dict[str, Any], usage: dict[str, Any] | None) -> dict[str, str]:
    """Return the outputs by name; of the window that is nearest to its limit, empty where that is not known."""
    known = [window for window in verdict["windows"] if window["used_percent"] is not None]
    nearest = min(known, key=_find_room, default=None)
    windows = {window["id"]: window for window in (usage or {}).get("windows", ())}
    return {
        "allowed": str(verdict["allowed"]).lower(),
        "message": verdict["message"],
        "used_percent": f"{nearest['used_percent']:g}" if nearest else "",
        "resets_at": (windows.get(nearest["id"], {}).get("resets_at") or "") if nearest else "",
        "room": f"{_find_room(nearest):g}" if nearest else "",
        "verdict": json.dumps(verdict),
    }


def _find_room(window: dict[str, Any]) -> float:
    """Return how many points are left under a window's limit, beside what the job will want."""
    return max(0.0, round(window["limit_percent"] - window["need_percent"] - window["used_percent"], 2))


def write_summary(verdict: dict[str, Any], usage: dict[str, Any] | None) -> str:
    """Return the summary in Markdown: the verdict, and a row for each window that people are shown."""
    limits = {window["id"]: window["limit_percent"] for window in verdict["windows"]}
    shown = [window for window in (usage or {}).get("windows", ()) if window["listed"]]
    rows = [
        (
            window["label"],
            _word_percent(window["used_percent"]),
            _word_percent(limits.get(window["id"])),
            window["resets_at"] or "",
            window["as_of"],
            window["source"],
        )
        for window in shown
    ]
    table = [_HEADINGS, ("---", "--:", "--:", "---", "---", "---"), *rows] if rows else []
    heading = "### Room in the Claude plan" if verdict["allowed"] else "### No room in the Claude plan"
    return "\n".join([heading, "", _escape(verdict["message"]), "", *map(_join, table), ""])


def _word_percent(value: float | None) -> str:
    return "" if value is None else f"{value:g} %"


def _join(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(_escape, cells))} |"


def _escape(text: str) -> str:
    """Return a text that Markdown takes for nothing but text: no markup, no list, no address made a link."""
    return "".join(c if c.isalnum() or c in " ,;%(" else _ENTITIES.get(c, f"&#{ord(c)};") for c in text)


def main() -> int:
    """Write both files."""
    verdict, usage = json.load(sys.stdin)
    end = secrets.token_hex()
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        file.writelines(f"{name}<<{end}\n{value}\n{end}\n" for name, value in list_outputs(verdict, usage).items())
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(write_summary(verdict, usage) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
