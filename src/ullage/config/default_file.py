"""The config.toml that `ullage config write` makes."""

from __future__ import annotations

from ullage.config.options import OPTIONS


def write_default() -> str:
    """Return a config.toml that says everything and changes nothing: each option explained and commented out."""
    lines = [
        "# ullage: what to show and whom to ask. `ullage config check` reads this file and says what is wrong.",
        "",
    ]
    table = ""
    for option in OPTIONS:
        *parents, name = option.key.split(".")
        if ".".join(parents) != table:
            table = ".".join(parents)
            lines += [f"[{table}]", ""]
        lines += [f"# {line}" for line in option.explanation.splitlines()]
        lines += [f"# {name} = {write_value(option.default)}", ""]
    return "\n".join(lines)


def write_value(value: object) -> str:
    """Write a text, a number, a flag, or a list or table of these the way TOML does."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(write_value(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{write_value(name)} = {write_value(item)}' for name, item in value.items())}}}"
    if isinstance(value, str):
        import json

        written = json.dumps(value, ensure_ascii=False)
        return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)
    return str(value)
