# The quota segment in elvish's prompt, for 0.19 and newer: `eval (ullage init elvish | slurp)` in rc.elv, after your
# own prompt. Elvish has neither a clock nor a way to ask for a file's owner, so that a reader of its own would have to
# run `date`; ullage-prompt is one process too, and does the rest. ullage_off hides it.

use re
use str

# Text with colours, as values. Elvish reads what a prompt puts (values) and what it prints (bytes) side by side, and
# which comes first is chance: the segment goes the way that the prompt goes.
fn ullage-painted {|text|
  var colours = [black red green yellow blue magenta cyan white]
  var fg bg bold dim underlined inverse = default default $false $false $false $false
  for match [(re:find '(?:\x1b\[([0-9;]*)m|^)([^\x1b]*)' $text)] {
    # Colours that take several numbers, as a word each: what follows 38 or 48 says nothing by itself.
    var codes = (re:replace '\b([34])8;5;(\d+)' '${1}8:color${2}' $match[groups][1][text])
    set codes = (re:replace '\b([34]8);2;(\d+;\d+;\d+)' {|rgb|
      var numbers = [(str:split ';' $rgb)]
      put $numbers[0]':'(printf '#%02x%02x%02x' (each $exact-num~ $numbers[2..]))
    } $codes)
    for code [(str:split ';' $codes)] {
      if (or (eq $code '') (eq $code 0)) {
        set fg bg bold dim underlined inverse = default default $false $false $false $false
      } elif (eq $code 1) { set bold = $true
      } elif (eq $code 2) { set dim = $true
      } elif (eq $code 4) { set underlined = $true
      } elif (eq $code 7) { set inverse = $true
      } elif (eq $code 39) { set fg = default
      } elif (eq $code 49) { set bg = default
      } elif (eq $code 22) { set bold dim = $false $false
      } elif (eq $code 24) { set underlined = $false
      } elif (eq $code 27) { set inverse = $false
      } elif (re:match '^38:' $code) { set fg = $code[3..]
      } elif (re:match '^48:' $code) { set bg = $code[3..]
      } elif (re:match '^3[0-7]$' $code) { set fg = $colours[$code[1]]
      } elif (re:match '^4[0-7]$' $code) { set bg = $colours[$code[1]]
      } elif (re:match '^9[0-7]$' $code) { set fg = bright-$colours[$code[1]]
      } elif (re:match '^10[0-7]$' $code) { set bg = bright-$colours[$code[2]]
      }
    }
    styled-segment $match[groups][2][text] &fg-color=$fg &bg-color=$bg &bold=$bold &dim=$dim ^
      &underlined=$underlined &inverse=$inverse
  }
}

# The segment as ullage-prompt writes it, or nothing.
fn ullage-text {
  # Programs that drive a dumb terminal, TRAMP say, take the first line that ends in % for the prompt.
  if (or (not-eq $E:ULLAGE_OFF '') (eq $E:TERM dumb)) { return }
  try {
    (external $ullage-program'-prompt') fish </dev/null 2>/dev/null
  } catch e { nop $e }
}

# What a prompt puts and prints, with the segment below the empty lines that it begins with. What is put is held by the
# pipe until all that is printed has been read.
fn ullage-below-empty-lines {|theirs text|
  $theirs | {
    var printed = (slurp)
    var values = [(only-values)]
    var is-printed = (eq $values [])
    var first = $printed
    if (not $is-printed) { set first = (if (eq (kind-of $values[0]) string) { put $values[0] } else { put '' }) }
    var lines = (re:find '^[\r\n]*' $first)[text]
    if $is-printed {
      print $lines$text$printed[(count $lines)..]
    } else {
      put $lines
      ullage-painted $text
      if (eq $lines '') { put $@values } else { put $first[(count $lines)..] (all $values[1..]) }
      if (not-eq $printed '') { ullage-painted $printed }
    }
  }
}

# How a prompt shows itself: whether it only prints, and whether it begins with an empty line. More values than this a
# pipe might not hold.
fn ullage-manner {|theirs|
  var values = [($theirs | only-values)]
  if (eq $values []) {
    put [&printed=$true &below=(re:match '^[\r\n]' ($theirs | only-bytes | slurp))]
  } else {
    put [&printed=$false &below=(and (< (count $values) 16) (eq (kind-of $values[0]) string) ^
        (re:match '^[\r\n]' $values[0]))]
  }
}

# Found out at the first prompt that shows something, when all of rc.elv has been read.
var ullage-their-manner = $nil

fn ullage-learn-manner {|theirs|
  if (eq $ullage-their-manner $nil) {
    set ullage-their-manner = (try { ullage-manner $theirs } catch e { put [&printed=$false &below=$false] })
  }
}

fn ullage-show {|text|
  if $ullage-their-manner[printed] { print $text } else { ullage-painted $text }
}

fn ullage-before {|theirs|
  for text [(ullage-text)] {
    ullage-learn-manner $theirs
    if $ullage-their-manner[below] {
      ullage-below-empty-lines $theirs $text' '
    } else {
      ullage-show $text' '
      $theirs
    }
    return
  }
  $theirs
}

fn ullage-after {|theirs|
  var texts = [(ullage-text)]
  if (not-eq $texts []) { ullage-learn-manner $theirs }
  $theirs
  for text $texts { ullage-show ' '$text }
}

edit:add-var ullage_off~ { set E:ULLAGE_OFF = 1 }

# A function with the option `ullage` is ours already.
fn ullage-is-ours {|prompt| try { eq $prompt[opt-names] [ullage] } catch e { put $false } }

if (eq $ullage-place right) {
  if (not (ullage-is-ours $edit:rprompt)) {
    var theirs~ = $edit:rprompt
    set edit:rprompt = {|&ullage=$true| ullage-after $theirs~ }
  }
} elif (not (ullage-is-ours $edit:prompt)) {
  var theirs~ = $edit:prompt
  set edit:prompt = {|&ullage=$true| ullage-before $theirs~ }
}
