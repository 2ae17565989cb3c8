#!/bin/sh
# The tmux plugin: shows the segment where status-left or status-right has #{ullage}.
#
# With TPM:     set -g @plugin '<owner>/ullage'
# Without:      run-shell '/path/to/ullage.tmux'
# And then:     set -g status-right '#{ullage} %H:%M'
#
# It shows the text that a refresh has set (`[tmux]` with `push = true` in ullage's config.toml), while that is true, and
# else what ullage-prompt prints, which must be in the PATH of the tmux server.

shown='#{?#{&&:#{e|>=:%s,#{@ullage_from}},#{e|<:%s,#{@ullage_until}}},#{@ullage},#(ullage-prompt tmux)}'

interpolate() {
    # The dot keeps a newline at the end, which $( ) would drop.
    value=$(tmux show-option -gqv "$1" && printf .)
    value=${value%??}
    changed=
    while :; do
        case $value in
            *'#{ullage}'*)
                changed=$changed${value%%'#{ullage}'*}$shown
                value=${value#*'#{ullage}'}
                ;;
            *) break ;;
        esac
    done
    [ -n "$changed" ] || return 0
    value=$changed$value
    # tmux takes a semicolon at an argument's end for the end of the command.
    case $value in
        *';') value=${value%;}'\;' ;;
        *) ;;
    esac
    tmux set-option -g -- "$1" "$value"
    found=yes
}

found=
interpolate status-left
interpolate status-right
[ -n "$found" ] || exit 0

# What tmux leaves for the status line by default is too little for a clock and the segment.
length=$(tmux show-option -gqv status-right-length)
[ "${length:-0}" -ge 100 ] || tmux set-option -g status-right-length 100
command -v ullage-prompt >/dev/null ||
    tmux display-message 'ullage-prompt is not in the PATH of this tmux server'
