"""Other libraries: their versions, and what they say while they load and compute, which is kept off the terminal.

What matters of what they say is an error or a line of ours. The rest (bars, warnings, advice) is for whoever looks for
a fault: it is shown where the environment has `ECVA_VERBOSE`, which `ecva-bench --verbose` sets, and Python's warnings
are passed to `logging` as `py.warnings`, for programs that keep a log. Knows libraries by name only, and imports none.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

VERBOSE = "ECVA_VERBOSE"
_LOGGERS = ("accelerate", "huggingface_hub", "peft", "transformers", "vllm")
# Read by a library when it is imported, here or in a process that it starts. What a user has set stays.
_SETTINGS = {
    "HF_HUB_VERBOSITY": "error",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "TRANSFORMERS_VERBOSITY": "error",
    "VLLM_LOGGING_LEVEL": "ERROR",
}


def versions_of(*packages: str) -> dict[str, str]:
    """Return the versions of those of some packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """Keep off the terminal what libraries say, errors excepted. It can be entered within itself."""
    if os.environ.get(VERBOSE):
        yield
        return
    with ExitStack() as undo:
        for name in _SETTINGS.keys() - os.environ.keys():
            os.environ[name] = _SETTINGS[name]
            undo.callback(os.environ.pop, name, None)
        for logger in map(logging.getLogger, _LOGGERS):
            undo.callback(logger.setLevel, logger.level)
            logger.setLevel(max(logger.level, logging.ERROR))
        shown_by = warnings.showwarning
        logging.captureWarnings(True)
        if warnings.showwarning is not shown_by:
            undo.callback(logging.captureWarnings, False)
        if sys.modules.get("transformers"):  # which is None where its import is barred
            _hide_bars(undo)
        yield


def _hide_bars(undo: ExitStack) -> None:
    """Hide the bars of transformers: those of its parts would stand on a terminal side by side with our own."""
    from transformers import utils

    bars: Any = utils.logging
    if bars.is_progress_bar_enabled():
        bars.disable_progress_bar()
        undo.callback(bars.enable_progress_bar)
