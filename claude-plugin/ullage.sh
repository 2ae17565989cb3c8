#!/bin/sh
# What the plugin's hooks run: the installed ullage. Where there is none, the start of a session says how to install it.

# Where pipx and uv put programs, which a Claude Code that no shell has started may not know.
PATH=${PATH:+$PATH:}${HOME-}/.local/bin

if ! command -v ullage >/dev/null 2>&1; then
    if [ "$1" = look ]; then
        printf '%s\n' '{"systemMessage": "ullage is not installed, so its plugin does nothing. In a clone of it, run: pipx install ."}'
    fi
    exit 0
fi
if [ "$1" = look ]; then exit 0; fi

# What a person has set at /plugin: words, an option each, none of which is ever code.
set -f
set -- --from-plugin
for word in ${CLAUDE_PLUGIN_OPTION_WARN-}; do set -- "$@" "--warn=$word"; done
for word in ${CLAUDE_PLUGIN_OPTION_BLOCK-}; do set -- "$@" "--block=$word"; done
for word in ${CLAUDE_PLUGIN_OPTION_TELL_ROOM-}; do set -- "$@" "--tell-room=$word"; done
exec ullage hook "$@"
