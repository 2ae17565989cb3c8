"""Metadata that is known only where the package is built: the addresses of the repository that a release is made from.

The release workflow says where it runs; a build elsewhere, or a fork's, names no address that is not its own.
"""

from __future__ import annotations

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Addresses(MetadataHookInterface):
    """Fill `project.urls` from ULLAGE_REPOSITORY_URL."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the addresses to the project's metadata."""
        home = os.environ.get("ULLAGE_REPOSITORY_URL", "").rstrip("/")
        pages = {
            "Homepage": "",
            "Documentation": "/tree/main/docs",
            "Changelog": "/blob/main/CHANGELOG.md",
            "Issues": "/issues",
            "Source": "",
        }
        metadata["urls"] = {name: home + page for name, page in pages.items()} if home else {}
