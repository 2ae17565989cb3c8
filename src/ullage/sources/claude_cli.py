"""The user's own `claude` program, asked for what `/usage` shows: one short process, no model call, no secret of ours.

A `get_usage` control request on stdin of `claude -p` in stream-json is answered with the usage body, which Claude Code
fetches with its own credentials. The request is experimental; without it the text of `/usage` is read.
"""

from __future__ import annotations

import os
import time
import uuid

from ullage.base import jsontext
from ullage.base.contexts import contextmanager
from ullage.base.errors import SourceError
from ullage.base.text import clean
from ullage.sources import auth_status, claude_state, snapshot, usage_text, wire
from ullage.system import programs, secret
from ullage.system.places import find_home, locate_profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any

    from ullage.quota.model import Account, Reading

NAME = "claude-cli"
TEXT_NAME = "claude-cli-text"

account = claude_state.read_account

# For both questions together: a person may be waiting for this refresh to end.
ANSWER_SECONDS = 20.0
# What it may take to end once it has answered.
_GOODBYE_SECONDS = 5.0
_LARGEST_OUTPUT = 4 << 20

# No settings of user or project, hence no hooks, plugins or status line; no MCP server, no tool, no transcript.
_ISOLATED = ("--no-session-persistence", "--setting-sources", "", "--strict-mcp-config", "--tools", "")
_ASK = ("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose", *_ISOLATED)
_ASK_TEXT = ("-p", "/usage", "--output-format", "json", *_ISOLATED)

# Variables that would make it answer for another account, or through another server; proxies stay.
_OVERRIDES = ("ANTHROPIC_", "CLAUDE_CODE_", "CLAUDECODE", "CLAUDE_AGENT_", "AWS_BEARER_TOKEN", "ULLAGE_")
_NETWORK = (
    "CLAUDE_CODE_CLIENT_CERT",
    "CLAUDE_CODE_CLIENT_KEY",
    "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
    "CLAUDE_CODE_CERT_STORE",
    "CLAUDE_CODE_PROXY_RESOLVES_HOSTS",
    "CLAUDE_CODE_GIT_BASH_PATH",
)
_QUIET = {
    "CLAUDE_CODE_SAFE_MODE": "1",
    "DISABLE_AUTOUPDATER": "1",
    # This run is not a person's, and its telemetry would be noise.
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    # Git Bash would make a path of "/usage", and Claude Code a paid question of the path.
    "MSYS_NO_PATHCONV": "1",
}
_USUAL_PLACES = (".local/bin", ".claude/local", ".npm-global/bin")


class UnknownRequestError(Exception):
    """This version of Claude Code does not know `get_usage`."""


def read(environ: Mapping[str, str], account: Account, now: datetime) -> Reading:
    """Ask the program once; raise SourceError, which says what to do, when it gives no reading."""
    has_signed_in = account.id is not None or os.path.exists(claude_state.locate_credentials(environ))
    if environ.get("CLAUDE_CODE_OAUTH_TOKEN") and not has_signed_in:
        raise SourceError(
            "token_alone",
            "Claude Code is signed in here by CLAUDE_CODE_OAUTH_TOKEN alone, and such a token has no plan limits but "
            "to the status line of a session: run `ullage setup claude-code`, or sign in with /login as well.",
        )
    program = find(environ)
    deadline = time.monotonic() + ANSWER_SECONDS
    try:
        answer = _get_usage(program, environ, deadline)
    except UnknownRequestError:
        return _read_text(program, environ, account, now, deadline)
    plan = clean(answer.get("subscription_type")) or None
    limits = answer.get("rate_limits")
    if answer.get("rate_limits_available") is False:
        raise _unavailable(plan)
    if limits is None:
        raise SourceError(
            "cli_without_numbers",
            "Claude Code could not get the numbers itself; /usage in it may say why. ullage asks again by itself.",
            reached_server=True,
        )
    told = wire.parse_usage(limits, account=account.replace(plan=plan or account.plan), source=NAME, as_of=now)
    dated = snapshot.date(told, environ, now, is_whole=isinstance(limits.get("limits"), list))
    auth_status.look(program, build_child_environment(environ), locate_profile(environ), account, now)
    return dated


def find(environ: Mapping[str, str]) -> str:
    """Return the path of the user's `claude`; raise SourceError when there is none."""
    home = find_home(environ)
    usual = [os.path.join(home, place) for place in _USUAL_PLACES]
    found = programs.find_program("claude", environ, usual)
    if found is None:
        raise SourceError(
            "claude_missing",
            "The program `claude` was not found in PATH. Install Claude Code, or make it known to the shell that runs "
            "ullage.",
        )
    return found


def build_child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for `claude`, without variables that would change the account or the server asked."""
    kept = {
        name: value
        for name, value in secret.withhold_keys(environ).items()
        if name in _NETWORK or not name.startswith((*_OVERRIDES, "CLAUDE_CONFIG_DIR"))
    }
    own = claude_state.find_own_directory(environ)
    return {**kept, **_QUIET, **({"CLAUDE_CONFIG_DIR": own} if own else {})}


def _unavailable(plan: str | None) -> SourceError:
    if plan is None:
        return SourceError(
            "signed_out",
            "Claude Code is not signed in with a plan. Run claude and sign in with /login, then try again.",
        )
    return SourceError(
        "no_plan_limits",
        "Claude Code's sign-in does not bring plan limits: one from `claude setup-token` cannot. Sign in with /login.",
    )


@contextmanager
def _running(command: list[str], environ: Mapping[str, str]) -> Iterator[programs.Program]:
    """Run the program in an empty directory, and turn its failures into SourceErrors."""
    try:
        with programs.run_beside(
            command, environ, largest_bytes=_LARGEST_OUTPUT, patience_seconds=_GOODBYE_SECONDS
        ) as claude:
            yield claude
    except programs.ProgramLateError as error:
        raise SourceError(
            "cli_timeout", "claude did not answer in time. Run it once in a terminal to see why.", reached_server=True
        ) from error
    except programs.ProgramFloodError as error:
        raise SourceError(
            "cli_flood",
            "claude printed megabytes instead of an answer. Run it once in a terminal to see why.",
            reached_server=True,
        ) from error
    except OSError as error:
        raise SourceError(
            "claude_not_started", f"{command[0]} could not be started: {error.strerror}. Run `claude doctor`."
        ) from error


def _get_usage(program: str, environ: Mapping[str, str], deadline: float) -> dict[str, Any]:
    request_id = str(uuid.uuid4())
    what = '{"subtype":"get_usage","skip_behaviors":true}'
    request = f'{{"type":"control_request","request_id":"{request_id}","request":{what}}}\n'
    with _running([program, *_ASK], build_child_environment(environ)) as claude:
        claude.send(request.encode())
        for line in claude.read_lines(deadline):
            response = _response(line, request_id)
            if response is not None:
                return _answer(response)
        raise _no_answer(claude.errors)


def _response(line: bytes, request_id: str) -> dict[str, Any] | None:
    """Return the response to our request that a line holds; None for noise and for answers to other requests."""
    try:
        message = jsontext.loads(line)
    except ValueError:
        return None
    response = message.get("response") if isinstance(message, dict) else None
    is_ours = isinstance(response, dict) and response.get("request_id") == request_id
    return response if is_ours and message.get("type") == "control_response" else None


def _answer(response: Mapping[str, Any]) -> dict[str, Any]:
    answer = response.get("response")
    if response.get("subtype") == "success" and isinstance(answer, dict):
        return answer
    words = clean(response.get("error"), 200)
    if "get_usage" in words or "nsupported" in words or "nknown" in words:
        raise UnknownRequestError(words)
    raise SourceError(
        "cli_refused", f"Claude Code refused to tell: {words or 'it did not say why'}.", reached_server=True
    )


def _no_answer(errors: bytes) -> SourceError:
    """Word why there was no answer: a program too old for our options, or one that ended for a reason of its own."""
    if b"unknown option" in errors:
        return SourceError(
            "claude_too_old",
            "This version of Claude Code cannot be asked. Run `claude update`, then try again.",
            reached_server=True,
        )
    return SourceError(
        "cli_no_answer",
        "claude ended without an answer. Run `claude` once in a terminal: it may want to be set up or signed in.",
        reached_server=True,
    )


def _read_text(program: str, environ: Mapping[str, str], account: Account, now: datetime, deadline: float) -> Reading:
    """Ask for the text of `/usage`; a version that took it for a question, which costs, is never asked again."""
    from ullage.system.files import write_atomically

    refusal = os.path.join(locate_profile(environ), "no-usage-text")
    if os.path.exists(refusal):
        raise _paid(refusal)
    with _running([program, *_ASK_TEXT], build_child_environment(environ)) as claude:
        claude.send(b"", close=True)
        output = b"".join(claude.read_output(deadline))
    try:
        result = jsontext.loads(output[output.rfind(b"\n{") + 1 :])
    except ValueError:
        result = None
    if not isinstance(result, dict) or not isinstance(result.get("result"), str):
        raise SourceError(
            "claude_too_old",
            "This version of Claude Code cannot be asked. Run `claude update`, then try again.",
            reached_server=True,
        )
    if result.get("num_turns") != 0 or result.get("total_cost_usd"):
        write_atomically(refusal, b"claude took /usage for a question.\n")
        raise _paid(refusal)
    told = usage_text.parse(result["result"], account=account, source=TEXT_NAME, as_of=now)
    return snapshot.date(told, environ, now, is_whole=False)


def _paid(refusal: str) -> SourceError:
    return SourceError(
        "usage_text_costs",
        "This version of Claude Code takes /usage for a question to the model, so it is not asked again. Run "
        f"`claude update`, then remove {refusal}.",
        reached_server=True,
    )
