"""Networks whose checkpoint is one of a stock class of transformers: loaded whole, or not at all.

Knows how a folder becomes a network and nothing of what it computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ScoringError
from ..torchvision import ensure_torchvision

_OTHER = "name another checkpoint"


def load_stock(class_name: str, folder: Path, *, device: str, dtype: str) -> Any:
    """Return the network of a class in a folder, fit to be run; `ScoringError` where it is of another kind.

    Weights that the class has no use for, such as another task's head, are passed over; one that it lacks is an
    error, where transformers would draw it at random.
    """
    ensure_torchvision()
    import torch
    import transformers

    kind = getattr(transformers, class_name)
    try:
        config = transformers.AutoConfig.from_pretrained(folder)
    except (OSError, ValueError, KeyError) as error:
        raise ScoringError(f"the checkpoint's config.json cannot be used ({error})", folder, _OTHER) from None
    if not isinstance(config, kind.config_class):
        what = f"the checkpoint is a {config.model_type}, not a {kind.config_class.model_type}"
        raise ScoringError(what, folder, _OTHER)
    with _quiet():
        network, info = kind.from_pretrained(
            folder, config=config, dtype=getattr(torch, dtype), output_loading_info=True
        )
    if info["missing_keys"]:
        lacking = ", ".join(sorted(info["missing_keys"]))
        raise ScoringError(f"the checkpoint lacks weights ({lacking})", folder, _OTHER)
    return network.to(device).eval()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from drawing its own progress bar and from listing the weights that are passed over."""
    from transformers import utils

    logging: Any = utils.logging
    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()
