"""How a model is made to speak: every number that has a part in it, as data. Knows no model and imports no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Policy:
    """A generation policy. Nothing is taken from a checkpoint's own generation settings.

    `eos` are the ids, or names of tokens, that end an answer and `pad` the id that fills up shorter answers of a batch;
    `stop` are strings at the first of which the text is cut and generation ends. `suppressed` ids and `forbidden` words
    are never said; `repeated` ids are repetitions even where they have not been said.
    Numbers that a policy does not use stand at the value that means "off", and are recorded all the same.
    """

    max_new_tokens: int
    eos: tuple[int | str, ...]
    pad: int
    do_sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    num_beams: int = 1
    repetition_penalty: float = 1.0
    length_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    suppressed: tuple[int, ...] = ()
    forbidden: tuple[str, ...] = ()
    repeated: tuple[int, ...] = ()
    stop: tuple[str, ...] = ()
    seed: int = 0

    def describe(self) -> dict[str, Any]:
        """Return all numbers, as JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def cut(self, text: str) -> str:
        """Return the text up to its first stop string."""
        ends = [place for stop in self.stop if (place := text.find(stop)) >= 0]
        return text[: min(ends)] if ends else text
