"""Folders that several packages use."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# In an installed package they are inside it, in a checkout beside it.
ASSETS = next(folder for folder in (_PACKAGE / "assets", _PACKAGE.parent / "assets") if folder.is_dir())
CACHE_VARIABLE = "RESNET_EXPLORER_CACHE"


def cache_folder() -> Path:
    """The folder for downloads: ``$RESNET_EXPLORER_CACHE``, else ``resnet-explorer`` in the user's cache."""
    own = os.environ.get(CACHE_VARIABLE)
    user = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(own).expanduser() if own else Path(user).expanduser() / "resnet-explorer"
