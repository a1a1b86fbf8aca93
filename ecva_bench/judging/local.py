"""A transformers text model in this process as judge: a score that needs no service and no key.

It gives no free text. The reply is built around the model: `{"verdicts": [` is written for it, and at each place the
admissible verdict it finds most probable is put in, the next place after it. Every call so has verdicts, the same ones
every time, and their expectations, at the price of one forward pass per verdict. There is no rationale and no seed:
the votes of a call are one and the same. float32 on the CPU, bfloat16 on a GPU; no code of the model's own is run.
A model is its weights, not the place they lie in: the commit of the hub or the hash of the folder is part of its name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..checkpoints import Checkpoint, find_checkpoint
from ..errors import JudgeError
from ..reading.verdicts import Scale
from ..torchvision import ensure_torchvision
from . import messages
from .backend import Keep, Vote
from .store import Reply

if TYPE_CHECKING:
    import torch

BATCH = 8
_FILES = ("*.json", "*.jinja", "*.model", "*.txt", "*.safetensors", "*.bin")


@dataclass
class _Draft:
    """A reply being built: the model's input up to the next verdict, and the verdicts so far."""

    vote: Vote
    text: str
    verdicts: list[int] = field(default_factory=list)
    expectations: list[float] = field(default_factory=list)
    tokens: int = 0


class LocalModel:
    """A text model of the hub or in a folder."""

    kind: ClassVar[str] = "hf"

    def __init__(self, name: str, *, replayed: bool = False) -> None:
        """Load nothing yet: what is answered from the store needs no more of the model than its revision.

        Where calls are only `replayed` nothing is downloaded, and `NAME@REVISION`, as signatures have it, is taken as
        it is: no weights are needed.
        """
        self._name, self._replayed = name, replayed

    @cached_property
    def model(self) -> str:
        """Name and revision of the weights: other weights in the same place are another judge."""
        if self._replayed and "@" in self._name and not Path(self._name).expanduser().is_dir():
            return self._name
        return f"{self._checkpoint.name}@{self._checkpoint.revision}"

    def parameters(self, seed: int) -> dict[str, Any]:
        """Return how verdicts are chosen; no seed has a part in it."""
        return {"choice": "most probable verdict"}

    def answer(self, votes: Iterator[Vote], keep: Keep) -> None:
        """Put every vote to the model, `BATCH` at a time; `JudgeError` where it cannot be loaded or used."""
        while batch := list(islice(votes, BATCH)):
            drafts = [_Draft(vote, self._loaded.prompt(vote)) for vote in batch]
            while unfinished := [draft for draft in drafts if len(draft.verdicts) < draft.vote.call.expected]:
                self._loaded.extend(unfinished)
            keep([(draft.vote, self._reply(draft)) for draft in drafts])

    def close(self) -> None:
        """Nothing is held that Python does not free."""

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        if not (find_spec("torch") and find_spec("transformers")):
            raise JudgeError(
                "a local judge needs torch and transformers", self._name, "pip install 'ecva-bench[models]'"
            )
        download = not self._replayed
        return find_checkpoint(self._name, files=_FILES, download=download, option="--judge hf:", error=JudgeError)

    @cached_property
    def _loaded(self) -> _Loaded:
        return _Loaded(self.model, self._checkpoint.folder)

    def _reply(self, draft: _Draft) -> Reply:
        scale = draft.vote.call.prompt.scale
        return Reply(
            content=json.dumps({"verdicts": [_words(scale)[v - scale.low] for v in draft.verdicts]}),
            expectations=tuple(draft.expectations),
            served=self._loaded.name,
            tokens_in=draft.tokens,
            tokens_out=len(draft.verdicts),
        )


class _Loaded:
    """Tokenizer and weights."""

    def __init__(self, name: str, folder: Path) -> None:
        ensure_torchvision()
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device, dtype = ("cuda", "bfloat16") if torch.cuda.is_available() else ("cpu", "float32")
        try:
            self.tokenizer = cast(Any, AutoTokenizer.from_pretrained(folder, padding_side="left"))
            self.weights = cast(Any, AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)))
        except (OSError, ValueError, KeyError) as error:
            raise JudgeError(f"the judge cannot be loaded ({error})", folder, "name a causal text model") from error
        self.weights.to(device).eval()
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token or self.tokenizer.convert_ids_to_tokens(0)
        self.name = f"{name} in {dtype}"

    def prompt(self, vote: Vote) -> str:
        """Return the model's input up to the first verdict, by its chat template where it has one."""
        system, user = messages.system_message(vote.call), messages.user_message(vote.call)
        chat = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        opened = f"{system}\n\n{user}\n\n"
        if self.tokenizer.chat_template:
            opened = self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        return f'{opened}{{"verdicts": ['

    def extend(self, drafts: Sequence[_Draft]) -> None:
        """Add one verdict to each draft."""
        import torch

        prepared = [self._next_tokens(draft) for draft in drafts]
        width = max(len(prefix) for prefix, _ in prepared)
        pad = self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (width - len(prefix)) + prefix for prefix, _ in prepared])
        mask = torch.tensor([[0] * (width - len(prefix)) + [1] * len(prefix) for prefix, _ in prepared])
        device = self.weights.device
        with torch.inference_mode():
            logits = self.weights(input_ids=ids.to(device), attention_mask=mask.to(device)).logits[:, -1].float().cpu()
        for draft, (prefix, choices), row in zip(drafts, prepared, logits, strict=True):
            self._choose(draft, choices, row)
            draft.tokens += len(prefix)

    def _next_tokens(self, draft: _Draft) -> tuple[list[int], list[int]]:
        """Return the tokens before the next verdict, and for each admissible verdict the token it goes on with.

        A tokenizer may join a verdict with what stands before it, so every continuation is tokenized whole and
        compared from its first difference on.
        """
        words = _words(draft.vote.call.prompt.scale)
        special = not self.tokenizer.chat_template  # a template brings its own
        texts = [draft.text + json.dumps(word) for word in words]
        whole = [self.tokenizer(text, add_special_tokens=special)["input_ids"] for text in texts]
        shared = 0
        while all(len(ids) > shared for ids in whole) and len({ids[shared] for ids in whole}) == 1:
            shared += 1
        choices = [ids[shared] if len(ids) > shared else -1 for ids in whole]
        if shared == 0 or len(set(choices)) < len(words):
            raise JudgeError("its tokenizer cannot tell the verdicts apart", self.name, "choose another model")
        return whole[0][:shared], choices

    @staticmethod
    def _choose(draft: _Draft, choices: Sequence[int], logits: torch.Tensor) -> None:
        scale = draft.vote.call.prompt.scale
        found = [float(logits[token]) for token in choices]
        weights = [math.exp(value - max(found)) for value in found]
        best = max(range(len(found)), key=found.__getitem__)
        draft.verdicts.append(scale.low + best)
        draft.expectations.append(sum((scale.low + n) * w for n, w in enumerate(weights)) / sum(weights))
        draft.text += json.dumps(_words(scale)[best]) + ", "


def _words(scale: Scale) -> list[str | int]:
    """Return the verdicts of a scale, lowest first, as a reply spells them."""
    return ["no", "yes"] if scale.yes_no else list(range(scale.low, scale.high + 1))
