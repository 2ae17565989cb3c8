#!/usr/bin/env bash
# Drive the real Claude Code against `ullage simulate`, with a made-up account, in a network that ends at loopback.
#
#   make e2e        needs root (for the network namespace), node's npm, openssl, iproute2, util-linux, tmux
#
# The only contact with the world is the installation from the npm registry, before the namespace is entered.
# CLAUDE_PREFIX names a directory with an installation to use instead; CLAUDE_VERSION the version to install.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
scripts=${ULLAGE_SCRIPTS:-$here/../../.venv/bin}
host=api.anthropic.com

fail() {
    echo "real_claude: $*" >&2
    exit 1
}

install_claude() {
    npm install --prefix "$1" --no-audit --no-fund --loglevel=error --ignore-scripts \
        "@anthropic-ai/claude-code@${CLAUDE_VERSION:-latest}"
}

find_claude() {
    # The package's own program is put in its place by a script that we do not run: take the platform's directly.
    local found
    for found in "$1"/node_modules/@anthropic-ai/claude-code-*/claude "$1"/node_modules/.bin/claude; do
        [[ ! -x $found ]] || { printf '%s\n' "$found" && return; }
    done
    fail "no claude under $1"
}

make_certificates() {
    cd "$1"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=ullage e2e' -keyout ca.key -out ca.pem 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$host" -keyout key.pem -out request.pem 2>/dev/null
    printf 'subjectAltName=DNS:%s,DNS:*.anthropic.com,DNS:*.claude.com\n' "$host" >names
    openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem \
        2>/dev/null
    cd - >/dev/null
}

if [[ ${1:-} != inside ]]; then
    ((EUID == 0)) || fail 'run it as root: it makes a network namespace'
    for program in npm openssl unshare ip tmux; do
        command -v "$program" >/dev/null || fail "$program is missing"
    done
    work=$(mktemp -d /tmp/ullage-e2e.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    prefix=${CLAUDE_PREFIX:-}
    if [[ -z $prefix ]]; then
        prefix=$work/prefix
        install_claude "$prefix"
    fi
    claude=$(find_claude "$prefix")
    mkdir "$work/bin" "$work/tls" "$work/home" "$work/project"
    ln -s "$claude" "$work/bin/claude"
    make_certificates "$work/tls"
    scripts=$(cd "$scripts" && pwd)
    # A process namespace of its own: whatever is started inside ends with it.
    env -i PATH="$PATH" LC_ALL=C.UTF-8 TERM=xterm-256color ULLAGE_SCRIPTS="$scripts" \
        unshare --net --mount --pid --fork --mount-proc --kill-child bash "${BASH_SOURCE[0]}" inside "$work"
    exit
fi

work=$2
ip link set lo up

# What is not loopback must not be here: neither an interface nor a route.
others=$(ip -o link show | grep -cv ': lo:' || true)
[[ $others == 0 ]] || fail 'the namespace has an interface besides loopback'
routes=$(ip route show table main)
[[ -z $routes ]] || fail 'the namespace has a route'
if timeout 3 bash -c ': </dev/tcp/1.1.1.1/443' 2>/dev/null; then
    fail 'the namespace reaches the outside'
fi

printf '127.0.0.1 localhost %s\n' "$host" console.anthropic.com platform.claude.com statsig.anthropic.com claude.ai >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts

export HOME=$work/home PATH=$work/bin:$ULLAGE_SCRIPTS:$PATH
export NODE_EXTRA_CA_CERTS=$work/tls/ca.pem ULLAGE_CACHE_DIR=$work/cache ULLAGE_CONFIG=$work/config.toml
unset CLAUDE_CONFIG_DIR

ullage simulate --port 443 --certificate "$work/tls/cert.pem" --key "$work/tls/key.pem" \
    --account "$work/account" >"$work/simulator.log" 2>&1 &
simulator=$!
for _ in {1..100}; do
    grep -q Simulating "$work/simulator.log" && break
    sleep 0.1
done

# The account, as a default profile has it: credentials in ~/.claude, state beside it.
mkdir "$HOME/.claude"
cp "$work/account/.credentials.json" "$HOME/.claude/"
# Every hook and server that could run leaves a file, should one run.
cat >"$HOME/.claude/settings.json" <<EOF
{
  "statusLine": {"type": "command", "command": "echo mine; cat >$work/payload.json"},
  "hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "touch $work/hook-ran"}]}],
            "SessionEnd": [{"hooks": [{"type": "command", "command": "touch $work/hook-ran"}]}]}
}
EOF
python3 - "$work" <<'EOF'
import json, os, sys
work = sys.argv[1]
state = json.load(open(f"{work}/account/.claude.json"))
state |= {
    "hasCompletedOnboarding": True,
    "lastOnboardingVersion": "99.0.0",
    "theme": "dark",
    "projects": {f"{work}/project": {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
    "mcpServers": {"spy": {"type": "stdio", "command": "touch", "args": [f"{work}/server-ran"]}},
}
json.dump(state, open(f"{os.environ['HOME']}/.claude.json", "w"), indent=2)
EOF
cd "$work/project"

claude --version
ullage setup claude-code --yes
grep -q 'ullage statusline --then' "$HOME/.claude/settings.json" || fail 'the status line was not chained'

echo '--- the state file and what claude-cli leaves behind'
list() { (cd "$HOME" && find . -type f | sort); }
list >"$work/before"
ULLAGE_SOURCE=claude-cli ullage refresh
ullage usage --no-refresh --json >"$work/usage.json"
list >"$work/after"
# Claude Code's own copy of its state file, which it makes now and then whoever runs it, is all there may be.
if diff "$work/before" "$work/after" | grep '^[<>]' | grep -v '/\.claude/backups/'; then fail 'something was left'; fi
[[ ! -e $work/hook-ran ]] || fail 'a hook ran'
[[ ! -e $work/server-ran ]] || fail 'an MCP server was started'
if find "$HOME/.claude/projects" -name '*.jsonl' 2>/dev/null | grep .; then fail 'a transcript was left'; fi
python3 - "$work/usage.json" "$HOME/.claude.json" <<'EOF'
import json, sys
usage, state = (json.load(open(path)) for path in sys.argv[1:])
print("source", usage["source"], "plan", usage["account"]["plan"], "problem", usage["problem"])
print({window["id"]: window["used_percent"] for window in usage["windows"]})
assert usage["source"] == "claude-cli" and usage["problem"] is None, usage
assert {"five_hour", "seven_day", "seven_day_fable"} <= {window["id"] for window in usage["windows"]}, usage
account = {name: usage["account"][name] for name in ("id", "organization_id", "plan")}
named = state["oauthAccount"]
assert account == {"id": named["accountUuid"], "organization_id": named["organizationUuid"], "plan": "max"}, usage
print("projects in the state file:", list(state["projects"]))
assert not any("ullage-" in name and "e2e" not in name for name in state["projects"]), "a project entry was left"
EOF
if pgrep -x claude; then fail 'a claude process was left'; fi

echo '--- claude-cache'
rm -rf "$work/cache"
ULLAGE_SOURCE=claude-cache ullage refresh
ullage usage --no-refresh --json >"$work/usage.json"
python3 -c 'import json, sys; u = json.load(open(sys.argv[1])); assert u["source"] == "claude-cache" and u["windows"], u
print(u["source"], u["as_of"], {w["id"]: w["used_percent"] for w in u["windows"]})' "$work/usage.json"

echo '--- what it repeats when the endpoint refuses is no news'
# Each failure is a simulator of its own in the place of the one that answered.
serve() {
    kill "$simulator" 2>/dev/null || true
    wait "$simulator" 2>/dev/null || true
    ullage simulate --scenario "$1" --port 443 --certificate "$work/tls/cert.pem" --key "$work/tls/key.pem" \
        >"$work/simulator.log" 2>&1 &
    simulator=$!
    for _ in {1..100}; do
        grep -q Simulating "$work/simulator.log" && return
        sleep 0.1
    done
    fail "the simulator did not start for $1"
}
# The report that Claude Code keeps is from so many minutes ago.
age_report() {
    python3 - "$HOME/.claude.json" "$1" <<'EOF2'
import json, sys, time
path, minutes = sys.argv[1], float(sys.argv[2])
state = json.load(open(path))
state["cachedUsageUtilization"]["fetchedAtMs"] = int((time.time() - minutes * 60) * 1000)
json.dump(state, open(path, "w"), indent=2)
EOF2
}
for failure in 429-storm-at-once revoked scope outage-at-once in-band silent no-host; do
    rm -rf "$work/cache"
    if [[ $failure == no-host ]]; then
        kill "$simulator"
        wait "$simulator" 2>/dev/null || true
    else
        serve "$failure"
    fi
    age_report 40
    ULLAGE_SOURCE=claude-cli ullage refresh || true
    ullage usage --no-refresh --json >"$work/usage.json" || true
    python3 - "$failure" "$work/usage.json" <<'EOF2'
import json, sys
failure, usage = sys.argv[1], json.load(open(sys.argv[2]))
print(failure, usage["problem"]["code"], usage["source"], usage["age_seconds"], usage["state"])
if usage["problem"]["code"] == "served_from_snapshot":
    assert usage["age_seconds"] >= 2400 and usage["state"] == "stale", usage
    assert usage["source"] == "claude-cache" and usage["windows"], usage
else:
    assert usage["problem"]["code"] in ("cli_timeout", "cli_without_numbers"), usage
    assert usage["state"] in ("none", "stale"), usage
EOF2
    if ullage guard --max 5h=90 --max-age 10m 2>/dev/null; then fail "the guard took $failure for news"; fi
done
serve busy-day
rm -rf "$work/cache"
ULLAGE_SOURCE=claude-cli ullage refresh
ullage usage --no-refresh --json | grep -q '"problem": null' || fail 'an honest answer was taken for a repeated one'

echo '--- an unknown control request, for the record'
printf '%s\n' '{"type":"control_request","request_id":"r1","request":{"subtype":"get_nonsense"}}' |
    timeout 30 claude -p --input-format stream-json --output-format stream-json --verbose --no-session-persistence \
        --setting-sources '' --strict-mcp-config --tools '' 2>&1 | grep control_response || true

echo '--- ullage tee behind claude -p'
rm -rf "$work/cache"
claude -p --output-format stream-json --verbose 'Say one word.' | tee "$work/stream" | ullage tee >"$work/passed"
cmp "$work/passed" "$work/stream" || fail 'the stream came out changed'
grep -o '"unifiedWindows":.*' "$work/stream" || fail 'Claude Code named no windows'
ULLAGE_SOURCE='tee' ullage usage --no-refresh --json >"$work/usage.json"
python3 - "$work/usage.json" "$HOME/.claude.json" <<'EOF2'
import json, sys
usage, state = (json.load(open(path)) for path in sys.argv[1:])
print({window["id"]: window["used_percent"] for window in usage["windows"]})
assert {window["source"] for window in usage["windows"]} == {"tee"}, usage
assert {"five_hour", "seven_day", "seven_day_fable"} == {window["id"] for window in usage["windows"]}, usage
assert usage["age_seconds"] < 60 and usage["account"]["id"] == state["oauthAccount"]["accountUuid"], usage
EOF2
ullage guard --max 5h=99 --max-age 10m

echo '--- the plugin'
repository=$here/../..
claude plugin validate "$repository" >/dev/null || fail 'the marketplace is not valid'
claude plugin validate "$repository/claude-plugin" >/dev/null || fail 'the plugin is not valid'
cp "$HOME/.claude/settings.json" "$work/settings-before.json"
transcripts() { find "$HOME/.claude/projects" -name '*.jsonl' -exec cat {} +; }
# How often a transcript holds it: what goes to the model stands in the request as well.
told() { transcripts | grep '"type":"attachment"' | grep -c "$1" || true; }
claude plugin install ullage --marketplace "$repository" --config tell_room=30m
claude -p '/ullage:usage' >/dev/null
transcripts | grep '"isMeta":true' | grep 'Session 5h .*[0-9]%' >/dev/null || fail 'the command showed no usage'
[[ $(told 'of the session is left until') == 1 ]] || fail 'the model was not told its room'
claude -p --continue 'Say one word.' >/dev/null
[[ $(told 'of the session is left until') == 1 ]] || fail 'the model was told its room again'
claude -p '/ullage:setup' >/dev/null
transcripts | grep '"isMeta":true' | grep 'names .ullage statusline. already' >/dev/null || fail 'the command showed no change'
claude plugin uninstall ullage
claude plugin install ullage --config block=5h=5
claude -p 'Say one word.' 2>&1 | grep 'No room: Session (5h)' || fail 'the plugin did not block'
claude plugin uninstall ullage
claude plugin marketplace remove ullage
python3 - "$work/settings-before.json" "$HOME/.claude/settings.json" <<'EOF2'
import json, sys
before, after = (json.load(open(path)) for path in sys.argv[1:])
# Containers of its own, which Claude Code leaves empty.
assert before == {name: value for name, value in after.items() if value != {}}, after
EOF2
[[ $(cat "$HOME/.claude/plugins/installed_plugins.json") != *ullage* ]] || fail 'the plugin is still installed'

echo '--- the status line in tmux'
rm -rf "$work/cache"
tmux -L e2e -f /dev/null new-session -d -x 160 -y 40 -s e2e 'claude; sleep 100'
wait_for() {
    local screen
    for _ in {1..150}; do
        screen=$(tmux -L e2e capture-pane -p -t e2e)
        if grep "$1" <<<"$screen"; then return; fi
        sleep 0.2
    done
    printf '%s\n' "$screen"
    fail "the screen never showed: $1"
}
wait_for '^ *mine'
tmux -L e2e send-keys -t e2e -l 'Say one word.'
sleep 0.5
tmux -L e2e send-keys -t e2e Enter
wait_for 'Simulated\.'
wait_for '5h 3[67]%.*7d 4[23]%'
tmux -L e2e kill-server
# The spies work: where nobody forbids it, the hook runs.
[[ -e $work/hook-ran ]] || fail 'the hook did not run in a session of its own either'
python3 - "$work/payload.json" <<'EOF'
import json, sys
print(json.load(open(sys.argv[1])).get("rate_limits"))
EOF
ullage usage --no-refresh
ULLAGE_SOURCE=statusline ullage usage --no-refresh --json | grep -m1 '"source": "statusline"'
ullage prompt
ullage doctor | grep '^source'
ullage setup claude-code --undo --yes >/dev/null
! grep -q 'ullage statusline' "$HOME/.claude/settings.json" || fail 'the status line was not taken out'
echo 'real_claude: all is well'
