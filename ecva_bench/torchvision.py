"""torchvision made importable beside a torch it was not built for.

Every torchvision wheel for Linux is built against CUDA's torch. Beside a CPU torch its compiled operators do not load
and `import torchvision` fails; with it fails every class of transformers that could look at a picture, and whatever
inherits from the same base. Only two operators are missed at import. Knows those, and nothing of models.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.util import find_spec
from typing import Literal

from .errors import EcvaError

_MISSING = re.compile(r"operator torchvision::(\w+) does not exist")
_MOST = 8  # operators that may be missing: two are, and a version that misses many is another problem


@cache
def ensure_torchvision() -> Literal["absent", "native", "shimmed"]:
    """Import torchvision if it is installed, and say how: as it is, or with operators declared that do nothing.

    Call it before anything of transformers that is more than a configuration. What stays missing beside a CPU torch
    are torchvision's compiled operators (nms, roi_align) and its reading of image files, which raise when called.
    Raises `EcvaError` where the two wheels do not go together.
    """
    if find_spec("torchvision") is None:
        return "absent"
    import torch

    for declared in range(_MOST):
        try:
            import torchvision
        except RuntimeError as error:
            missing = _MISSING.search(str(error))
            if missing is None:
                raise _mismatch(error) from error
            torch.library.define(
                f"torchvision::{missing[1]}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            )
            for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
                del sys.modules[name]
        except ImportError as error:
            raise _mismatch(error) from error
        else:
            del torchvision
            return "shimmed" if declared else "native"
    raise _mismatch(f"more than {_MOST} operators are missing")


def _mismatch(why: object) -> EcvaError:
    from importlib.metadata import version

    pair = f"torchvision {version('torchvision')} beside torch {version('torch')}"
    remedy = (
        "install the pair that belongs together (torchvision 0.28 with torch 2.13), or uninstall torchvision, without "
        "which models that take videos do not work"
    )
    return EcvaError(f"torchvision cannot be imported ({why})", pair, remedy)
