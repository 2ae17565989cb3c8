# The quota segment in zsh's prompt: eval "$(ullage init zsh)" in ~/.zshrc, or source this file.
#
# ULLAGE_PLACE, set before: left (the default) puts the segment before your PROMPT, right before your RPROMPT; manual
# leaves both alone, for PROMPT='$ullage_segment %# ' under prompt_subst; starship exports ULLAGE_SEGMENT for its
# env_var module instead. ULLAGE_OFF=1 hides it. For powerlevel10k, add `ullage` to its elements and choose manual.
#
# A reader of the timeline file (src/ullage/quota/timeline.py has its format), for zsh 5.3 and newer. A prompt forks nothing.
# What comes from outside lies in psvar, which prompts print as it is whatever the options, and PROMPT refers to it in
# words that never change: whoever saves a prompt and restores it later has the segment of then, once.
#
# Commands are quoted, so that no alias stands for them, and called as builtins, so that no function does. Local names
# have our prefix too: a readonly variable of the same name would end the hook.

'builtin' 'typeset' -g __ullage_program="${__ullage_program:-ullage}"

ullage_on() { 'builtin' 'unset' ULLAGE_OFF; }
ullage_off() { 'builtin' 'typeset' -g ULLAGE_OFF=1; }
ullage_segment() { 'builtin' 'print' -rn -- "${ullage_segment-}"; }

# powerlevel10k evaluates both when it shows them, so that a refresh that lands is seen. There is no instant_prompt_ullage:
# before .zshrc has run, nothing is known that is true now. Where the theme has colours for it, the text has none of its own.
# The theme asks before our own hook has run, so that the level would be that of the prompt before.
prompt_ullage() {
    __ullage_precmd
    'builtin' 'local' __ullage_content='$ullage_segment' __ullage_state=POWERLEVEL9K_ULLAGE_${__ullage_level-}
    'builtin' 'local' __ullage_own=${__ullage_state}_FOREGROUND __ullage_ground=${__ullage_state}_BACKGROUND
    __ullage_own=${(P)__ullage_own-}${(P)__ullage_ground-}
    [[ -z $__ullage_own${POWERLEVEL9K_ULLAGE_FOREGROUND-}${POWERLEVEL9K_ULLAGE_BACKGROUND-} ]] || __ullage_content='$__ullage_bare'
    p10k segment -s "${__ullage_level-}" -c '$ullage_segment' -e -t "$__ullage_content"
}

# What runs at every prompt is written to mean the same under any options; the rest sets its own. Under xtrace its steps
# go nowhere.
__ullage_precmd() {
    {
        __ullage_found=
        # Whose it is matters once something else is in it.
        if [[ -f $__ullage_file && -r $__ullage_file ]]; then
            __ullage_found=$(<"$__ullage_file")
        fi
        if [[ $__ullage_found != "$__ullage_data" || -n ${ULLAGE_OFF-} || ${(P)__ullage_prompt-} != "$__ullage_whole" ||
            ${psvar[-1]-} != *"$__ullage_sign" || ! -o promptpercent ||
            "${#__ullage_times}:${ULLAGE_CACHE_DIR-}:${XDG_CACHE_HOME-}:${HOME-}:${CLAUDE_CONFIG_DIR-}:${NO_COLOR-}:${TERM-}" != "$__ullage_key" ]] ||
            (( EPOCHSECONDS < __ullage_from || EPOCHSECONDS >= __ullage_until )); then
            __ullage_update || 'builtin' 'true'
        fi
    } 2>&$__ullage_nowhere
}

__ullage_update() {
    'builtin' 'local' __ullage_form=
    # With neither option a prompt can refer to nothing, and what it held would be shown as it is.
    if [[ -o promptpercent ]]; then
        __ullage_form=psvar
    elif [[ -o promptsubst ]]; then
        __ullage_form=plain
        [[ ! -o promptbang ]] || __ullage_form=bang
    fi
    'builtin' 'emulate' -L zsh -o no_aliases -o no_force_float
    'builtin' 'local' -i __ullage_now=$EPOCHSECONDS
    'builtin' 'local' __ullage_here=
    __ullage_found=
    __ullage_here="${#__ullage_times}:${ULLAGE_CACHE_DIR-}:${XDG_CACHE_HOME-}:${HOME-}:${CLAUDE_CONFIG_DIR-}:${NO_COLOR-}:${TERM-}"
    [[ $__ullage_here == "$__ullage_key" ]] || __ullage_locate
    # Programs that drive a dumb terminal, TRAMP say, take the first line that ends in % for the prompt. A restricted
    # shell may write to nothing, /dev/null included.
    if [[ -n ${ULLAGE_OFF-} || -o restricted ]] || [[ ${TERM-} == dumb && $__ullage_place != manual ]]; then
        __ullage_until=0
        __ullage_show ''
        'builtin' 'return'
    fi
    if [[ -f $__ullage_file && -r $__ullage_file && ! -L $__ullage_file ]] &&
        [[ -n $__ullage_trusted || ( -O $__ullage_file && -O $__ullage_directory ) ]]; then
        __ullage_found=$(<$__ullage_file)
    fi
    __ullage_read
    __ullage_show "$__ullage_text"
    # After it: where no process can be started, zsh goes back to the prompt from there.
    (( __ullage_now >= __ullage_from && __ullage_now < __ullage_until )) || __ullage_refresh
    # Once there are percents again, the next prompt must see it.
    [[ $__ullage_form == psvar ]] || __ullage_until=0
}

# The rule of src/ullage/system/places.py; sets __ullage_directory and __ullage_file, to nothing where there is none.
__ullage_locate() {
    # Another fills a trusted cache; it is only read, whoever owns its files.
    'builtin' 'typeset' -g __ullage_trusted=${ULLAGE_TRUSTED_CACHE-}
    'builtin' 'local' __ullage_root=${__ullage_trusted:-${ULLAGE_CACHE_DIR-}} __ullage_profile=${CLAUDE_CONFIG_DIR-} __ullage_surface=zsh
    [[ $__ullage_place != starship ]] || __ullage_surface=starship
    [[ -z ${NO_COLOR-} && ${TERM-} != dumb ]] || __ullage_surface+=-plain
    # Two bytes that are not one character: no UTF-8 here.
    (( ${#__ullage_times} == 1 )) || __ullage_surface+=-ascii
    if [[ -z $__ullage_root ]]; then
        __ullage_root=${HOME-}/.cache/ullage
        [[ ! -d /System/Library/CoreServices ]] || __ullage_root=${HOME-}/Library/Caches/ullage
        [[ ${XDG_CACHE_HOME-} != /* ]] || __ullage_root=$XDG_CACHE_HOME/ullage
    fi
    'builtin' 'typeset' -g __ullage_key=$__ullage_here __ullage_data= __ullage_directory=$__ullage_root/profiles$__ullage_profile
    [[ -n $__ullage_profile ]] || __ullage_directory=$__ullage_root/default
    [[ $__ullage_root == /* && ${__ullage_profile:-/} == /* && $__ullage_directory/ != */../* ]] || __ullage_directory=
    __ullage_file=${__ullage_directory:+$__ullage_directory/$__ullage_surface.timeline} __ullage_until=0
}

# Sets the text for now and from when until when nothing is to be done: it stands, and no refresh is due.
__ullage_read() {
    __ullage_data=$__ullage_found __ullage_text= __ullage_level= __ullage_from=0 __ullage_until=0
    'builtin' 'local' -a __ullage_lines __ullage_header
    __ullage_lines=("${(@f)__ullage_found}")
    __ullage_header=("${(@s: :)__ullage_lines[1]}")
    [[ $__ullage_header[1] == ullage-timeline && $__ullage_header[2] == 1 ]] || 'builtin' 'return' 0
    __ullage_is_epoch "$__ullage_header[3]" && __ullage_is_epoch "$__ullage_header[4]" || 'builtin' 'return' 0
    __ullage_from=$__ullage_header[3] __ullage_until=$__ullage_header[4]
    'builtin' 'local' __ullage_line __ullage_start
    for __ullage_line in "${(@)__ullage_lines[2,-1]}"; do
        __ullage_start=${__ullage_line%% *}
        [[ $__ullage_line == *' '*' '* ]] && __ullage_is_epoch "$__ullage_start" || 'builtin' 'return' 0
        if (( __ullage_start > __ullage_now )); then
            (( __ullage_until < __ullage_start )) || __ullage_until=$__ullage_start
            'builtin' 'return'
        fi
        (( __ullage_from > __ullage_start )) || __ullage_from=$__ullage_start
        __ullage_line=${__ullage_line#* }
        __ullage_level=${(U)__ullage_line%% *}
        __ullage_text=${__ullage_line#* }
    done
}

__ullage_is_epoch() {
    [[ -n $1 && $1 != *[^0123456789]* && $1 != 0?* && ${#1} -lt 16 ]]
}

# At most once in 30 seconds. The refresh holds the other end of a pipe, and nothing else of this shell's, until it has
# landed; who reads from it is called while zle waits for a key. A trap on a signal would run in the middle of a widget,
# and zsh then takes the terminal back from the program that the widget runs.
__ullage_refresh() {
    (( __ullage_now - __ullage_asked >= 30 || __ullage_now < __ullage_asked )) || 'builtin' 'return' 0
    [[ -n $__ullage_directory && -z $__ullage_trusted ]] && [[ -w $__ullage_directory || ! -e $__ullage_directory ]] || 'builtin' 'return' 0
    # Root in the home of somebody else would leave files there that their owner cannot change.
    [[ $__ullage_directory != "${HOME-}"/* || -O ${HOME-} ]] || 'builtin' 'return' 0
    __ullage_asked=$__ullage_now
    __ullage_stop_listening
    'builtin' 'sysopen' -r -o cloexec -u __ullage_landing <(
        ULLAGE_NOTIFY=stdout 'builtin' 'command' "$__ullage_program" refresh --detach </dev/null 2>/dev/null \
            3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    ) 2>/dev/null || 'builtin' 'return' 0
    'builtin' 'zle' -F $__ullage_landing __ullage_landed 2>/dev/null || __ullage_stop_listening
}

__ullage_stop_listening() {
    (( __ullage_landing >= 0 )) || 'builtin' 'return' 0
    'builtin' 'zle' -F $__ullage_landing 2>/dev/null
    'builtin' 'eval' 'exec {__ullage_landing}<&-' 2>/dev/null
    __ullage_landing=-1
}

__ullage_landed() {
    {
        'builtin' 'local' __ullage_before="$__ullage_shown"
        __ullage_update
        'builtin' 'emulate' -L zsh -o no_aliases -o no_force_float
        __ullage_stop_listening
        [[ $__ullage_before == "$__ullage_shown" ]] || ! 'builtin' 'zle' || 'builtin' 'zle' __ullage_redraw
        'builtin' 'return' 0
    } 2>&$__ullage_nowhere
}

# A continued command has another prompt; the next one shows what has come.
__ullage_redraw() {
    'builtin' 'emulate' -L zsh
    [[ ${CONTEXT-} != start ]] || 'builtin' 'zle' .reset-prompt
}

__ullage_show() {
    if [[ $__ullage_place == starship ]]; then
        'builtin' 'typeset' -gx ULLAGE_SEGMENT=$1
        'builtin' 'return'
    fi
    # Others write to psvar too, and some write all of it.
    [[ $1 == "$__ullage_shown" && ${psvar[-1]-} == "$__ullage_sign" ]] || __ullage_shape "$1"
    [[ $__ullage_prompt == __ullage_whole ]] || __ullage_put
    __ullage_whole=${(P)__ullage_prompt-}
}

# Turns the text of a frame into what the reference refers to: %{..%}82%%%{..%} into the pairs 32 and 82%, 0 and nothing.
__ullage_shape() {
    # A lone % begins an escape; a doubled one is text, kept aside under a character that no text holds.
    'builtin' 'local' __ullage_rest=${1//\%\%/$'\1'} __ullage_piece= __ullage_colour= __ullage_plain=
    'builtin' 'local' -i __ullage_n=61
    'builtin' 'local' -a __ullage_pieces
    __ullage_pieces=("${(@ps:%{:)__ullage_rest}")
    __ullage_shown=$1 ullage_segment=${1:+$__ullage_reference} __ullage_plain=
    psvar[60]=${1:+ }
    psvar[61,-1]=()
    for __ullage_piece in "$__ullage_pieces[@]"; do
        __ullage_colour=
        if [[ $__ullage_piece == $'\e['*m%}* ]]; then
            __ullage_colour=${${__ullage_piece%%m%\}*}#??}
            __ullage_piece=${__ullage_piece#*%\}}
            [[ $__ullage_colour != *[^0123456789\;]* ]] || __ullage_colour=
        fi
        __ullage_piece=${__ullage_piece//$'\1'/%}
        if (( __ullage_n > __ullage_last )); then
            # More colours than there is room for: the rest goes without.
            psvar[__ullage_last]=0
            psvar[__ullage_last+1]+=$__ullage_piece
        else
            psvar[__ullage_n]=$__ullage_colour
            psvar[__ullage_n+1]=$__ullage_piece
            (( __ullage_n += 2 ))
        fi
        __ullage_plain+=$__ullage_piece
    done
    # Whoever writes all of psvar anew leaves no sign of us, behind what the reference shows.
    __ullage_sign=ullage
    psvar[__ullage_last+2]=$__ullage_sign
    __ullage_plain=${__ullage_plain:+$__ullage_plain }
    'builtin' 'typeset' -g __ullage_uncoloured=$__ullage_plain __ullage_doubled=${__ullage_plain//\!/!!}
}

# Puts the reference in front of the prompt, once, after the empty lines that some like there.
__ullage_put() {
    'builtin' 'local' __ullage_new=${(P)__ullage_prompt-} __ullage_each= __ullage_lines=
    # Assigning to a readonly one would end the hook with a message at every prompt.
    [[ ${(Pt)__ullage_prompt} != *readonly* ]] || 'builtin' 'return' 0
    __ullage_placed=${__ullage_forms[$__ullage_form]-}
    [[ ${TERM-} != dumb ]] || __ullage_placed=
    for __ullage_each in "${(@v)__ullage_forms}"; do
        if [[ $__ullage_each != "$__ullage_placed" ]]; then
            __ullage_new=${__ullage_new//"$__ullage_each"/}
        fi
    done
    if [[ $__ullage_new != *"$__ullage_placed"* ]]; then
        while [[ $__ullage_new == $'\n'* ]]; do
            __ullage_lines+=$'\n' __ullage_new=${__ullage_new#$'\n'}
        done
        if [[ $__ullage_form == psvar && $__ullage_new == *$'\n'* ]] && __ullage_is_full "${__ullage_new%%$'\n'*}"; then
            __ullage_placed=$__ullage_forms[above]
        fi
        __ullage_new=$__ullage_lines$__ullage_placed$__ullage_new
    fi
    [[ $__ullage_new != "${(P)__ullage_prompt-}" ]] || 'builtin' 'return' 0
    # No other shell could read it.
    'builtin' 'typeset' -g +x "$__ullage_prompt=$__ullage_new"
}

# Whether the first line of a prompt leaves no room for the segment, which would break its frame. What would start a
# process is not looked at.
__ullage_is_full() {
    [[ $__ullage_prompt == PROMPT && $1 != *\$\(* && $1 != *\`* ]] || 'builtin' 'return' 1
    'builtin' 'setopt' local_options prompt_subst extended_glob
    'builtin' 'local' __ullage_line=${(S)1//\%\{*\%\}/}
    __ullage_line=${(%%)__ullage_line}
    __ullage_line=${__ullage_line//$'\e['[0-9;]#m/}
    (( ${(m)#__ullage_line} + 1 + (${(m)#__ullage_uncoloured} > 12 ? ${(m)#__ullage_uncoloured} : 12) > COLUMNS ))
}

__ullage_install() {
    'builtin' 'emulate' -L zsh -o no_aliases -o no_force_float
    'builtin' 'zmodload' -F zsh/datetime p:EPOCHSECONDS || 'builtin' 'return' 0
    'builtin' 'zmodload' -F zsh/system b:sysopen || 'builtin' 'return' 0
    'builtin' 'typeset' -g __ullage_place=${ULLAGE_PLACE:-left} __ullage_prompt=__ullage_whole __ullage_placed=
    case $__ullage_place in
        left) __ullage_prompt=PROMPT ;;
        right) __ullage_prompt=RPROMPT ;;
    esac
    'builtin' 'typeset' -g __ullage_key= __ullage_directory= __ullage_file= __ullage_data= __ullage_text= __ullage_level=
    'builtin' 'typeset' -g __ullage_found= __ullage_shown= __ullage_sign= __ullage_whole= ullage_segment= __ullage_uncoloured= __ullage_doubled=
    'builtin' 'typeset' -gi __ullage_from=0 __ullage_until=0 __ullage_asked=${__ullage_asked:-0}
    'builtin' 'typeset' -gi __ullage_landing=${__ullage_landing:--1}
    'builtin' 'typeset' -g __ullage_times=$'\xc3\x97'
    if [[ -z ${__ullage_nowhere-} ]]; then
        'builtin' 'typeset' -gi __ullage_nowhere=2
        'builtin' 'sysopen' -w -o cloexec -u __ullage_nowhere /dev/null || __ullage_nowhere=2
    fi
    # psvar[60] is the space between the segment and the prompt; then come pairs of a colour and a text.
    'builtin' 'typeset' -gi __ullage_last=107
    'builtin' 'typeset' -g __ullage_reference= __ullage_bare=
    'builtin' 'local' -i __ullage_n
    for (( __ullage_n = 61; __ullage_n <= __ullage_last; __ullage_n++ )); do
        __ullage_reference+="%(${__ullage_n}V.%{"$'\e['"%${__ullage_n}vm%}.)"
        (( __ullage_n++ ))
        __ullage_reference+="%${__ullage_n}v" __ullage_bare+="%${__ullage_n}v"
    done
    'builtin' 'typeset' -gA __ullage_forms
    __ullage_forms=(psvar "$__ullage_reference%60v" plain '${__ullage_uncoloured-}' bang '${__ullage_doubled-}'
        above "%(60V|$__ullage_reference"$'\n|)')
    'builtin' 'zle' -N __ullage_redraw
    'builtin' 'typeset' -ga precmd_functions
    precmd_functions=("${(@)precmd_functions:#__ullage_precmd}" __ullage_precmd)
}

if [[ -o interactive ]]; then
    __ullage_install
fi
