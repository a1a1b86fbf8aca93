"""ecva-bench: evaluation of causation understanding of video anomalies (ECVA, arXiv 2412.07183).

    import ecva_bench as eb

    outcome = eb.run("motion", tasks="cause")  # a name, ./file.py:Name, an Adapter, or (video, question) -> str
    scored = eb.score(outcome)
    print(eb.leaderboard(scored, task="cause"))

What is meant for use from outside is in `__all__`. Importing this package imports nothing else: each name is fetched
when it is first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .answering import Adapter, Baseline, ModelCard, ModelOutput, Question, create_adapter
    from .api import Compared, Leaderboard, RunOutcome, Scored, compare, leaderboard, run, score
    from .data import Dataset, load_dataset
    from .errors import DataError, EcvaError, UsageError
    from .judging import Call, Judge, JudgePrompt, Scale, Verdict, open_judge
    from .records import Annotation, Label, Moment, Sample
    from .scoring import Column, Gap, Scorable, Scorer, Share, get_protocol, get_scorer
    from .taxonomy import load_taxonomy
    from .version import __version__
    from .video import Frames, Video, samplers

__all__ = [
    "Adapter",
    "Annotation",
    "Baseline",
    "Call",
    "Column",
    "Compared",
    "DataError",
    "Dataset",
    "EcvaError",
    "Frames",
    "Gap",
    "Judge",
    "JudgePrompt",
    "Label",
    "Leaderboard",
    "ModelCard",
    "ModelOutput",
    "Moment",
    "Question",
    "RunOutcome",
    "Sample",
    "Scale",
    "Scorable",
    "Scored",
    "Scorer",
    "Share",
    "UsageError",
    "Verdict",
    "Video",
    "__version__",
    "compare",
    "create_adapter",
    "get_protocol",
    "get_scorer",
    "leaderboard",
    "load_dataset",
    "load_taxonomy",
    "open_judge",
    "run",
    "samplers",
    "score",
]

_ROOMS = {
    "answering": (
        "Adapter",
        "Baseline",
        "ModelCard",
        "ModelOutput",
        "Question",
        "create_adapter",
    ),
    "api": (
        "Compared",
        "Leaderboard",
        "RunOutcome",
        "Scored",
        "compare",
        "leaderboard",
        "run",
        "score",
    ),
    "data": (
        "Dataset",
        "load_dataset",
    ),
    "errors": (
        "DataError",
        "EcvaError",
        "UsageError",
    ),
    "judging": (
        "Call",
        "Judge",
        "JudgePrompt",
        "Scale",
        "Verdict",
        "open_judge",
    ),
    "records": (
        "Annotation",
        "Label",
        "Moment",
        "Sample",
    ),
    "scoring": (
        "Column",
        "Gap",
        "Scorable",
        "Scorer",
        "Share",
        "get_protocol",
        "get_scorer",
    ),
    "taxonomy": ("load_taxonomy",),
    "version": ("__version__",),
    "video": (
        "Frames",
        "Video",
        "samplers",
    ),
}
_ROOM = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _ROOM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_ROOM[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """This package: `leaderboard` is the function, though a room has the name too.

    Python sets every module that it imports as an attribute of its package. What is in the room is imported from
    `ecva_bench.leaderboard`, as ever.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name == "leaderboard" and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
