"""The judge: a language model that gives verdicts on texts, asked in batches, cached, replayable.

`Judge` is what scorers see; `Call` is one question to it, `Verdict` its answer; `open_judge` makes one of a model's
name, `open_own` one of a user's class. From a call to its verdict the modules are `messages` (what is sent),
`endpoint`, `client`, `completions` and `transport` (an endpoint; `error_bodies` are its errors) or `local` (a model in
this process), `store` (what came back), `verdicts` (what it means; the reading itself is `reading.verdicts`) and
`identity` (who judged).
"""

from ..reading.verdicts import Scale
from .calls import Call, Judge, JudgePrompt, Verdict
from .judge import open_judge
from .own import JudgeSource, open_own
from .prompts import load_prompt

__all__ = ["Call", "Judge", "JudgePrompt", "JudgeSource", "Scale", "Verdict", "load_prompt", "open_judge", "open_own"]
