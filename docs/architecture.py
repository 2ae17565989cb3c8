"""Draw the houses of the code from their own imports, into docs/architecture.md: python docs/architecture.py."""

from __future__ import annotations

import ast
import pathlib
import re

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
SOURCE = REPOSITORY / "src" / "ullage"
PAGE = REPOSITORY / "docs" / "architecture.md"
_BLOCK = re.compile(r"(?<=<!-- drawn by docs/architecture\.py -->\n).*?(?=\n<!-- end -->)", re.DOTALL)

# What a house passes down is the flow; the rest of its arrows lead to the ground that everything stands on.
GROUND = ("base", "system", "quota", "config")


def read_arrows(source: pathlib.Path = SOURCE) -> dict[str, set[str]]:
    """Return the houses that each house imports from, type-only imports included."""
    houses = {path.name for path in source.iterdir() if (path / "__init__.py").exists()}
    arrows: dict[str, set[str]] = {house: set() for house in houses}
    for house in houses:
        for path in (source / house).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom):
                    module = f"{node.module}.{node.names[0].name}".split(".")
                    names = [module[1]] if module[0] == "ullage" and module[1] in houses else []
                    if node.module == "ullage":
                        names = [alias.name for alias in node.names if alias.name in houses]
                    arrows[house] |= {name for name in names if name != house}
    return arrows


def reduce_arrows(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out every arrow that a longer way between the same two houses implies."""

    def reach(house: str) -> set[str]:
        return {below for used in arrows[house] for below in ({used} | reach(used))}

    return {
        house: {used for used in found if not any(used in reach(other) for other in found if other != used)}
        for house, found in arrows.items()
    }


def draw(arrows: dict[str, set[str]]) -> str:
    """Return a Mermaid flowchart of the houses, the ground in a row of its own."""
    lines = ["```mermaid", "flowchart TD"]
    reduced = reduce_arrows(arrows)
    for house in sorted(reduced):
        lines += [f"    {house} --> {used}" for used in sorted(reduced[house])]
    lines += [f"    style {house} fill:#e8f0f8,color:#333" for house in GROUND]
    return "\n".join([*lines, "```"])


def page_with(drawing: str, page: str) -> str:
    """Return the page with a new drawing in the place of the old one."""
    return _BLOCK.sub(lambda _: drawing, page)


if __name__ == "__main__":
    PAGE.write_text(page_with(draw(read_arrows()), PAGE.read_text("utf-8")), encoding="utf-8")
