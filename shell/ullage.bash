# shellcheck shell=bash
# The quota segment in bash's prompt: eval "$(ullage init bash)" in ~/.bashrc, or source this file.
#
# ULLAGE_PLACE, set before: left (the default) puts the segment before your PS1; manual leaves PS1 alone, for
# PS1='${ullage_segment-}\$ '; starship exports ULLAGE_SEGMENT for its env_var module instead. ULLAGE_OFF=1 hides it.
#
# A reader of the timeline file (src/ullage/quota/timeline.py has its format), in the grammar of bash 3.2. A prompt forks
# nothing; what is shown is referred to by PS1, never part of it, so that nothing in it is run.

: "${__ullage_program:=ullage}"

ullage_on() { unset ULLAGE_OFF; }
ullage_off() { ULLAGE_OFF=1; }
ullage_segment() { printf '%s' "${ullage_segment-}"; }

__ullage_hook() {
    local status=$?
    __ullage_update || :
    # The user finds the status as it was; only what follows in the same string would not. Whatever fails without need
    # sets off a trap on ERR, and ends the shell under errexit.
    case $- in *e*) return 0 ;; *) ;; esac
    [[ ${PROMPT_COMMAND-} != *__ullage_hook*[![:space:]\;]* ]] || return "$status"
}

__ullage_update() {
    local now=${EPOCHSECONDS-} header=
    [[ -n $now ]] || __ullage_clock
    if [[ -f $__ullage_file && -r $__ullage_file && -O $__ullage_file && ! -L $__ullage_file && -O $__ullage_directory ]]; then
        IFS='' builtin read -r header <"$__ullage_file"
    fi
    if [[ $header != "$__ullage_header" || -n ${ULLAGE_OFF-} || ${PS1-} != *"$__ullage_mark"* ||
        ${ULLAGE_CACHE_DIR-}:${XDG_CACHE_HOME-}:${HOME-}:${CLAUDE_CONFIG_DIR-}:${NO_COLOR-}:${TERM-} != "$__ullage_key" ]] ||
        ((now < __ullage_from || now >= __ullage_until)) || ! shopt -q promptvars; then
        __ullage_renew
    fi
}

__ullage_renew() {
    # A restricted shell may write to nothing, /dev/null included.
    [[ $- != *r* ]] || return 0
    if [[ -n ${ULLAGE_OFF-} ]]; then
        __ullage_until=0
        __ullage_show ''
        return
    fi
    __ullage_locate
    __ullage_read
    ((now >= __ullage_from && now < __ullage_until)) || __ullage_refresh
    __ullage_show "$__ullage_text"
}

# The rule of src/ullage/system/places.py; sets __ullage_directory and __ullage_file, to nothing where there is none.
__ullage_locate() {
    local root=${ULLAGE_CACHE_DIR-} profile=${CLAUDE_CONFIG_DIR-} surface=bash
    __ullage_key=${ULLAGE_CACHE_DIR-}:${XDG_CACHE_HOME-}:${HOME-}:${CLAUDE_CONFIG_DIR-}:${NO_COLOR-}:${TERM-}
    [[ $__ullage_place != starship ]] || surface=starship
    [[ -z ${NO_COLOR-} && ${TERM-} != dumb ]] || surface+=-plain
    if [[ -z $root ]]; then
        root=${HOME-}/.cache/ullage
        [[ ! -d /System/Library/CoreServices ]] || root=${HOME-}/Library/Caches/ullage
        case ${XDG_CACHE_HOME-} in /*) root=$XDG_CACHE_HOME/ullage ;; *) ;; esac
    fi
    case $profile in
        '') __ullage_directory=$root/default ;;
        *) __ullage_directory=$root/profiles$profile ;;
    esac
    case $root:$profile in
        /*: | /*:/*) ;;
        *) __ullage_directory= ;;
    esac
    case $__ullage_directory/ in
        /../* | */../*) __ullage_directory= ;;
        *) ;;
    esac
    __ullage_file=${__ullage_directory:+$__ullage_directory/$surface.timeline}
}

# Sets `now` where EPOCHSECONDS does not exist (before 5.0). SECONDS belongs to the user, who may set it, so a leap
# makes this look at the clock anew.
__ullage_clock() {
    if [[ ${BASH_VERSINFO[0]} -gt 4 || ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} == 4[2-9] ]]; then
        printf -v now '%(%s)T' -1
        return
    fi
    if [[ -z $__ullage_boot ]] || ((SECONDS < __ullage_seen || SECONDS > __ullage_seen + 3600)); then
        now=$(command date +%s) || now=0
        __ullage_boot=$((now - SECONDS))
    fi
    __ullage_seen=$SECONDS
    now=$((__ullage_boot + SECONDS))
}

__ullage_is_epoch() {
    case $1 in
        # Each digit is named: a range holds what the locale puts between its ends. A leading zero would mean octal.
        '' | *[!0123456789]* | 0?* | ????????????????*) return 1 ;;
        *) ;;
    esac
}

# Sets the text for `now`, and from when until when nothing is to be done: it stands, and no refresh is due.
__ullage_read() {
    local header line start due
    __ullage_header='' __ullage_text='' __ullage_from=0 __ullage_until=0
    [[ -f $__ullage_file && -r $__ullage_file && -O $__ullage_file && ! -L $__ullage_file && -O $__ullage_directory ]] || return 0
    {
        IFS='' builtin read -r header || header=
        line=${header#ullage-timeline 1 }
        [[ $header == "ullage-timeline 1 $line" && $line == *' '* ]] || return 0
        start=${line%% *}
        line=${line#* }
        due=${line%% *}
        __ullage_is_epoch "$start" && __ullage_is_epoch "$due" || return 0
        __ullage_header=$header __ullage_from=$start __ullage_until=$due
        while IFS='' builtin read -r line; do
            start=${line%% *}
            [[ $line == *' '*' '* ]] || break
            __ullage_is_epoch "$start" || break
            if ((start > now)); then
                ((due < start)) || __ullage_until=$start
                break
            fi
            ((__ullage_from > start)) || __ullage_from=$start
            line=${line#* }
            __ullage_text=${line#* }
        done
    } 2>/dev/null <"$__ullage_file"
}

# At most once in 30 seconds. The subshell keeps it out of the job table; a refresh that held a descriptor would keep
# whatever waits for it, an ssh session say, from ending.
__ullage_refresh() {
    ((now - __ullage_asked < 30 && now >= __ullage_asked)) && return
    [[ -n $__ullage_directory ]] && [[ -w $__ullage_directory || ! -e $__ullage_directory ]] || return 0
    __ullage_asked=$now
    ("$__ullage_program" refresh --detach </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &)
}

__ullage_show() {
    if [[ $__ullage_place == starship ]]; then
        export ULLAGE_SEGMENT="$1"
        return
    fi
    ullage_segment=$1
    [[ $__ullage_place == left ]] && __ullage_may_set PS1 2>/dev/null || return 0
    # posix mode expands PS1 whatever promptvars says.
    if shopt -q promptvars || [[ -o posix ]]; then
        __ullage_replace "$__ullage_pasted" ''
        __ullage_pasted=
        # Whoever mentions it has placed it; so have we, after the first time.
        case ${PS1-} in *ullage_segment*) ;; *) __ullage_insert "$__ullage_reference" ;; esac
    else
        __ullage_paste "$1"
    fi
}

# Assigning to a readonly variable would end the hook and, under errexit, the shell; making it local only fails.
__ullage_may_set() { local "$1"; }

# Where PS1 is not expanded there is nothing to refer with: the text itself goes in, replaced at each prompt, in a form
# that would run nothing even if promptvars came back.
__ullage_paste() {
    # shellcheck disable=SC1003  # two backslashes are meant
    local text=$1 backslashes='\\' quote="'" open='\[' close='\]'
    text=${text//\\/"$backslashes"}
    text=${text//\`/"$quote"}
    # shellcheck disable=SC2016  # not to be expanded, that is the point
    text=${text//'$('/"?("}
    # shellcheck disable=SC2016
    text=${text//'${'/"?{"}
    text=${text//'$['/"?["}
    text=${text//$'\001'/"$open"}
    text=${text//$'\002'/"$close"}
    text=${text:+$text }
    __ullage_replace "$__ullage_reference" ''
    if [[ -n $__ullage_pasted && ${PS1-} == *"$__ullage_pasted"* ]]; then
        __ullage_replace "$__ullage_pasted" "$text"
    else
        __ullage_insert "$text"
    fi
    __ullage_pasted=$text
}

# ${PS1/old/new} would do, if all versions agreed on what a quote, a backslash or an & means there.
__ullage_replace() {
    [[ -n $1 && $1 != "$2" && ${PS1-} == *"$1"* ]] || return 0
    PS1=${PS1%%"$1"*}$2${PS1#*"$1"}
}

# Puts it in front, after the empty lines that some like before a prompt.
__ullage_insert() {
    local before=
    while :; do
        case ${PS1-} in
            '\n'*) before="$before\\n" PS1=${PS1#??} ;;
            $'\n'*) before=$before$'\n' PS1=${PS1#?} ;;
            *) break ;;
        esac
    done
    PS1=$before$1${PS1-}
}

__ullage_install() {
    __ullage_key='' __ullage_directory='' __ullage_file='' __ullage_header='' __ullage_text=''
    __ullage_from=0 __ullage_until=0 __ullage_asked=0 __ullage_boot='' __ullage_seen=0
    # shellcheck disable=SC2016  # PS1 expands it
    __ullage_reference='${ullage_segment:+$ullage_segment }'
    : "${__ullage_pasted=}"
    __ullage_place=${ULLAGE_PLACE:-left} __ullage_mark=
    [[ $__ullage_place != left ]] || __ullage_mark=ullage_segment
    case "${PROMPT_COMMAND[*]-} ${precmd_functions[*]-}" in
        *__ullage_hook*) ;;
        *) __ullage_hook_in ;;
    esac
}

__ullage_hook_in() {
    __ullage_may_set PROMPT_COMMAND || return 0
    if [[ -n ${bash_preexec_imported-}${__bp_imported-} ]]; then
        precmd_functions+=(__ullage_hook)
        return
    fi
    if [[ ${BASH_VERSINFO[0]} -gt 5 || ${BASH_VERSINFO[0]}${BASH_VERSINFO[1]} == 5[1-9] ]]; then
        # starship makes its prompt in PROMPT_COMMAND, so what it shows must be there before; a PS1 that is made there
        # can be added to only after.
        if [[ $__ullage_place == starship ]]; then
            PROMPT_COMMAND=(__ullage_hook ${PROMPT_COMMAND[@]+"${PROMPT_COMMAND[@]}"})
        else
            PROMPT_COMMAND=(${PROMPT_COMMAND[@]+"${PROMPT_COMMAND[@]}"} __ullage_hook)
        fi
        return
    fi
    # Older ones run no more than the first element.
    local commands=${PROMPT_COMMAND-}
    while [[ $commands == *[\;[:space:]] ]]; do commands=${commands%?}; done
    # shellcheck disable=SC2178  # assigned as a string it stays what it was
    PROMPT_COMMAND=${commands:+$commands;}__ullage_hook
}

case $- in *i*) __ullage_install ;; *) ;; esac
