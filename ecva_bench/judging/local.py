"""A transformers text model in this process as judge: a score that needs no service and no key.

It gives no free text. The reply is built around the model: `{"verdicts": [` is written for it, and at each place the
admissible verdict it finds most probable is put in, the next place after it. Every call so has verdicts, the same ones
every time and whatever is asked beside it, and their expectations, at the price of one forward pass per verdict. There
is no rationale and no seed: the votes of a call are one and the same. float32 on the CPU, bfloat16 on a GPU; no code of
the model's own is run. A model is its weights, not the place they lie in: the commit of the hub or the hash of the
folder is part of its name.
"""

from __future__ import annotations

import inspect
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ..checkpoints.finding import LANGUAGE_MODEL, Checkpoint, find_checkpoint
from ..checkpoints.prefix_cache import cache_name, common_prefix, read_prefix
from ..errors import JudgeError
from ..libraries import versions_of
from ..reading.verdicts import Scale
from ..torchvision import ensure_torchvision
from ..wording import counted
from . import messages, templates
from .backend import Keep, Vote
from .store import Cost, Reply
from .verdicts import REJECTED

if TYPE_CHECKING:
    import torch

_BATCH = 8
_SORTED = 64  # votes that are put in order before they are batched, so that a batch has one prompt


@dataclass
class _Draft:
    """A reply being built: the model's input up to the next verdict, and the verdicts so far.

    `left_out` is as of a `Reply`; `failure` says why there can be none.
    """

    vote: Vote
    text: str
    left_out: tuple[str, ...]
    failure: str = ""
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

    limited: ClassVar[bool] = False

    def estimate(self, vote: Vote) -> Cost | None:
        """Return that a vote costs nothing."""
        return None

    def take_cost(self, vote: Vote) -> Cost:
        """Return that a vote has cost nothing."""
        return Cost()

    def count_before(self, votes: Sequence[Vote], replies: Mapping[str, Reply], costs: Mapping[str, Cost]) -> None:
        """Do nothing: there is no budget."""

    def answer(self, votes: Iterator[Vote], keep: Keep) -> None:
        """Send every vote to the model, `_BATCH` at a time, those of one prompt together.

        Raises `CheckpointError` where it cannot be loaded, and `JudgeError` where it cannot be used.
        """
        while waiting := sorted(islice(votes, _SORTED), key=lambda vote: (vote.call.prompt.id, vote.call.expected)):
            for start in range(0, len(waiting), _BATCH):
                drafts = [self._loaded.draft(vote) for vote in waiting[start : start + _BATCH]]
                asked = [draft for draft in drafts if not draft.failure]
                while unfinished := [draft for draft in asked if len(draft.verdicts) < draft.vote.call.expected]:
                    self._loaded.extend(unfinished)
                keep([(draft.vote, draft.failure or self._reply(draft)) for draft in drafts])

    def close(self) -> None:
        """Nothing is held that Python does not free."""

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        if not (find_spec("torch") and find_spec("transformers")):
            raise JudgeError(
                "a local judge needs torch and transformers", self._name, "pip install 'ecva-bench[models]'"
            )
        download = not self._replayed
        return find_checkpoint(self._name, files=LANGUAGE_MODEL, download=download, option="--judge hf:")

    @cached_property
    def _loaded(self) -> _Loaded:
        return _Loaded(self.model, self._checkpoint.folder)

    def _reply(self, draft: _Draft) -> Reply:
        scale = draft.vote.call.prompt.scale
        return Reply(
            content=json.dumps({"verdicts": [_words(scale)[v - scale.low] for v in draft.verdicts]}),
            expectations=tuple(draft.expectations),
            served=self._loaded.served,
            tokens_in=draft.tokens,
            tokens_out=len(draft.verdicts),
            left_out=draft.left_out,
        )


class _Loaded:
    """Tokenizer and weights."""

    def __init__(self, name: str, folder: Path) -> None:
        ensure_torchvision()
        import torch
        from transformers import AutoTokenizer

        from ..checkpoints.files import reading
        from ..checkpoints.pretrained import load_pretrained

        device, dtype = ("cuda", "bfloat16") if torch.cuda.is_available() else ("cpu", "float32")
        with reading("the judge's tokenizer", folder):
            self.tokenizer = cast(Any, AutoTokenizer.from_pretrained(folder))
        network = load_pretrained(
            "AutoModelForCausalLM",
            folder,
            what="the judge",
            dtype=getattr(torch, dtype),
            passed_over={"": "some checkpoints hold more than is run, such as heads for several tokens at once"},
            too_large="name a smaller model",
        )
        self.weights = network.to(device)
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token or self.tokenizer.convert_ids_to_tokens(0)
        self.name = f"{name} in {dtype}"
        made_by = " ".join(f"{package} {release}" for package, release in versions_of("transformers", "torch").items())
        self.served = f"{self.name} by {made_by}"
        # Told where each token stands, a model reads a text the same whatever it is padded with.
        takes = inspect.signature(self.weights.forward).parameters
        self._is_told_places = "position_ids" in takes
        # Of a whole text they would fill the memory: a batch of 8 with 49,152 tokens in the vocabulary takes 1 GB.
        self._of_the_last = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        # Where every token sees all before it, what the texts of a batch begin with alike is read once for all.
        settings = self.weights.config.get_text_config()
        sees_all = {"full_attention"}.issuperset(getattr(settings, "layer_types", None) or ())
        slides = getattr(settings, "sliding_window", None)
        self._reads_once = bool(cache_name(self.weights)) and self._is_told_places and sees_all and not slides

    @cached_property
    def _turn_marks(self) -> frozenset[str]:
        return templates.turn_marks(self.tokenizer, self.name)

    def draft(self, vote: Vote) -> _Draft:
        """Return the model's input up to the first verdict, by its chat template where it has one."""
        call = vote.call
        data = messages.user_message(call, self._turn_marks)
        opened, left_out = templates.opened(self.tokenizer, messages.system_message(call), data, self.name)
        draft = _Draft(vote, f'{opened}{{"verdicts": [', left_out)
        longest = getattr(self.weights.config.get_text_config(), "max_position_embeddings", None)
        whole = draft.text + json.dumps([_words(call.prompt.scale)[-1]] * call.expected)
        tokens = len(self.tokenizer(whole)["input_ids"])
        if longest and tokens > longest:
            draft.failure = f"{REJECTED}: the call has {counted(tokens, 'token')}, and {self.name} reads {longest}"
        return draft

    def extend(self, drafts: Sequence[_Draft]) -> None:
        """Add one verdict to each draft.

        Verdicts that begin with one token, as 1 and 10 may, divide its weight by how likely each goes on.
        """
        asked = [(draft, [json.dumps(word) for word in _words(draft.vote.call.prompt.scale)]) for draft in drafts]
        weighed = self._weigh(asked)
        alike = [
            (place, [verdict for verdict, choice in enumerate(choices) if choice == token])
            for place, (choices, _) in enumerate(weighed)
            for token, times in Counter(choices).items()
            if times > 1
        ]
        whole = [(asked[place][0], [f"{asked[place][1][one]}," for one in verdicts]) for place, verdicts in alike]
        for (place, verdicts), (choices, shares) in zip(alike, self._weigh(whole), strict=True):
            if len(set(choices)) < len(verdicts):
                raise JudgeError("its tokenizer cannot tell the verdicts apart", self.name, "choose another model")
            for verdict, share in zip(verdicts, shares, strict=True):
                weighed[place][1][verdict] *= share / sum(shares)
        for draft, (_, weights) in zip(drafts, weighed, strict=True):
            self._choose(draft, weights)

    def _weigh(self, asked: Sequence[tuple[_Draft, Sequence[str]]]) -> list[tuple[list[int], list[float]]]:
        """Return for each draft, and texts that may go on with it, the token each text does and that token's weight."""
        together: dict[int, list[tuple[int, list[int], list[int]]]] = defaultdict(list)
        for place, (draft, texts) in enumerate(asked):
            prefix, choices = self._next_tokens(draft, texts)
            draft.tokens += len(prefix)
            together[0 if self._is_told_places else len(prefix)].append((place, prefix, choices))
        found = {}
        for group in together.values():
            logits = self._logits([prefix for _, prefix, _ in group])
            for (place, _, choices), row in zip(group, logits, strict=True):
                values = [float(row[token]) for token in choices]
                found[place] = choices, [math.exp(value - max(values)) for value in values]
        return [found[place] for place in range(len(asked))]

    def _logits(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return the logits [row, vocabulary] after each row of ids; only where places are told may lengths differ."""
        import torch

        common = common_prefix(rows) if self._reads_once and len(rows) > 1 else 0
        width = max(map(len, rows)) - common
        pad, device = self.tokenizer.pad_token_id, self.weights.device
        blanks = [width - (len(row) - common) for row in rows]
        ids = torch.tensor([[pad] * blank + [*row[common:]] for blank, row in zip(blanks, rows, strict=True)])
        mask = torch.tensor([[1] * common + [0] * blank + [1] * (width - blank) for blank in blanks])
        places = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, common:]
        told: dict[str, Any] = {"position_ids": places.to(device)} if self._is_told_places else {}
        with torch.inference_mode():
            if common:
                beginning = torch.tensor([rows[0][:common]], device=device)
                told |= read_prefix(self.weights, len(rows), input_ids=beginning)
            found: torch.Tensor = self.weights(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                use_cache=bool(common),
                **told,
                **self._of_the_last,
            ).logits
        return found[:, -1].float().cpu()

    def _next_tokens(self, draft: _Draft, texts: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return the tokens that a draft has whichever text goes on with it, and for each text the token that follows.

        A tokenizer may join a verdict with what stands before it, so every continuation is tokenized whole and
        compared from its first difference on.
        """
        special = not self.tokenizer.chat_template  # a template brings its own
        whole = [self.tokenizer(draft.text + text, add_special_tokens=special)["input_ids"] for text in texts]
        shared = 0
        while all(len(ids) > shared for ids in whole) and len({ids[shared] for ids in whole}) == 1:
            shared += 1
        choices = [ids[shared] if len(ids) > shared else -1 for ids in whole]
        if shared == 0 or len(set(choices)) == 1:
            raise JudgeError("its tokenizer cannot tell the verdicts apart", self.name, "choose another model")
        return whole[0][:shared], choices

    @staticmethod
    def _choose(draft: _Draft, weights: Sequence[float]) -> None:
        scale = draft.vote.call.prompt.scale
        best = max(range(len(weights)), key=weights.__getitem__)
        draft.verdicts.append(scale.low + best)
        draft.expectations.append(sum((scale.low + n) * w for n, w in enumerate(weights)) / sum(weights))
        draft.text += json.dumps(_words(scale)[best]) + ", "


def _words(scale: Scale) -> list[str | int]:
    """Return the verdicts of a scale, lowest first, as a reply spells them."""
    return ["no", "yes"] if scale.yes_no else list(range(scale.low, scale.high + 1))
