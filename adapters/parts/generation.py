"""From sequences of ids and visual tokens to text, by a policy and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from ecva_bench.errors import AdapterError

from .networks import Networks
from .policy import Policy
from .prompt import Visual
from .tokens import Tokenizer

NOTHING = -1  # stands in `ids` where a position has no id

Attending = Callable[[Sequence[torch.Tensor], torch.Tensor], AbstractContextManager[object]]


def generate(
    networks: Networks,
    sequences: Sequence[Sequence[int | Visual]],
    visuals: Sequence[torch.Tensor],
    policy: Policy,
    *,
    seed: int,
    attending: Attending,
) -> list[str]:
    """Return the text generated after each sequence, stop strings included.

    `visuals` holds [tokens, hidden] per sequence. Shorter sequences are padded on the left. `seed` has a part only
    where the policy samples; the state of torch's own generators is left as it was.
    """
    language = networks.language
    places = [_placed(sequence, len(visual)) for sequence, visual in zip(sequences, visuals, strict=True)]
    length = max(map(len, places))
    ids = torch.full((len(places), length), NOTHING)
    mask = torch.zeros((len(places), length), dtype=torch.int64)
    for row, place in enumerate(places):
        ids[row, length - len(place) :] = place.clamp(min=NOTHING)
        mask[row, length - len(place) :] = 1
    device = language.get_input_embeddings().weight.device
    try:
        with _seeded(seed, device), attending(visuals, ids.to(device)):
            said = language.generate(
                inputs_embeds=_embedded(language, places, visuals, length),
                attention_mask=mask.to(device),
                generation_config=config_of(policy, networks.tokenizer),
                stopping_criteria=_criteria(policy, networks.tokenizer),
            )
    except torch.OutOfMemoryError:
        remedy = "give quantize=8bit or 4bit, or device=spread, with --model-arg, or use --mode exact"
        raise AdapterError(f"the language model ran out of memory at {length} tokens", str(device), remedy) from None
    return [networks.tokenizer.decode(_before(row, policy)) for row in said.tolist()]


def config_of(policy: Policy, tokenizer: Tokenizer) -> GenerationConfig:
    """Return a policy as transformers wants it, with every number given."""
    sampling: dict[str, Any] = {}
    if policy.do_sample:
        sampling = {"temperature": policy.temperature, "top_p": policy.top_p, "top_k": policy.top_k}
    config: Any = GenerationConfig  # it has no types
    found: GenerationConfig = config(
        max_new_tokens=policy.max_new_tokens,
        do_sample=policy.do_sample,
        num_beams=policy.num_beams,
        repetition_penalty=policy.repetition_penalty,
        length_penalty=policy.length_penalty,
        no_repeat_ngram_size=policy.no_repeat_ngram_size,
        suppress_tokens=list(policy.suppressed) or None,
        bad_words_ids=[tokenizer.encode(word) for word in policy.forbidden] or None,
        eos_token_id=list(policy.eos),
        pad_token_id=policy.pad,
        use_cache=True,
        **sampling,
    )
    return found


def _placed(sequence: Sequence[int | Visual], tokens: int) -> torch.Tensor:
    """Return a sequence as int64 [length]: ids, and -1 - k where visual token k stands."""
    found: list[int] = []
    for part in sequence:
        if isinstance(part, Visual):
            found += [-1 - token for token in range(tokens)[part.start : part.stop]]
        else:
            found.append(part)
    return torch.tensor(found)


def _embedded(
    language: Any, places: Sequence[torch.Tensor], visuals: Sequence[torch.Tensor], length: int
) -> torch.Tensor:
    """Return [batch, length, hidden]: embeddings of ids, visual tokens in their places, zeros on the left."""
    embed = language.get_input_embeddings()
    rows = []
    for place, visual in zip(places, visuals, strict=True):
        place = place.to(embed.weight.device)
        row = embed(place.clamp(min=0))
        seen = place < 0
        row[seen] = visual.to(row.device, row.dtype)[-1 - place[seen]]
        rows.append(torch.nn.functional.pad(row, (0, 0, length - len(place), 0)))
    return torch.stack(rows)


def _criteria(policy: Policy, tokenizer: Tokenizer) -> StoppingCriteriaList:
    return StoppingCriteriaList([_StopStrings(policy.stop, tokenizer)] if policy.stop else [])


def _before(ids: list[int], policy: Policy) -> list[int]:
    """Return the ids before the first that ends an answer."""
    ends = [place for place, number in enumerate(ids) if number in policy.eos]
    return ids[: ends[0]] if ends else ids


class _StopStrings(StoppingCriteria):
    """Ends each sequence of a batch at its first stop string, which tokens may cut anywhere: so text is looked at."""

    def __init__(self, stop: Sequence[str], tokenizer: Tokenizer) -> None:
        self._stop, self._tokenizer = stop, tokenizer

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        texts = [self._tokenizer.decode(row) for row in input_ids.tolist()]
        return torch.tensor([any(stop in text for stop in self._stop) for text in texts], device=input_ids.device)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Let torch's generators start from a seed; after it they go on as if nothing had been."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
