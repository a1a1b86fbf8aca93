"""The judge: a language model that gives verdicts on texts, asked in batches, cached, replayable.

`Judge` is the interface that scorers use; a `Call` is one question to it and a `Verdict` its answer. `open_judge`
returns a judge by its model's name, `user_judge` one of a user's class. From a call to its verdict the modules
are: `messages` (what is sent); `endpoint`, `client`, `completions`, `transport` and `error_bodies` (a model behind an
endpoint) or `local` (a model in this process); `store` (stored replies); `verdicts` (from replies to a verdict; texts
are read by `reading.verdicts`); `identity` (which judge it was, for signatures). A `panel` is several judges as one.
"""

from ..reading.verdicts import Scale
from .calls import Call, Judge, JudgePrompt, Verdict
from .judge import open_judge

__all__ = ["Call", "Judge", "JudgePrompt", "Scale", "Verdict", "open_judge"]
