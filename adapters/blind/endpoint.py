"""A model behind an endpoint that gets the question and no video, as `blind:openai:NAME`: `openai:` as a baseline."""

from __future__ import annotations

from ecva_bench.answering import Baseline
from ecva_bench.errors import UsageError

from ..openai_endpoint.adapter import OpenAIEndpoint

SCHEME = "openai:"  # begins what stands behind `blind:` for such a model
_OF_PICTURES = frozenset({"frames", "sampler", "fps", "frames_as", "image", "max_side", "detail"})


class BlindEndpoint(OpenAIEndpoint, Baseline):
    """A model at an OpenAI-compatible endpoint, which is told that it cannot see the video.

    Options, as strings: those of `openai:`, but for those of frames and pictures. A question is asked once, for its
    answer is the same for every video, unless answers are drawn.
    """

    def __init__(self, *, target: str, **options: str) -> None:
        if of_pictures := sorted(_OF_PICTURES & options.keys()):
            what = f"a model that sees no video has no {' and no '.join(of_pictures)}"
            raise UsageError(what, f"blind:{target}", "leave it out, or ask the model as openai:")
        name = target.removeprefix(SCHEME)
        if not name:
            raise UsageError("the name does not say which model", f"blind:{target}", f"write blind:{SCHEME}NAME")
        super().__init__(target=name, **{**options, "frames": "0"})

    @property
    def deterministic(self) -> bool:
        """Whether it gives the same answer again: of a model elsewhere nobody knows."""
        return False

    @property
    def same_for_all_videos(self) -> bool:
        """Whether a question has one answer for all videos: unless answers are drawn, each for itself."""
        return not self._generation.temperature
