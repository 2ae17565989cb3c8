# The quota segment in elvish's prompt, for 0.19 and newer: `eval (ullage init elvish | slurp)` in rc.elv, after your
# own prompt. Elvish has neither a clock nor a way to ask for a file's owner, so that a reader of its own would have to
# run `date`; ullage-prompt is one process too, and does the rest. ullage_off hides it.

use re
use str

# Values and not bytes: whatever a prompt prints as bytes, elvish shows after all that it puts as values.
fn ullage-painted {|text|
  var colours = [black red green yellow blue magenta cyan white]
  var fg bold dim underlined inverse = default $false $false $false $false
  for match [(re:find '(?:\x1b\[([0-9;]*)m|^)([^\x1b]*)' $text)] {
    var codes = $match[groups][1][text]
    for code [(str:split ';' (re:replace '\b38;2(;\d+){3}' rgb $codes))] {
      if (or (eq $code '') (eq $code 0)) {
        set fg bold dim underlined inverse = default $false $false $false $false
      } elif (eq $code 1) { set bold = $true
      } elif (eq $code 2) { set dim = $true
      } elif (eq $code 4) { set underlined = $true
      } elif (eq $code 7) { set inverse = $true
      } elif (eq $code 39) { set fg = default
      } elif (eq $code 22) { set bold dim = $false $false
      } elif (eq $code 24) { set underlined = $false
      } elif (eq $code 27) { set inverse = $false
      } elif (re:match '^3[0-7]$' $code) { set fg = $colours[$code[1]]
      } elif (re:match '^9[0-7]$' $code) { set fg = bright-$colours[$code[1]]
      }
    }
    for rgb [(re:find '\b38;2;(\d+);(\d+);(\d+)' $codes)] {
      set fg = (printf '#%02x%02x%02x' (for group $rgb[groups][1..] { exact-num $group[text] }))
    }
    styled-segment $match[groups][2][text] &fg-color=$fg &bold=$bold &dim=$dim &underlined=$underlined &inverse=$inverse
  }
}

fn ullage-segment {|before after|
  # Programs that drive a dumb terminal, TRAMP say, take the first line that ends in % for the prompt.
  if (or (not-eq $E:ULLAGE_OFF '') (eq $E:TERM dumb)) { return }
  try {
    for text [((external $ullage-program'-prompt') fish </dev/null 2>/dev/null)] {
      put $before
      ullage-painted $text
      put $after
    }
  } catch e { nop $e }
}

# What a prompt puts and prints, with the segment below the empty lines that it begins with. What is put is held by the
# pipe until all that is printed has been read.
fn ullage-below-empty-lines {|theirs segment|
  $theirs | {
    var printed = (slurp)
    var values = [(only-values)]
    var first = $printed
    if (not-eq $values []) { set first = (if (eq (kind-of $values[0]) string) { put $values[0] } else { put '' }) }
    var lines = (re:find '^[\r\n]*' $first)[text]
    put $lines $@segment
    if (eq $values []) {
      print $printed[(count $lines)..]
    } elif (eq $lines '') {
      put $@values
      print $printed
    } else {
      put $first[(count $lines)..] (all $values[1..])
      print $printed
    }
  }
}

# Whether a prompt begins with an empty line. More values than this a pipe might not hold.
fn ullage-begins-empty {|theirs|
  var values = [($theirs | only-values)]
  if (eq $values []) {
    re:match '^[\r\n]' ($theirs | only-bytes | slurp)
  } else {
    and (< (count $values) 16) (eq (kind-of $values[0]) string) (re:match '^[\r\n]' $values[0])
  }
}

# Found out at the first prompt that shows something, when all of rc.elv has been read.
var ullage-is-below = $nil

fn ullage-before {|theirs|
  var segment = [(ullage-segment '' ' ')]
  if (eq $segment []) {
    $theirs
    return
  }
  if (eq $ullage-is-below $nil) {
    set ullage-is-below = (try { ullage-begins-empty $theirs } catch e { put $false })
  }
  if $ullage-is-below {
    ullage-below-empty-lines $theirs $segment
  } else {
    put $@segment
    $theirs
  }
}

edit:add-var ullage_off~ { set E:ULLAGE_OFF = 1 }

# A function with the option `ullage` is ours already.
fn ullage-is-ours {|prompt| try { eq $prompt[opt-names] [ullage] } catch e { put $false } }

if (eq $ullage-place right) {
  if (not (ullage-is-ours $edit:rprompt)) {
    var theirs~ = $edit:rprompt
    set edit:rprompt = {|&ullage=$true| theirs; ullage-segment ' ' '' }
  }
} elif (not (ullage-is-ours $edit:prompt)) {
  var theirs~ = $edit:prompt
  set edit:prompt = {|&ullage=$true| ullage-before $theirs~ }
}
