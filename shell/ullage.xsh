# The quota segment in xonsh's prompt, for 0.13 and newer: `execx($(ullage init xonsh))` in .xonshrc, after your own
# $PROMPT. The field {ullage_segment} is there for prompts made by hand (--manual). ullage_off hides it.
#
# A reader of the timeline file (src/ullage/quota/timeline.py has its format). A prompt starts no process.


def __ullage_load(program, place):
    import os
    import re
    import stat
    import subprocess
    import time

    # The user's own functions of these names would stand for them in what is loaded here.
    from builtins import OSError, ValueError, callable, getattr, int, len, open, str

    from xonsh.built_ins import XSH

    env = XSH.env
    asked = 0

    def given(name):
        return str(env.get(name) or "")

    # The rule of src/ullage/system/places.py.
    def locate():
        root, profile = given("ULLAGE_TRUSTED_CACHE") or given("ULLAGE_CACHE_DIR"), given("CLAUDE_CONFIG_DIR")
        if not root and given("XDG_CACHE_HOME").startswith("/"):
            root = given("XDG_CACHE_HOME") + "/ullage"
        elif not root:
            macos = os.path.isdir("/System/Library/CoreServices")
            root = given("HOME") + ("/Library/Caches/ullage" if macos else "/.cache/ullage")
        directory = root + "/profiles" + profile if profile else root + "/default"
        if not root.startswith("/") or profile[:1] not in ("", "/") or "/../" in directory + "/":
            return None
        return directory

    # Only a file of one's own, in a directory of one's own, or any in a cache that is trusted and only read.
    def read(directory):
        surface = "fish-plain" if given("NO_COLOR") or given("TERM") == "dumb" else "fish"
        locale = given("LC_ALL") or given("LC_CTYPE") or given("LANG")
        if not re.search("utf-?8", locale, re.IGNORECASE):
            surface += "-ascii"
        path = os.path.join(directory, surface + ".timeline")
        try:
            status = os.lstat(path)
            ours = {status.st_uid, os.stat(directory).st_uid} == {os.geteuid()}
            if not stat.S_ISREG(status.st_mode) or not (ours or given("ULLAGE_TRUSTED_CACHE")):
                return ""
            with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
                return file.read()
        except (OSError, ValueError):
            return ""

    def refresh(directory, now):
        nonlocal asked
        if given("ULLAGE_TRUSTED_CACHE") or asked <= now < asked + 30 or os.path.exists(directory) and not os.access(directory, os.W_OK):
            return
        asked = now
        # Root in the home of somebody else would leave files there that their owner cannot change.
        home = given("HOME")
        if directory.startswith(home + "/") and (not os.path.exists(home) or os.stat(home).st_uid != os.geteuid()):
            return
        nothing = subprocess.DEVNULL
        command = [program, "refresh", "--detach"]
        try:
            subprocess.Popen(
                command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True, env=env.detype()
            )
        except OSError:
            pass

    def segment():
        # Programs that drive a dumb terminal, TRAMP say, take the first line that ends in % for the prompt.
        hidden = given("ULLAGE_OFF") or (given("TERM") == "dumb" and place != "manual")
        directory = None if hidden else locate()
        if directory is None:
            return None
        now = int(time.time())
        header, *lines = read(directory).split("\n")
        times = re.match(r"ullage-timeline 1 ([0-9]{1,15}) ([0-9]{1,15})(?: |$)", header)
        if not times or not int(times[1]) <= now < int(times[2]):
            refresh(directory, now)
        text = ""
        for line in lines if times else ():
            frame = re.match(r"([0-9]{1,15}) \S* (.*)$", line)
            if not frame or int(frame[1]) > now:
                break
            text = frame[2]
        # What is left is for xonsh to colour: braces name its colours, and readline has to be told what has no width.
        if getattr(XSH.shell, "shell_type", "") == "readline":
            text = re.sub("\033\\[[0-9;]*m", "\001\\g<0>\002", text)
        return text.replace("{", "{{").replace("}", "}}") or None

    def off():
        env["ULLAGE_OFF"] = "1"

    XSH.aliases["ullage_off"] = off
    loaded = "ullage_segment" in env["PROMPT_FIELDS"]
    env["PROMPT_FIELDS"]["ullage_segment"] = segment
    if loaded or place == "manual":
        return
    name, before, after = ("RIGHT_PROMPT", "", "{ullage_segment: {}}") if place == "right" else ("PROMPT", "{ullage_segment:{} }", "")
    theirs = env.get(name, "")

    # After the empty lines that some like before a prompt.
    def placed(prompt):
        lines = prompt[: len(prompt) - len(prompt.lstrip("\r\n"))]
        return lines + before + prompt[len(lines) :] + after

    env[name] = (lambda: placed(theirs())) if callable(theirs) else placed(theirs)


if __xonsh__.env.get("XONSH_INTERACTIVE"):
    __ullage_load(__ullage_program, __ullage_place)
del __ullage_load
