# The quota segment in nushell's prompt, for 0.107 and newer: `ullage setup nushell`, or in config.nu
# `ullage init nushell | save --force FILE`, where FILE is in a directory of $nu.user-autoload-dirs: nushell reads those
# after config.nu. As a file of its own it can be sourced as well.
#
# --left (the default) puts the segment before your prompt, --right after your right one; --manual leaves both alone,
# for a call of ullage_segment in your own; --starship exports ULLAGE_SEGMENT for its env_var module instead.
# $env.ULLAGE_OFF = 1 hides it.
#
# A reader of the timeline file (src/ullage/quota/timeline.py has its format). A prompt starts no process; what is kept from
# one to the next is in $env.__ullage, a record, which no process inherits.

def --env ullage_on [] { $env.ULLAGE_OFF = "" }
def --env ullage_off [] { $env.ULLAGE_OFF = "1" }
def ullage_segment []: nothing -> string { $env.__ullage?.shown? | default "" }

# Another fills a trusted cache; it is only read, whoever owns its files.
def __ullage_trusted []: nothing -> bool { ($env.ULLAGE_TRUSTED_CACHE? | default "") != "" }

# All that decides where the timeline is.
def __ullage_key []: nothing -> list<string> {
    [
        (if (__ullage_trusted) { $env.ULLAGE_TRUSTED_CACHE } else { $env.ULLAGE_CACHE_DIR? | default "" })
        ($env.XDG_CACHE_HOME? | default "")
        ($env.HOME? | default "")
        ($env.CLAUDE_CONFIG_DIR? | default "")
        ($env.NO_COLOR? | default "" | into string)
        ($env.TERM? | default "")
        ([$env.LC_ALL? $env.LC_CTYPE? $env.LANG?] | where {|name| ($name | default "") != "" } | append "" | first)
    ]
}

# `ls` and `open` are favourites of aliases and definitions; from 0.115 on, % means the builtin, whose answers can be
# decoded. Before that it would be an external command, which is not called.
def __ullage_open [file: string] {
    if $env.__ullage.knows_builtins { %open --raw $file | decode utf-8 } else { open --raw $file | decode utf-8 }
}
def __ullage_owners [...paths: string] {
    if $env.__ullage.knows_builtins { %ls --long --directory ...$paths | get user } else {
        ^ls -ld -- ...$paths | lines | parse --regex '^\S+ +\d+ +(?<user>\S+)' | get user
    }
}

# The rule of src/ullage/system/places.py; both are empty where there is none.
def __ullage_locate [key: list<string>]: nothing -> record<directory: string, file: string> {
    let profile = $key.3
    let root = if $key.0 != "" { $key.0 } else if ($key.1 starts-with "/") { $key.1 + "/ullage" } else {
        $key.2 + (if $nu.os-info.name == "macos" { "/Library/Caches/ullage" } else { "/.cache/ullage" })
    }
    let directory = if $profile == "" { $root + "/default" } else { $root + "/profiles" + $profile }
    if not ($root starts-with "/") or not ($profile == "" or $profile starts-with "/") or ($directory + "/" =~ '/\.\./') {
        return {directory: "", file: ""}
    }
    let surface = if $env.__ullage.place == starship { "starship" } else { "fish" }
    let plain = if $key.4 != "" or $key.5 == "dumb" { "-plain" } else { "" }
    let ascii = if $key.6 =~ '(?i)utf-?8' { "" } else { "-ascii" }
    {directory: $directory, file: $"($directory)/($surface)($plain)($ascii).timeline"}
}

# Only a file of one's own, in a directory of one's own.
def __ullage_is_ours [at: record]: nothing -> bool {
    if (__ullage_trusted) { return true }
    try { __ullage_owners $at.directory $at.file | all {|owner| $owner == (__ullage_me) } } catch { false }
}

def __ullage_me []: nothing -> string { try { whoami } catch { __ullage_owners /proc/self | first } }

const __ullage_nothing = {header: "", text: "", from: 0, until: 0}

# The text for now, and from when until when nothing is to be done: it stands, and no refresh is due.
def __ullage_read [file: string, now: int]: nothing -> record<header: string, text: string, from: int, until: int> {
    let lines = try { __ullage_open $file | lines } catch { [""] }
    let times = $lines.0 | parse --regex '^ullage-timeline 1 (?<from>[0-9]{1,15}) (?<until>[0-9]{1,15})(?: |$)'
    if ($times | is-empty) { return $__ullage_nothing }
    mut text = ""
    mut from = $times.0.from | into int
    mut until = $times.0.until | into int
    for line in ($lines | skip 1) {
        let frame = $line | parse --regex '^(?<start>[0-9]{1,15}) [^ ]* (?<text>.*)$'
        if ($frame | is-empty) { break }
        let start = $frame.0.start | into int
        if $start > $now {
            $until = [$until $start] | math min
            break
        }
        $from = [$from $start] | math max
        $text = $frame.0.text
    }
    {header: $lines.0, text: $text, from: $from, until: $until}
}

# At most once in 30 seconds. A job of nushell's own would have to end before the shell does.
def --env __ullage_refresh [now: int] {
    let asked = $env.__ullage.asked
    if ($now >= $asked and $now < $asked + 30) or $env.__ullage.directory == "" or (__ullage_trusted) { return }
    # Root in the home of somebody else would leave files there that their owner cannot change.
    let home = $env.HOME? | default ""
    if ($env.__ullage.directory starts-with ($home + "/")) and (try { (__ullage_owners $home | first) != (__ullage_me) } catch { true }) { return }
    $env.__ullage.asked = $now
    try {
        (^sh -c '(trap "" HUP; exec "$0" refresh --detach) </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &'
            $env.__ullage.program)
    }
}

def --env __ullage_update [] {
    # Programs that drive a dumb terminal, TRAMP say, take the first line that ends in % for the prompt.
    if ($env.ULLAGE_OFF? | default "") != "" or (($env.TERM? | default "") == dumb and $env.__ullage.place != manual) {
        __ullage_show ""
        return
    }
    let now = (date now | into int) // 1_000_000_000
    let key = __ullage_key
    if $key != $env.__ullage.key {
        $env.__ullage = $env.__ullage | merge (__ullage_locate $key) | merge {key: $key, header: ""}
    }
    let known = $env.__ullage
    # A fifo would hold the prompt.
    let header = if $known.file != "" and ($known.file | path type) == file {
        try { __ullage_open $known.file | lines | first } catch { "" }
    } else { "" }
    if $header == "" or $known.header != $header or $now < $known.from or $now >= $known.until {
        let found = if $header != "" and (__ullage_is_ours $known) { __ullage_read $known.file $now } else { $__ullage_nothing }
        $env.__ullage = $known | merge $found
        if $now < $found.from or $now >= $found.until { __ullage_refresh $now }
    }
    __ullage_show $env.__ullage.text
}

def --env __ullage_show [text: string] {
    $env.__ullage.shown = $text
    if $env.__ullage.place == starship { $env.ULLAGE_SEGMENT = $text }
}

def __ullage_theirs [prompt: any]: nothing -> string {
    (if ($prompt | describe) == closure { do $prompt } else { $prompt }) | default "" | into string
}

# nushell has set a colour for whatever a prompt leaves without one: bright green for the left prompt.
def __ullage_in_colour [before: string, after: string]: nothing -> string {
    let text = ullage_segment
    if $text == "" { return "" }
    if not (config use-colors) { return ($before + $text + $after) }
    (ansi reset) + $before + $text + $after + (ansi light_green)
}

# At the first prompt, when all of the configuration has been read. Before the left prompt, after the empty lines that
# some like there.
def --env __ullage_put [] {
    $env.__ullage.placed = true
    if $env.__ullage.place == left {
        let theirs = $env.PROMPT_COMMAND? | default {|| $env.PWD }
        $env.PROMPT_COMMAND = {||
            let prompt = __ullage_theirs $theirs | parse --regex '^(?s)(?<lines>[\r\n]*)(?<text>.*)$' | first
            $prompt.lines + (__ullage_in_colour "" " ") + $prompt.text
        }
    } else if $env.__ullage.place == right {
        let theirs = $env.PROMPT_COMMAND_RIGHT?
        $env.PROMPT_COMMAND_RIGHT = {|| (__ullage_theirs $theirs) + (__ullage_in_colour " " "") }
    }
}

if $nu.is-interactive {
    let knows_builtins = ($env.NU_VERSION | split row . | get 1 | into int) >= 115
    let fresh = {program: ullage, place: left, placed: false, asked: 0, key: [], directory: "", file: "", shown: ""}
    $env.__ullage = $fresh | merge $__ullage_nothing | merge ($env.__ullage? | default {}) | merge {key: [], knows_builtins: $knows_builtins}
    let hooks = $env.config.hooks.pre_prompt? | default []
    if not ($hooks | any {|hook| ($hook | describe) =~ '^record' and ("ullage" in $hook) }) {
        $env.config.hooks.pre_prompt = $hooks | append {
            ullage: true
            code: {|| try { __ullage_update; if not $env.__ullage.placed { __ullage_put } } }
        }
    }
}
