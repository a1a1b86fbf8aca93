"""Networks of transformers' classes, loaded whole or not at all.

transformers draws at random what a checkpoint lacks, and passes over what it has no place for. Here both are errors,
but for names that a caller passes over by saying why.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import CheckpointError
from ..libraries import quiet
from ..torchvision import ensure_torchvision
from .files import reading
from .filling import report_problems, shape_text
from .inspection import inspected
from .tensors import OLD_BUFFER, open_weights, weights_file

_LOG = logging.getLogger(__name__)
_ALWAYS = {rf"{re.escape(OLD_BUFFER)}$": "a buffer that older versions of transformers saved"}


def load_pretrained(
    class_name: str,
    folder: Path,
    *,
    what: str,
    dtype: object,
    passed_over: Mapping[str, str],
    too_large: str,
    config: Any = None,
    **options: Any,
) -> Any:
    """Return the network of a class of transformers, with the weights of a folder, for inference.

    `what` it is, for messages; `dtype` is torch's, in which it is kept. `passed_over` are regular expressions, searched
    in the names of weights that the class has no place for, each with the reason why that is no fault. `too_large` is
    the remedy where memory runs out. Without `config` the folder's own is taken, which must be the class's. `options`
    are those of `from_pretrained`. In an inspection the network has no numbers.

    Raises `CheckpointError` where the files are not one whole model (`weights_file`) or cannot be read, and where a
    weight is missing, unexpected or of another shape.
    """
    ensure_torchvision()
    import torch
    import transformers

    weights_file(folder)
    kind = getattr(transformers, class_name)
    if config is None and not class_name.startswith("Auto"):
        config = _own_config(kind, folder)
    source: Path | None = folder
    if inspected() is not None:
        source, options["state_dict"] = None, dict(open_weights(folder))
    with reading(what, folder), quiet():
        try:
            network, found = kind.from_pretrained(
                source,
                config=config,
                dtype=dtype,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # an error below, with all other names
                **options,
            )
        except torch.OutOfMemoryError:
            raise CheckpointError(f"{what} does not fit into memory", folder, too_large) from None
    problems = {
        "missing": sorted(found["missing_keys"]),
        "unexpected": sorted(_unexpected(found["unexpected_keys"], {**_ALWAYS, **passed_over})),
        "of another shape": sorted(
            f"{name} {shape_text(given)} for {shape_text(own)}" for name, given, own in found["mismatched_keys"]
        ),
    }
    report_problems(problems, type(network).__name__, folder, len(network.state_dict()))
    if inspected() is not None:
        network.tie_weights()  # transformers does not, on the meta device
    return network.eval().requires_grad_(False)


def _own_config(kind: Any, folder: Path) -> Any:
    """Return the folder's configuration, which must be that of a class."""
    import transformers

    with reading("the checkpoint's config.json", folder):
        config: Any = transformers.AutoConfig.from_pretrained(folder)
    if not isinstance(config, kind.config_class):
        what = f"the checkpoint is a {config.model_type}, not a {kind.config_class.model_type}"
        raise CheckpointError(what, folder, "name another checkpoint")
    return config


def _unexpected(names: Iterable[str], passed_over: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        reason = next((reason for pattern, reason in passed_over.items() if re.search(pattern, name)), None)
        if reason is None:
            yield name
        else:
            _LOG.info("%s is passed over: %s", name, reason)
