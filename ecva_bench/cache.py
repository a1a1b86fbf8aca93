"""Where files that can be made again are kept. Knows the folder and nothing of what lies in it."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Return the cache folder, which need not exist: `$ECVA_CACHE`, else the platform's (`~/.cache/ecva-bench`)."""
    own = os.environ.get("ECVA_CACHE")
    if own:
        return Path(own).expanduser()
    platform = os.environ.get("XDG_CACHE_HOME")
    base = Path(platform).expanduser() if platform else Path.home() / ".cache"
    return base / "ecva-bench"
