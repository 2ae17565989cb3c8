# The quota segment in zsh's prompt: eval "$(ullage init zsh)" in ~/.zshrc, or source this file.
#
# ULLAGE_PLACE, set before: left (the default) puts the segment before your PROMPT, right before your RPROMPT; manual
# leaves both alone, for PROMPT='$ullage_segment %# ' under prompt_subst; starship exports ULLAGE_SEGMENT for its
# env_var module instead. ULLAGE_OFF=1 hides it. For powerlevel10k, add `ullage` to its elements and choose manual.
#
# A reader of the timeline file (src/ullage/quota/timeline.py has its format), for zsh 5.3 and newer. A prompt forks nothing.
# What comes from outside lies in psvar, which prompts print as it is whatever the options; only colours that are
# nothing but digits become part of a prompt.

typeset -g __ullage_program=${__ullage_program:-ullage}

ullage_on() { unset ULLAGE_OFF }
ullage_off() { typeset -g ULLAGE_OFF=1 }
ullage_segment() { print -rn -- "${ullage_segment-}" }

# powerlevel10k evaluates both when it shows them, so that a refresh that lands is seen. There is no instant_prompt_ullage:
# before .zshrc has run, nothing is known that is true now.
prompt_ullage() { p10k segment -c '$ullage_segment' -e -t '$ullage_segment' }

# What runs at every prompt is written to mean the same under any options; the rest sets its own.
__ullage_precmd() {
    local data=
    if [[ -f $__ullage_file && -r $__ullage_file && -O $__ullage_file && ! -L $__ullage_file && -O $__ullage_directory ]]; then
        data=$(<"$__ullage_file")
    fi
    if [[ $data != "$__ullage_data" || -n ${ULLAGE_OFF-} || ${(P)__ullage_prompt-} != *"$__ullage_placed"* || $PSVAR != *"$__ullage_values" ||
        ${ULLAGE_CACHE_DIR-}:${XDG_CACHE_HOME-}:${HOME-}:${CLAUDE_CONFIG_DIR-}:${NO_COLOR-}:${TERM-} != "$__ullage_key" ]] ||
        (( EPOCHSECONDS < __ullage_from || EPOCHSECONDS >= __ullage_until )); then
        __ullage_update
    fi
    (( ! __ullage_awaited )) || __ullage_listen
    return 0
}

__ullage_update() {
    'builtin' 'emulate' -L zsh -o no_bg_nice
    # A restricted shell may write to nothing, /dev/null included.
    if [[ -n ${ULLAGE_OFF-} || -o restricted ]]; then
        __ullage_until=0
        __ullage_show ''
        return
    fi
    local now=$EPOCHSECONDS data=
    local key="${ULLAGE_CACHE_DIR-}:${XDG_CACHE_HOME-}:${HOME-}:${CLAUDE_CONFIG_DIR-}:${NO_COLOR-}:${TERM-}"
    [[ $key == "$__ullage_key" ]] || __ullage_locate
    if [[ -f $__ullage_file && -r $__ullage_file && -O $__ullage_file && ! -L $__ullage_file && -O $__ullage_directory ]]; then
        data=$(<$__ullage_file)
    fi
    __ullage_read
    (( now >= __ullage_from && now < __ullage_until )) || __ullage_refresh
    __ullage_show "$__ullage_text"
}

# The rule of src/ullage/system/places.py; sets __ullage_directory and __ullage_file, to nothing where there is none.
__ullage_locate() {
    local root=${ULLAGE_CACHE_DIR-} profile=${CLAUDE_CONFIG_DIR-} surface=zsh directory=
    [[ $__ullage_place != starship ]] || surface=starship
    [[ -z ${NO_COLOR-} && ${TERM-} != dumb ]] || surface+=-plain
    if [[ -z $root ]]; then
        root=${HOME-}/.cache/ullage
        [[ ! -d /System/Library/CoreServices ]] || root=${HOME-}/Library/Caches/ullage
        [[ ${XDG_CACHE_HOME-} != /* ]] || root=$XDG_CACHE_HOME/ullage
    fi
    directory=$root/profiles$profile
    [[ -n $profile ]] || directory=$root/default
    [[ $root == /* && ${profile:-/} == /* && $directory/ != */../* ]] || directory=
    typeset -g __ullage_key=$key __ullage_data= __ullage_directory=$directory
    typeset -g __ullage_file=${directory:+$directory/$surface.timeline} __ullage_until=0
}

# Sets the text for `now` and from when until when nothing is to be done: it stands, and no refresh is due.
__ullage_read() {
    typeset -g __ullage_data=$data __ullage_text= __ullage_from=0 __ullage_until=0
    local -a lines=("${(@f)data}")
    local -a header=("${(@s: :)lines[1]}")
    [[ $header[1] == ullage-timeline && $header[2] == 1 ]] || return 0
    __ullage_is_epoch "$header[3]" && __ullage_is_epoch "$header[4]" || return 0
    __ullage_from=$header[3] __ullage_until=$header[4]
    local line start
    for line in "${(@)lines[2,-1]}"; do
        start=${line%% *}
        [[ $line == *' '*' '* ]] && __ullage_is_epoch "$start" || return 0
        if (( start > now )); then
            (( __ullage_until < start )) || __ullage_until=$start
            return
        fi
        (( __ullage_from > start )) || __ullage_from=$start
        line=${line#* }
        __ullage_text=${line#* }
    done
}

__ullage_is_epoch() {
    [[ $1 == <-> && $1 != 0?* && ${#1} -lt 16 ]]
}

# At most once in 30 seconds.
__ullage_refresh() {
    (( now - __ullage_asked >= 30 || now < __ullage_asked )) || return 0
    [[ -n $__ullage_directory ]] && [[ -w $__ullage_directory || ! -e $__ullage_directory ]] || return 0
    typeset -g __ullage_asked=$now __ullage_awaited=1
    ULLAGE_NOTIFY=$$ command "$__ullage_program" refresh --detach </dev/null >/dev/null 2>&1 \
        3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &!
}

# The refresh that this shell has started says with SIGURG that it has landed. All that do not listen ignore that
# signal, and this shell listens only while a line is edited: a trap would cut a `wait` of the user's short.
__ullage_listen() {
    if (( EPOCHSECONDS - __ullage_asked > 120 )); then
        __ullage_awaited=0
        return
    fi
    TRAPURG() {
        'builtin' 'emulate' -L zsh
        __ullage_update
        ! builtin zle || builtin zle __ullage_redraw
        return 0
    }
}

__ullage_preexec() {
    if (( __ullage_awaited )); then
        unfunction TRAPURG 2>/dev/null || :
    fi
    return 0
}

# A continued command has another prompt; the next one shows what has come.
__ullage_redraw() {
    'builtin' 'emulate' -L zsh
    [[ ${CONTEXT-} != start ]] || builtin zle .reset-prompt
}

__ullage_show() {
    if [[ $__ullage_place == starship ]]; then
        typeset -gx ULLAGE_SEGMENT=$1
        return
    fi
    # Others write to psvar too, and some write all of it.
    [[ $1 == "$__ullage_shown" && $PSVAR == *"$__ullage_values" ]] || __ullage_shape "$1"
    case $__ullage_place in
        left|right) __ullage_put ;;
    esac
}

# Turns the text of a frame into one that refers: %{..%}82%%%{..%} into %{..%}%61v%{..%} and psvar[61]=82%.
__ullage_shape() {
    typeset -g __ullage_shown=$1 ullage_segment=
    # A lone % begins an escape; a doubled one is text, kept aside under a character that no text holds.
    local text=${1//\%\%/$'\1'} piece colour n=61
    local -a pieces=("${(@ps:%{:)text}")
    for piece in "$pieces[@]"; do
        if [[ $piece == $'\e['*m%}* ]]; then
            colour=${${piece%%m%\}*}#??}
            piece=${piece#*%\}}
            [[ $colour == *[^0123456789\;]* ]] || ullage_segment+="%{"$'\e['"${colour}m%}"
        fi
        [[ -n $piece ]] || continue
        psvar[n]=${piece//$'\1'/%}
        ullage_segment+="%${n}v"
        (( n += 1 ))
    done
    psvar[n,-1]=()
    typeset -g __ullage_values=${(j.:.)psvar[61,-1]}
}

# Puts the segment in front of the prompt, or in the place of what was put there before.
__ullage_put() {
    # Assigning to a readonly one would end the hook with a message at every prompt.
    [[ ${(Pt)__ullage_prompt} != *readonly* ]] || return 0
    local whole=${(P)__ullage_prompt-} before=$__ullage_placed after=${ullage_segment:+$ullage_segment }
    if [[ -z $before || $whole != *"$before"* ]]; then
        whole=$after$whole
    else
        whole=${whole%%"$before"*}$after${whole#*"$before"}
    fi
    typeset -g "$__ullage_prompt=$whole" "__ullage_placed=$after"
}

__ullage_install() {
    'builtin' 'emulate' -L zsh -o no_aliases
    builtin zmodload -F zsh/datetime p:EPOCHSECONDS || return 0
    typeset -g __ullage_place=${ULLAGE_PLACE:-left} __ullage_placed=${__ullage_placed-}
    typeset -g __ullage_prompt=PROMPT
    [[ $__ullage_place != right ]] || __ullage_prompt=RPROMPT
    typeset -g __ullage_key= __ullage_directory= __ullage_file= __ullage_data= __ullage_text=
    typeset -g __ullage_shown= __ullage_values= ullage_segment=
    typeset -gi __ullage_from=0 __ullage_until=0 __ullage_asked=${__ullage_asked:-0} __ullage_awaited=0
    builtin zle -N __ullage_redraw
    typeset -ga precmd_functions preexec_functions
    preexec_functions=("${(@)preexec_functions:#__ullage_preexec}" __ullage_preexec)
    precmd_functions=("${(@)precmd_functions:#__ullage_precmd}" __ullage_precmd)
}

if [[ -o interactive ]]; then
    __ullage_install
fi
