"""What a build adds that pyproject.toml cannot say: addresses of the repository, and the pages of docs/."""

from __future__ import annotations

import glob
import os
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

_ADDRESSES = {
    "Homepage": "",
    "Documentation": "/tree/main/docs",
    "Changelog": "/blob/main/CHANGELOG.md",
    "Issues": "/issues",
    "Source": "",
}


class Addresses(MetadataHookInterface):
    """Fill `project.urls` from ULLAGE_REPOSITORY_URL.

    The release workflow says where it runs. A build elsewhere, or a fork's, names no address that is not its own.
    """

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the addresses to the project's metadata."""
        home = os.environ.get("ULLAGE_REPOSITORY_URL", "").rstrip("/")
        metadata["urls"] = {name: home + page for name, page in _ADDRESSES.items()} if home else {}


class Documentation(BuildHookInterface[Any]):
    """Put every page of docs/ into the wheel, where `ullage.base.documentation` finds what messages refer to."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the pages; an editable install has those of the checkout."""
        if version != "editable":
            pages = glob.glob(os.path.join(self.root, "docs", "*.md"))
            build_data["force_include"] |= {page: f"ullage/docs/{os.path.basename(page)}" for page in pages}
