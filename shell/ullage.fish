# The quota segment in fish's prompt: `ullage init fish | source` in config.fish, or this file in conf.d.
#
# ULLAGE_PLACE, set before: left (the default) puts the segment before your prompt, right after your right prompt;
# manual leaves both alone, for a call of ullage_segment in your own; starship exports ULLAGE_SEGMENT for its env_var
# module instead. ULLAGE_OFF=1 hides it.
#
# A reader of the timeline file (src/ullage/quota/timeline.py has its format), for fish 3.4 and newer. A prompt forks nothing.
#
# Builtins that a function or an alias of the user's may stand for are called as such. All names have our prefix: a group
# of a pattern that has a name is assigned to the nearest variable of that name, be it universal.

set -q __ullage_program; or set -g __ullage_program ullage

function ullage_on -d 'Show the quota segment'
    set -e ULLAGE_OFF
end

function ullage_off -d 'Hide the quota segment in this shell'
    set -g ULLAGE_OFF 1
end

function ullage_segment -d 'Print the quota segment'
    builtin printf %s "$__ullage_shown"
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
    # A prompt that is not drawn by what was put around it is another one than then.
    test "$__ullage_placed" = undrawn; and set -g __ullage_placed
    set -q __ullage_placed[1]; or __ullage_put
    test "$__ullage_placed" = drawn; and set -g __ullage_placed undrawn
end

# Others, direnv say, may choose another account at the same event, after us and before the prompt is drawn.
function __ullage_moved --on-variable CLAUDE_CONFIG_DIR --on-variable ULLAGE_CACHE_DIR --on-variable XDG_CACHE_HOME --on-variable ULLAGE_OFF
    set -q __ullage_placed[1]; and __ullage_update
end

# A refresh that this shell has started says so when it is done.
function __ullage_landed --on-signal URG
    set -l __ullage_before $__ullage_shown
    __ullage_update
    test "$__ullage_before" = "$__ullage_shown"; or builtin commandline -f repaint
end

# fish has no clock, but it knows the date of a file and its age; times are compared as ages of this directory, which
# hardly ever changes. Before 3.5 it does not, and asks `date`.
if builtin contains -- path (builtin --names)
    function __ullage_clock
        builtin path mtime -- /
        builtin path mtime --relative -- /
    end
else
    function __ullage_clock
        builtin echo 0
        command date +%s
    end
end

function __ullage_update
    test "$__ullage_key" = "$LC_ALL:$LC_CTYPE:$LANG:$ULLAGE_CACHE_DIR:$XDG_CACHE_HOME:$HOME:$CLAUDE_CONFIG_DIR:$NO_COLOR:$TERM"
    or __ullage_locate
    if test -n "$ULLAGE_OFF$__ullage_is_dumb"
        __ullage_show ''
        return
    end
    set -l __ullage_now (__ullage_clock)
    set -l __ullage_found
    # Whose it is matters once something else is in it.
    if test -f "$__ullage_file" -a -r "$__ullage_file"
        read __ullage_found <$__ullage_file
    end
    if not test "$__ullage_found" = "$__ullage_header" -a "$__ullage_now[1]" = "$__ullage_date" -a "$__ullage_now[2]" -ge "$__ullage_from" -a "$__ullage_now[2]" -lt "$__ullage_until"
        __ullage_read $__ullage_now "$__ullage_found"
        test "$__ullage_now[2]" -ge "$__ullage_from" -a "$__ullage_now[2]" -lt "$__ullage_until"; or __ullage_refresh $__ullage_now
    end
    test "$__ullage_text" = "$__ullage_shown"; or __ullage_show $__ullage_text
end

# The rule of src/ullage/system/places.py; sets __ullage_directory and __ullage_file, to nothing where there is none.
function __ullage_locate
    set -g __ullage_key "$LC_ALL:$LC_CTYPE:$LANG:$ULLAGE_CACHE_DIR:$XDG_CACHE_HOME:$HOME:$CLAUDE_CONFIG_DIR:$NO_COLOR:$TERM"
    set -g __ullage_header
    set -g __ullage_date
    set -g __ullage_directory
    set -g __ullage_file
    # Programs that drive a dumb terminal, TRAMP say, take the first line that ends in % for the prompt.
    set -g __ullage_is_dumb
    test "$TERM" = dumb -a $__ullage_place != manual; and set -g __ullage_is_dumb yes
    set -l __ullage_surface fish
    test $__ullage_place = starship; and set __ullage_surface starship
    test -n "$NO_COLOR" -o "$TERM" = dumb; and set __ullage_surface $__ullage_surface-plain
    set -l __ullage_locale $LC_ALL
    test -n "$__ullage_locale"; or set __ullage_locale $LC_CTYPE
    test -n "$__ullage_locale"; or set __ullage_locale $LANG
    string match -qir 'utf-?8' -- $__ullage_locale; or set __ullage_surface $__ullage_surface-ascii
    # Another fills a trusted cache; it is only read, whoever owns its files.
    set -g __ullage_trusted $ULLAGE_TRUSTED_CACHE
    set -l __ullage_root $__ullage_trusted
    test -n "$__ullage_root"; or set __ullage_root $ULLAGE_CACHE_DIR
    if test -z "$__ullage_root"
        set __ullage_root $HOME/.cache/ullage
        test -d /System/Library/CoreServices; and set __ullage_root $HOME/Library/Caches/ullage
        string match -q '/*' -- $XDG_CACHE_HOME; and set __ullage_root $XDG_CACHE_HOME/ullage
    end
    set -l __ullage_found $__ullage_root/default
    test -z "$CLAUDE_CONFIG_DIR"; or set __ullage_found $__ullage_root/profiles$CLAUDE_CONFIG_DIR
    string match -q '/*' -- $__ullage_root; or return
    string match -q '/*' -- $CLAUDE_CONFIG_DIR; or test -z "$CLAUDE_CONFIG_DIR"; or return
    string match -q '*/../*' -- $__ullage_found/; and return
    set -g __ullage_directory $__ullage_found
    set -g __ullage_file $__ullage_found/$__ullage_surface.timeline
end

# Sets the text for now and, as ages, from when until when nothing is to be done: it stands, and no refresh is due.
function __ullage_read -a __ullage_day __ullage_age __ullage_found
    set -g __ullage_header $__ullage_found
    set -g __ullage_date $__ullage_day
    set -g __ullage_text
    set -g __ullage_from 0
    set -g __ullage_until 0
    set -l __ullage_begin
    set -l __ullage_end
    test ! -L "$__ullage_file"; or return
    test -n "$__ullage_trusted"; or test -O "$__ullage_file" -a -O "$__ullage_directory"; or return
    string match -qr '^ullage-timeline 1 (?<__ullage_begin>\d{1,15}) (?<__ullage_end>\d{1,15})(?: |$)' -- $__ullage_found; or return
    set -l __ullage_now (builtin math $__ullage_day + $__ullage_age)
    set -l __ullage_line
    set -l __ullage_start
    set -l __ullage_each
    begin
        read --line __ullage_line
        while read --line __ullage_line
            string match -qr '^(?<__ullage_start>\d{1,15}) \S* (?<__ullage_each>.*)$' -- $__ullage_line; or break
            if test $__ullage_start -gt $__ullage_now
                test $__ullage_end -lt $__ullage_start; or set __ullage_end $__ullage_start
                break
            end
            test $__ullage_begin -gt $__ullage_start; or set __ullage_begin $__ullage_start
            set -g __ullage_text $__ullage_each
        end
    end <$__ullage_file
    set -g __ullage_from (builtin math $__ullage_begin - $__ullage_day)
    set -g __ullage_until (builtin math $__ullage_end - $__ullage_day)
end

# At most once in 30 seconds. A process of fish's own would be in its way: sh leaves nothing behind.
function __ullage_refresh -a __ullage_day __ullage_age
    set -l __ullage_now (builtin math $__ullage_day + $__ullage_age)
    test $__ullage_now -ge $__ullage_asked -a $__ullage_now -lt (builtin math $__ullage_asked + 30); and return
    test -n "$__ullage_directory" -a -z "$__ullage_trusted"; or return
    test -w $__ullage_directory -o ! -e $__ullage_directory; or return
    # Root in the home of somebody else would leave files there that their owner cannot change.
    string match -q -- "$HOME/*" $__ullage_directory; and not test -O "$HOME"; and return
    set -g __ullage_asked $__ullage_now
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
            __ullage_put_within; and return
            builtin functions -q __ullage_mode_prompt; and return
            builtin functions -q fish_mode_prompt; and builtin functions -c fish_mode_prompt __ullage_mode_prompt
            builtin functions -q __ullage_mode_prompt; or function __ullage_mode_prompt
            end
            function fish_mode_prompt
                test "$__ullage_placed" != yes; or __ullage_is_final $argv; or builtin printf '%s ' $__ullage_shown
                __ullage_mode_prompt $argv
            end
        case right
            builtin functions -q __ullage_right_prompt; and return
            builtin functions -q fish_right_prompt; and builtin functions -c fish_right_prompt __ullage_right_prompt
            builtin functions -q __ullage_right_prompt; or function __ullage_right_prompt
            end
            function fish_right_prompt
                __ullage_right_prompt $argv
                __ullage_is_final $argv; or builtin printf ' %s' $__ullage_shown
            end
    end
end

# Some like an empty line before their prompt, below which the segment belongs. Others draw a frame as wide as the
# terminal, above which it does. Such a prompt is drawn by one of ours; fails for others.
function __ullage_put_within
    if builtin functions fish_prompt | string match -q '*__ullage_prompt *'
        set -g __ullage_placed drawn
        return
    end
    set -l __ullage_first (fish_prompt | string collect --no-trim-newlines)
    string match -qr '^[\r\n]' -- $__ullage_first; or __ullage_is_full "$__ullage_first"; or return
    set -g __ullage_placed drawn
    builtin functions -e __ullage_prompt
    builtin functions -c fish_prompt __ullage_prompt
    function fish_prompt
        set -l __ullage_whole (__ullage_prompt $argv | string collect --no-trim-newlines)
        set -l __ullage_lines
        set -l __ullage_rest
        string match -qr '^(?<__ullage_lines>[\r\n]*)(?<__ullage_rest>(?s:.*))$' -- $__ullage_whole
        set -l __ullage_between ' '
        __ullage_is_full "$__ullage_rest"; and set __ullage_between \n
        __ullage_is_final $argv; or set __ullage_rest "$__ullage_shown$__ullage_between$__ullage_rest"
        builtin printf '%s%s' "$__ullage_lines" "$__ullage_rest"
        set -g __ullage_placed drawn
    end
end

# Whether a prompt's first line leaves no room for the segment.
function __ullage_is_full
    set -l __ullage_widths (string length --visible -- "$__ullage_shown " (string split -m 1 \n -- "$argv")[1])
    test (builtin math "max(13, $__ullage_widths[1]) + $__ullage_widths[2]") -gt $COLUMNS
end

# Nothing to show, or the prompt of a line that is done: fish says so, and starship's enable_transience.
function __ullage_is_final
    test -z "$__ullage_shown" -o "$TRANSIENT" = 1; or builtin contains -- --final-rendering $argv
end
