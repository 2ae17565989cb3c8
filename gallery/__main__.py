"""`make picture`: draw the pictures anew, all of them or those that are named."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from gallery import photos, scenes
from tests.support.tools import REPOSITORY

FOLDER = REPOSITORY / "docs" / "gallery"
MADE_FROM = FOLDER / "made-from.json"


def main() -> None:
    """Draw."""
    named = sys.argv[1:] or [*scenes.SCENES, *photos.PHOTOS]
    FOLDER.mkdir(exist_ok=True)
    made_from = json.loads(MADE_FROM.read_text()) if MADE_FROM.exists() else {}
    for name in named:
        print(name, flush=True)
        # Each in a home of its own, so that none depends on which others are drawn.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, scenes.Stage(Path(home)) as stage:
            if name in scenes.SCENES:
                (FOLDER / f"{name}.svg").write_text(scenes.SCENES[name](stage), encoding="utf-8")
            else:
                made_from[name] = photos.PHOTOS[name].read(stage)
                photos.PHOTOS[name].take(stage, FOLDER)
    MADE_FROM.write_text(json.dumps(made_from, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
