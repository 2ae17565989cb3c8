# The quota segment in fish's prompt: `ullage init fish | source` in config.fish, or this file in conf.d.
#
# ULLAGE_PLACE, set before: left (the default) puts the segment before your prompt, right after your right prompt;
# manual leaves both alone, for a call of ullage_segment in your own; starship exports ULLAGE_SEGMENT for its env_var
# module instead. ULLAGE_OFF=1 hides it.
#
# A reader of the timeline file (src/ullage/quota/timeline.py has its format), for fish 3.4 and newer. A prompt forks nothing.

set -q __ullage_program; or set -g __ullage_program ullage

function ullage_on -d 'Show the quota segment'
    set -e ULLAGE_OFF
end

function ullage_off -d 'Hide the quota segment in this shell'
    set -g ULLAGE_OFF 1
end

function ullage_segment -d 'Print the quota segment'
    printf %s "$__ullage_shown"
end

status is-interactive; or exit 0

set -g __ullage_place left
set -q ULLAGE_PLACE; and set -g __ullage_place $ULLAGE_PLACE
set -q __ullage_asked; or set -g __ullage_asked 0
set -g __ullage_key
set -g __ullage_placed
set -g __ullage_shown

function __ullage_hook --on-event fish_prompt
    __ullage_update
    set -q __ullage_placed[1]; or __ullage_put
end

# A refresh that this shell has started says so when it is done.
function __ullage_landed --on-signal URG
    set -l before $__ullage_shown
    __ullage_update
    test "$before" = "$__ullage_shown"; or commandline -f repaint
end

# fish has no clock, but it knows the date of a file and its age; times are compared as ages of this directory, which
# hardly ever changes. Before 3.5 it does not, and asks `date`.
if contains -- path (builtin --names)
    function __ullage_clock
        path mtime -- /
        path mtime --relative -- /
    end
else
    function __ullage_clock
        echo 0
        command date +%s
    end
end

function __ullage_update
    if test -n "$ULLAGE_OFF"
        __ullage_show ''
        return
    end
    test "$__ullage_key" = "$ULLAGE_CACHE_DIR:$XDG_CACHE_HOME:$HOME:$CLAUDE_CONFIG_DIR:$NO_COLOR:$TERM"
    or __ullage_locate
    set -l clock (__ullage_clock)
    set -l header
    if test -f "$__ullage_file" -a -r "$__ullage_file" -a -O "$__ullage_file" -a ! -L "$__ullage_file" -a -O "$__ullage_directory"
        read header <$__ullage_file
    end
    if not test "$header" = "$__ullage_header" -a "$clock[1]" = "$__ullage_date" -a "$clock[2]" -ge "$__ullage_from" -a "$clock[2]" -lt "$__ullage_until"
        __ullage_read $clock "$header"
        test "$clock[2]" -ge "$__ullage_from" -a "$clock[2]" -lt "$__ullage_until"; or __ullage_refresh $clock
    end
    test "$__ullage_text" = "$__ullage_shown"; or __ullage_show $__ullage_text
end

# The rule of src/ullage/system/places.py; sets __ullage_directory and __ullage_file, to nothing where there is none.
function __ullage_locate
    set -g __ullage_key "$ULLAGE_CACHE_DIR:$XDG_CACHE_HOME:$HOME:$CLAUDE_CONFIG_DIR:$NO_COLOR:$TERM"
    set -g __ullage_header
    set -g __ullage_date
    set -g __ullage_directory
    set -g __ullage_file
    set -l surface fish
    test $__ullage_place = starship; and set surface starship
    test -n "$NO_COLOR" -o "$TERM" = dumb; and set surface $surface-plain
    set -l root $ULLAGE_CACHE_DIR
    if test -z "$root"
        set root $HOME/.cache/ullage
        test -d /System/Library/CoreServices; and set root $HOME/Library/Caches/ullage
        string match -q '/*' -- $XDG_CACHE_HOME; and set root $XDG_CACHE_HOME/ullage
    end
    set -l directory $root/default
    test -z "$CLAUDE_CONFIG_DIR"; or set directory $root/profiles$CLAUDE_CONFIG_DIR
    string match -q '/*' -- $root; or return
    string match -q '/*' -- $CLAUDE_CONFIG_DIR; or test -z "$CLAUDE_CONFIG_DIR"; or return
    string match -q '*/../*' -- $directory/; and return
    set -g __ullage_directory $directory
    set -g __ullage_file $directory/$surface.timeline
end

# Sets the text for now and, as ages, from when until when nothing is to be done: it stands, and no refresh is due.
function __ullage_read -a date age header
    set -g __ullage_header $header
    set -g __ullage_date $date
    set -g __ullage_text
    set -g __ullage_from 0
    set -g __ullage_until 0
    string match -qr '^ullage-timeline 1 (?<from>\d{1,15}) (?<until>\d{1,15})(?: |$)' -- $header; or return
    set -l now (math $date + $age)
    set -l line
    begin
        read --line line
        while read --line line
            string match -qr '^(?<start>\d{1,15}) \S* (?<text>.*)$' -- $line; or break
            if test $start -gt $now
                test $until -lt $start; or set until $start
                break
            end
            test $from -gt $start; or set from $start
            set -g __ullage_text $text
        end
    end <$__ullage_file
    set -g __ullage_from (math $from - $date)
    set -g __ullage_until (math $until - $date)
end

# At most once in 30 seconds. A process of fish's own would be in its way: sh leaves nothing behind.
function __ullage_refresh -a date age
    set -l now (math $date + $age)
    test $now -ge $__ullage_asked -a $now -lt (math $__ullage_asked + 30); and return
    test -n "$__ullage_directory"; or return
    test -w $__ullage_directory -o ! -e $__ullage_directory; or return
    set -g __ullage_asked $now
    ULLAGE_NOTIFY=$fish_pid command sh -c '(trap "" HUP; exec "$0" refresh --detach) </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &' $__ullage_program
end

function __ullage_show
    if test $__ullage_place = starship
        set -gx ULLAGE_SEGMENT "$argv"
    end
    set -g __ullage_shown "$argv"
end

# At the first prompt, when all of the configuration has been read. fish prints the mode prompt before the left one,
# and keeps the status for both; so the left one stays the user's own function, whoever changes it.
function __ullage_put
    set -g __ullage_placed yes
    switch $__ullage_place
        case left
            functions -q __ullage_mode_prompt; and return
            functions -q fish_mode_prompt; and functions -c fish_mode_prompt __ullage_mode_prompt
            functions -q __ullage_mode_prompt; or function __ullage_mode_prompt
            end
            function fish_mode_prompt
                test -z "$__ullage_shown"; or contains -- --final-rendering $argv; or printf '%s ' $__ullage_shown
                __ullage_mode_prompt $argv
            end
        case right
            functions -q __ullage_right_prompt; and return
            functions -q fish_right_prompt; and functions -c fish_right_prompt __ullage_right_prompt
            functions -q __ullage_right_prompt; or function __ullage_right_prompt
            end
            function fish_right_prompt
                __ullage_right_prompt $argv
                test -z "$__ullage_shown"; or contains -- --final-rendering $argv; or printf ' %s' $__ullage_shown
            end
    end
end
