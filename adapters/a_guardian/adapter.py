"""A-Guardian (CUVA, arXiv 2405.00181): Video-ChatGPT under instructions of its own for what, why and what then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ecva_bench.answering import Question
from ecva_bench.errors import AdapterError, UsageError
from ecva_bench.files.by_video import read_moments
from ecva_bench.video import samplers

from ..parts.language.policy import Policy
from ..parts.options import choice
from ..parts.prompts import Template, read_template
from ..video_chatgpt.adapter import VideoChatGPT
from .importance import added, exchanged, frame_spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecva_bench.video import Video

FRAMES = 100
OWN = ("description", "cause", "effect")
GREEDY = Policy(max_new_tokens=1536, eos=(2,), pad=0)


class AGuardian(VideoChatGPT):
    """Video-ChatGPT under CUVA's instructions. Options beside those of Video-ChatGPT:

    `conversation`, for questions that have no instructions of their own: all but the prompts of the tasks in `OWN`.
    `mod`, 0 for frames spread evenly, 1 or 2 for more of them in the important spans that `moments`, a file in the form
    of the authors' `Voting_new.json`, has for the videos. Spans made of a benchmark's annotations are its answers.
    """

    card = replace(
        VideoChatGPT.card,
        name="A-Guardian 7B",
        paper="arXiv 2405.00181",
        code="fesvhtr/CUVA",
        code_licence="CC BY-NC-SA 4.0, its prompts too",
        deviations=(
            "Answers are greedy; `generation=upstream` samples as the authors' scripts do, at temperature 0.01: nearly"
            " the same.",
            "It is asked the questions everybody is asked. Its own are the prompt set `cuva` (`run --prompts cuva`).",
            "By default frames are spread evenly (`mod=0`). The authors' important spans are `Voting_new.json`, which"
            " lies in an earlier revision of CUVA's data set alone: `data fetch cuva` gets it; `data curves --moments`"
            " writes spans of its form. Of mode 2's frames a hundred are taken; the authors' program fails with more.",
            "A question is asked whole; the authors' program cuts it off after 3000 characters.",
            "The MIST feature, which the authors' program adds as one token more than there is room for, is left out.",
        ),
    )
    policies: ClassVar = {
        "greedy": GREEDY,
        "upstream": replace(GREEDY, do_sample=True, temperature=0.01, top_k=50),
    }
    instructions: ClassVar = {task: read_template(f"a-guardian-{task}", 1) for task in OWN}
    conversations: ClassVar = {
        "default": read_template("a-guardian-other", 1),
        "conv_video_chatgpt_v1": read_template("video-chatgpt", 1),
    }
    stops: ClassVar = {"models/a-guardian-other": ("###",)}  # by template; the others end at </s> alone

    def __init__(self, *, mod: str = "0", moments: str = "", **options: str) -> None:
        super().__init__(**options)
        self._mod = int(choice("mod", mod, ("0", "1", "2")))
        if bool(moments) != bool(self._mod):
            raise UsageError(
                "mod 1 and 2 need moments, mod 0 has none", remedy="give --model-arg moments=FILE with them"
            )
        self._moments = read_moments(Path(moments)) if moments else None

    def check_videos(self, media: Sequence[str]) -> None:
        """Raise `DataError` where moments may be those of two videos."""
        if self._moments:
            self._moments.check(media)

    def words(self, question: str) -> Template:
        """Return the instructions for a question's task, in any prompt set, or the conversation."""
        found: Template = self.instructions.get(Question.of(question).task, self.template)
        return found

    def frame_indices(self, video: Video) -> NDArray[np.int64]:
        """Return Video-ChatGPT's frames, in mode 1 and 2 with more of them in the video's important spans."""
        indices = super().frame_indices(video)
        if self._moments is None:
            return indices
        if video.removed:
            raise AdapterError("important spans are known of whole videos alone", video.path, "use mod=0 for this view")
        spans, even = frame_spans(self._moments.of(video.path), video.frame_rate), indices.tolist()
        one = self._mod == 1
        more = exchanged(even, spans, self.policy.seed) if one else added(even, spans, video.frame_rate)
        found = np.minimum(np.array(more, dtype=np.int64), video.n_frames - 1)
        return found[samplers.linspace(len(found), FRAMES)] if len(found) > FRAMES else found

    def warnings(self, video: Video) -> Sequence[str]:
        """Say where a second of the moments is not at the frame it is taken for, which is by the mean frame rate."""
        if not self._mod or not (video.variable_frame_rate or video.timestamps[0] > 0):
            return ()
        return (
            "important spans are taken by the mean frame rate, as the authors' program does: here they lie elsewhere",
        )

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        """Return the answers; questions whose templates end answers alike are one batch."""
        seen, answers = self.look(video), [""] * len(questions)
        stops = [self.stops.get(self.words(question).id, ()) for question in questions]
        for stop in dict.fromkeys(stops):
            batch = [place for place, own in enumerate(stops) if own == stop]
            texts = self.ask([(seen, questions[place]) for place in batch], replace(self.policy, stop=stop))
            for place, text in zip(batch, texts, strict=True):
                answers[place] = text
        return answers

    def finish(self, text: str) -> str:
        """Return the answer without blanks around it."""
        return text.strip()

    def describe(self) -> dict[str, Any]:
        """Return what Video-ChatGPT does, the instructions by task, what ends answers, and the important spans."""
        return {
            **super().describe(),
            "instructions": {task: template.describe() for task, template in self.instructions.items()},
            "stops": {name: list(stop) for name, stop in self.stops.items()},
            "moments": {"mod": self._mod, "sha256": self._moments.sha256 if self._moments else ""},
        }
