# shellcheck shell=bash
# The quota segment in bash's prompt: eval "$(ullage init bash)" in ~/.bashrc, or source this file.
#
# ULLAGE_PLACE, set before: left (the default) puts the segment before your PS1; manual leaves PS1 alone, for
# PS1='${ullage_segment-}\$ '; starship exports ULLAGE_SEGMENT for its env_var module instead. ULLAGE_OFF=1 hides it.
#
# A reader of the timeline file (src/ullage/quota/timeline.py has its format), in the grammar of bash 3.2. A prompt forks
# nothing; what is shown is referred to by PS1, never part of it, so that nothing in it is run.
#
# No alias of the user's stands for a word of this file, and builtins are called as such, so that no function does. Local
# names have our prefix too: a readonly variable of the same name would end the hook. No command gets name=value, which
# set -k would take away from it.

\builtin shopt -q expand_aliases && __ullage_aliases=-s || __ullage_aliases=-u
\builtin shopt -u expand_aliases

builtin : "${__ullage_program:=ullage}"

ullage_on() { builtin unset ULLAGE_OFF; }
ullage_off() { ULLAGE_OFF=1; }
ullage_segment() { builtin printf '%s' "${ullage_segment-}"; }

__ullage_hook() {
    __ullage_status=$?
    __ullage_update || builtin :
    # The user finds the status as it was; only what follows in the same string would not. Whatever fails without need
    # sets off a trap on ERR, and ends the shell under errexit.
    case $- in *e*) builtin return 0 ;; *) ;; esac
    [[ ${PROMPT_COMMAND-} != *"$__ullage_call"*[![:space:]\;]* ]] || builtin return "$__ullage_status"
}

__ullage_update() {
    builtin local __ullage_now __ullage_found
    __ullage_now=${EPOCHSECONDS-} __ullage_found=
    # Before 5.0 it is a variable like any other: what the environment holds under this name would be calculated, and run.
    case $__ullage_now in '' | *[!0123456789]*) __ullage_clock ;; *) ;; esac
    # Whose it is matters once something else is in it.
    if [[ -f $__ullage_file && -r $__ullage_file ]]; then
        IFS='' builtin read -r __ullage_found <"$__ullage_file"
    fi
    if [[ $__ullage_found != "$__ullage_header" || -n ${ULLAGE_OFF-} || ${PS1-} != *"$__ullage_mark"* ||
        ${#__ullage_times}:${ULLAGE_CACHE_DIR-}:${XDG_CACHE_HOME-}:${HOME-}:${CLAUDE_CONFIG_DIR-}:${NO_COLOR-}:${TERM-} != "$__ullage_key" ]] ||
        ((__ullage_now < __ullage_from || __ullage_now >= __ullage_until)) || ! builtin shopt -q promptvars; then
        __ullage_renew
    fi
}

__ullage_renew() {
    # A restricted shell may write to nothing, /dev/null included.
    [[ $- != *r* ]] || builtin return 0
    __ullage_locate
    # Programs that drive a dumb terminal, TRAMP say, take the first line that ends in % for the prompt.
    if [[ -n ${ULLAGE_OFF-} ]] || [[ ${TERM-} == dumb && $__ullage_place != manual ]]; then
        __ullage_until=0
        __ullage_show ''
        builtin return
    fi
    __ullage_read
    __ullage_show "$__ullage_text"
    # Last: where no process can be started, bash goes back to the prompt from there.
    ((__ullage_now >= __ullage_from && __ullage_now < __ullage_until)) || __ullage_refresh
}

# The rule of src/ullage/system/places.py; sets __ullage_directory and __ullage_file, to nothing where there is none.
__ullage_locate() {
    builtin local __ullage_root __ullage_profile __ullage_surface
    # Another fills a trusted cache; it is only read, whoever owns its files.
    __ullage_trusted=${ULLAGE_TRUSTED_CACHE-}
    __ullage_root=${__ullage_trusted:-${ULLAGE_CACHE_DIR-}} __ullage_profile=${CLAUDE_CONFIG_DIR-} __ullage_surface=bash
    __ullage_key=${#__ullage_times}:${ULLAGE_CACHE_DIR-}:${XDG_CACHE_HOME-}:${HOME-}:${CLAUDE_CONFIG_DIR-}:${NO_COLOR-}:${TERM-}
    [[ $__ullage_place != starship ]] || __ullage_surface=starship
    [[ -z ${NO_COLOR-} && ${TERM-} != dumb ]] || __ullage_surface+=-plain
    # Two bytes that are not one character: no UTF-8 here.
    [[ ${#__ullage_times} == 1 ]] || __ullage_surface+=-ascii
    case ${OSTYPE-} in msys* | cygwin*) __ullage_turn_to_windows ;; *) ;; esac
    if [[ -z $__ullage_root ]]; then
        __ullage_root=${HOME-}/.cache/ullage
        [[ ! -d /System/Library/CoreServices ]] || __ullage_root=${HOME-}/Library/Caches/ullage
        case ${XDG_CACHE_HOME-} in /*) __ullage_root=$XDG_CACHE_HOME/ullage ;; *) ;; esac
    fi
    case $__ullage_profile in
        '') __ullage_directory=$__ullage_root/default ;;
        *) __ullage_directory=$__ullage_root/profiles$__ullage_profile ;;
    esac
    case $__ullage_root:$__ullage_profile in
        /*: | /*:/*) ;;
        *) __ullage_directory= ;;
    esac
    case $__ullage_directory/ in
        /../* | */../*) __ullage_directory= ;;
        *) ;;
    esac
    __ullage_file=${__ullage_directory:+$__ullage_directory/$__ullage_surface.timeline}
}

# In Git Bash the cache is that of Windows' ullage, whose paths may have been given in either form: C:\x is /C/x here.
__ullage_turn_to_windows() {
    [[ -n $__ullage_root || -z ${LOCALAPPDATA-} ]] || __ullage_root=$LOCALAPPDATA/ullage/Cache
    __ullage_root=${__ullage_root//\\//} __ullage_profile=${__ullage_profile//\\//}
    case $__ullage_root in ?:/*) __ullage_root=/${__ullage_root%%:*}${__ullage_root#*:} ;; *) ;; esac
    case $__ullage_profile in ?:/*) __ullage_profile=/${__ullage_profile%%:*}${__ullage_profile#*:} ;; *) ;; esac
}

# Sets the time where EPOCHSECONDS does not exist (before 5.0). SECONDS belongs to the user, who may set it, so a leap
# makes this look at the clock anew.
__ullage_clock() {
    if [[ ${BASH_VERSINFO[0]} -gt 4 || ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} == 4[2-9] ]]; then
        builtin printf -v __ullage_now '%(%s)T' -1
        builtin return
    fi
    if [[ -z $__ullage_boot ]] || ((SECONDS < __ullage_seen || SECONDS > __ullage_seen + 3600)); then
        __ullage_now=$(builtin command date +%s) || __ullage_now=0
        __ullage_boot=$((__ullage_now - SECONDS))
    fi
    __ullage_seen=$SECONDS
    __ullage_now=$((__ullage_boot + SECONDS))
}

__ullage_is_epoch() {
    case $1 in
        # Each digit is named: a range holds what the locale puts between its ends. A leading zero would mean octal.
        '' | *[!0123456789]* | 0?* | ????????????????*) builtin return 1 ;;
        *) ;;
    esac
}

# Sets the text for now, and from when until when nothing is to be done: it stands, and no refresh is due.
__ullage_read() {
    builtin local __ullage_line __ullage_start __ullage_due
    __ullage_header='' __ullage_text='' __ullage_from=0 __ullage_until=0
    [[ -f $__ullage_file && -r $__ullage_file && ! -L $__ullage_file ]] || builtin return 0
    [[ -n $__ullage_trusted || (-O $__ullage_file && -O $__ullage_directory) ]] || builtin return 0
    {
        IFS='' builtin read -r __ullage_found || __ullage_found=
        __ullage_line=${__ullage_found#ullage-timeline 1 }
        [[ $__ullage_found == "ullage-timeline 1 $__ullage_line" && $__ullage_line == *' '* ]] || builtin return 0
        __ullage_start=${__ullage_line%% *}
        __ullage_line=${__ullage_line#* }
        __ullage_due=${__ullage_line%% *}
        __ullage_is_epoch "$__ullage_start" && __ullage_is_epoch "$__ullage_due" || builtin return 0
        __ullage_header=$__ullage_found __ullage_from=$__ullage_start __ullage_until=$__ullage_due
        while IFS='' builtin read -r __ullage_line; do
            __ullage_start=${__ullage_line%% *}
            [[ $__ullage_line == *' '*' '* ]] || builtin break
            __ullage_is_epoch "$__ullage_start" || builtin break
            if ((__ullage_start > __ullage_now)); then
                ((__ullage_due < __ullage_start)) || __ullage_until=$__ullage_start
                builtin break
            fi
            ((__ullage_from > __ullage_start)) || __ullage_from=$__ullage_start
            __ullage_line=${__ullage_line#* }
            __ullage_text=${__ullage_line#* }
        done
    } 2>/dev/null <"$__ullage_file"
}

# At most once in 30 seconds. The subshell keeps it out of the job table; a refresh that held a descriptor would keep
# whatever waits for it, an ssh session say, from ending.
__ullage_refresh() {
    ((__ullage_now - __ullage_asked < 30 && __ullage_now >= __ullage_asked)) && builtin return
    [[ -n $__ullage_directory && -z $__ullage_trusted ]] && [[ -w $__ullage_directory || ! -e $__ullage_directory ]] || builtin return 0
    # Root in the home of somebody else would leave files there that their owner cannot change.
    [[ $__ullage_directory != "${HOME-}"/* || -O ${HOME-} ]] || builtin return 0
    __ullage_asked=$__ullage_now
    # Ten minutes after a fork that failed: bash itself tries one for 15 seconds.
    ((__ullage_now - __ullage_stuck < 600 && __ullage_now >= __ullage_stuck)) && builtin return
    __ullage_stuck=$__ullage_now
    __ullage_may_fork || builtin return 0
    (builtin command "$__ullage_program" refresh --detach </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &) || builtin return 0
    __ullage_stuck=0
}

# Whether the user may have some processes more (ulimit -u), as far as Linux tells. They are counted only where the limit
# is below what runs on the whole machine.
__ullage_may_fork() {
    builtin local __ullage_line __ullage_most __ullage_each
    [[ $EUID != 0 && -r /proc/self/limits && -r /proc/loadavg ]] || builtin return 0
    __ullage_most='' __ullage_line=''
    while IFS='' builtin read -r __ullage_line; do
        [[ $__ullage_line == 'Max processes '* ]] || builtin continue
        __ullage_line=${__ullage_line#'Max processes '}
        __ullage_most=${__ullage_line#"${__ullage_line%%[! ]*}"}
        __ullage_most=${__ullage_most%% *}
    done 2>/dev/null </proc/self/limits
    __ullage_is_epoch "$__ullage_most" || builtin return 0
    # The shell of the refresh, the refresh, and what it starts.
    ((__ullage_most -= 4))
    IFS='' builtin read -r __ullage_line 2>/dev/null </proc/loadavg
    __ullage_line=${__ullage_line#*/}
    __ullage_line=${__ullage_line%% *}
    ! __ullage_is_epoch "$__ullage_line" || ((__ullage_line > __ullage_most)) || builtin return 0
    # A thread counts like a process. Where names are not expanded (set -f), nothing is counted.
    for __ullage_each in /proc/[0123456789]*/task/*; do
        [[ ! -O $__ullage_each ]] || ((__ullage_most -= 1)) || builtin :
    done
    ((__ullage_most >= 0))
}

__ullage_show() {
    if [[ $__ullage_place == starship ]]; then
        ULLAGE_SEGMENT=$1
        # shellcheck disable=SC2034  # starship reads it
        builtin export ULLAGE_SEGMENT
        builtin return
    fi
    ullage_segment=$1
    [[ $__ullage_place == left ]] && __ullage_may_set PS1 2>/dev/null || builtin return 0
    # posix mode expands PS1 whatever promptvars says.
    if builtin shopt -q promptvars || [[ -o posix ]]; then
        __ullage_paste_over '' || builtin :
        # Whoever mentions it has placed it; so have we, after the first time.
        case ${TERM-}:${PS1-} in
            dumb:* | *ullage_segment*) ;;
            *)
                __ullage_insert "$__ullage_reference"
                __ullage_run_last
                ;;
        esac
    else
        __ullage_paste "$1"
    fi
}

# Assigning to a readonly variable would end the hook and, under errexit, the shell; making it local only fails.
__ullage_may_set() { builtin local "$1"; }

# Where PS1 is not expanded there is nothing to refer with: the text itself goes in, between two marks that show nothing
# and replaced at each prompt, in a form that would run nothing even if promptvars came back.
__ullage_paste() {
    builtin local __ullage_pasted __ullage_new
    # shellcheck disable=SC1003  # two backslashes are meant
    __ullage_pasted=$1 __ullage_new='\\'
    __ullage_pasted=${__ullage_pasted//\\/"$__ullage_new"}
    __ullage_new="'"
    __ullage_pasted=${__ullage_pasted//\`/"$__ullage_new"}
    # shellcheck disable=SC2016  # not to be expanded, that is the point
    __ullage_pasted=${__ullage_pasted//'$('/"?("}
    # shellcheck disable=SC2016
    __ullage_pasted=${__ullage_pasted//'${'/"?{"}
    # shellcheck disable=SC2016
    __ullage_pasted=${__ullage_pasted//'$['/"?["}
    __ullage_new='\['
    __ullage_pasted=${__ullage_pasted//$'\001'/"$__ullage_new"}
    __ullage_new='\]'
    __ullage_pasted=${__ullage_pasted//$'\002'/"$__ullage_new"}
    __ullage_pasted=${__ullage_pasted:+$__ullage_edge$__ullage_pasted $__ullage_edge}
    __ullage_replace "$__ullage_reference" ''
    __ullage_paste_over "$__ullage_pasted" || [[ ${TERM-} == dumb ]] || __ullage_insert "$__ullage_pasted"
}

# Puts a text into the place of what was pasted before; fails where there is nothing.
__ullage_paste_over() {
    builtin local __ullage_rest
    __ullage_rest=${PS1-}
    __ullage_rest=${__ullage_rest#*"$__ullage_edge"}
    [[ $__ullage_rest == *"$__ullage_edge"* ]] || builtin return 1
    PS1=${PS1%%"$__ullage_edge"*}$1${__ullage_rest#*"$__ullage_edge"}
}

# ${PS1/old/new} would do, if all versions agreed on what a quote, a backslash or an & means there.
__ullage_replace() {
    [[ -n $1 && $1 != "$2" && ${PS1-} == *"$1"* ]] || builtin return 0
    PS1=${PS1%%"$1"*}$2${PS1#*"$1"}
}

# Puts it in front, after the empty lines that some like before a prompt.
__ullage_insert() {
    builtin local __ullage_before
    __ullage_before=
    while builtin :; do
        case ${PS1-} in
            '\n'*) __ullage_before="$__ullage_before\\n" PS1=${PS1#??} ;;
            $'\n'*) __ullage_before=$__ullage_before$'\n' PS1=${PS1#?} ;;
            *) builtin break ;;
        esac
    done
    PS1=$__ullage_before$1${PS1-}
}

# Where it runs first, what makes PS1 anew comes after: a reference that is gone again shows that there is such a thing.
# Adding to the commands is all that bash, which is going through them now, bears.
__ullage_run_last() {
    case $__ullage_first in
        yes) __ullage_first=once ;;
        once)
            __ullage_first=
            __ullage_may_set PROMPT_COMMAND 2>/dev/null || builtin return 0
            __ullage_append
            ;;
        *) ;;
    esac
}

__ullage_install() {
    __ullage_key='' __ullage_directory='' __ullage_file='' __ullage_header='' __ullage_text=''
    __ullage_from=0 __ullage_until=0 __ullage_asked=0 __ullage_stuck=0 __ullage_boot='' __ullage_seen=0
    # shellcheck disable=SC2016  # PS1 expands it
    __ullage_reference='${ullage_segment:+$ullage_segment }'
    __ullage_edge='\[\]\[\]'
    __ullage_times=$'\303\227'
    # A shell that inherits PROMPT_COMMAND has no hook, and runs `:`. Under xtrace our steps go nowhere.
    __ullage_hook=__ullage_hook
    # shellcheck disable=SC2016
    __ullage_call='{ "${__ullage_hook:-:}"; } 2>&-'
    __ullage_place=${ULLAGE_PLACE:-left} __ullage_mark=
    [[ $__ullage_place != left ]] || __ullage_mark=ullage_segment
    case "${PROMPT_COMMAND[*]-} ${precmd_functions[*]-} ${STARSHIP_PROMPT_COMMAND-}" in
        *__ullage_hook*) ;;
        *) __ullage_hook_in "$1" ;;
    esac
}

__ullage_hook_in() {
    __ullage_first=
    __ullage_may_set PROMPT_COMMAND || builtin return 0
    if [[ $__ullage_place == starship ]]; then
        __ullage_hook_in_for_starship
    elif [[ -n ${bash_preexec_imported-}${__bp_imported-} ]]; then
        precmd_functions+=(__ullage_hook)
    elif [[ -z $1 ]]; then
        # A PS1 that is made in PROMPT_COMMAND can be added to only after.
        __ullage_append
    else
        # A trap on DEBUG that clocks commands, or puts them into a title, takes what comes after the user's own for the
        # next command.
        __ullage_first=yes
        if __ullage_has_array; then
            PROMPT_COMMAND=("$__ullage_call" ${PROMPT_COMMAND[@]+"${PROMPT_COMMAND[@]}"})
        else
            # shellcheck disable=SC2128,SC2178  # assigned as a string it stays what it was
            PROMPT_COMMAND=$__ullage_call${PROMPT_COMMAND:+;$PROMPT_COMMAND}
        fi
    fi
}

# starship makes its prompt in the first of the commands, after it has run what was there before it.
__ullage_hook_in_for_starship() {
    if [[ -n ${bash_preexec_imported-}${__bp_imported-} ]]; then
        precmd_functions=(__ullage_hook ${precmd_functions[@]+"${precmd_functions[@]}"})
    elif [[ ${PROMPT_COMMAND-} != *starship_precmd* ]]; then
        __ullage_join "${PROMPT_COMMAND-}"
        # shellcheck disable=SC2178
        PROMPT_COMMAND=$__ullage_joined
    elif [[ -n ${STARSHIP_PROMPT_COMMAND-} ]]; then
        __ullage_join "$STARSHIP_PROMPT_COMMAND"
        STARSHIP_PROMPT_COMMAND=$__ullage_joined
    else
        # shellcheck disable=SC2128,SC2178
        PROMPT_COMMAND="$__ullage_call;$PROMPT_COMMAND"
    fi
}

__ullage_append() {
    if __ullage_has_array; then
        PROMPT_COMMAND+=("$__ullage_call")
    else
        __ullage_join "${PROMPT_COMMAND-}"
        # shellcheck disable=SC2178
        PROMPT_COMMAND=$__ullage_joined
    fi
}

__ullage_join() {
    __ullage_joined=$1
    while [[ $__ullage_joined == *[\;[:space:]] ]]; do __ullage_joined=${__ullage_joined%?}; done
    __ullage_joined=${__ullage_joined:+$__ullage_joined;}$__ullage_call
}

# Older ones run no more than the first element.
__ullage_has_array() {
    [[ ${BASH_VERSINFO[0]} -gt 5 || ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} == 5[1-9] ]]
}

case $- in
    *i*) __ullage_install "$(builtin trap -p DEBUG)" ;;
    *) ;;
esac

# In one line, which is read before there are aliases again.
builtin shopt "$__ullage_aliases" expand_aliases && builtin unset __ullage_aliases
