"""From sequences of ids and visual tokens to text, by a policy and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from ecva_bench.answering import ModelOutput
from ecva_bench.checkpoints.prefix_cache import cache_name, common_prefix, read_prefix
from ecva_bench.errors import CheckpointError, OutOfMemory

from ..prompts import Visual
from .networks import Networks
from .policy import Policy
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
) -> list[ModelOutput]:
    """Return the text generated after each sequence, stop strings included, and whether it was cut off.

    `visuals` holds [tokens, hidden] per sequence. Where all sequences begin with the same visual tokens, as questions
    about one video do, what they have in common is read once; shorter ones are padded behind it, else on the left. A
    language model that is to read nothing but ids (and looks at the visual tokens by cross-attention) is given ids, so
    that what a policy says of repetitions holds for the prompt, too. `seed` has a part only where the policy samples;
    the state of torch's own generators is left as it was. `OutOfMemory` where sequences are too many or too long.
    """
    language = networks.language
    places = [_placed(sequence, len(visual)) for sequence, visual in zip(sequences, visuals, strict=True)]
    length = max(map(len, places))
    device = language.get_input_embeddings().weight.device
    ids = _padded([place.clamp(min=NOTHING) for place in places], NOTHING, 0).to(device)
    looking = attending(visuals, ids)
    common = 0
    if isinstance(looking, nullcontext) and policy.num_beams == 1 and not _slides(language, length, policy):
        common = _common(places, visuals) if cache_name(language) else 0
    mask = _padded([torch.ones_like(place) for place in places], 0, common).to(device)
    given: dict[str, Any] = {"input_ids": torch.where(mask == 1, ids, policy.pad)}
    before = length
    try:
        with seeded(seed, device), looking:
            if any(bool((place < 0).any()) for place in places):
                embedded, before = _padded(_embedded(language, places, visuals), 0.0, common), 0
                given = {"inputs_embeds": embedded}
                if common:
                    given |= read_prefix(language, len(places), inputs_embeds=embedded[:1, :common])
            generated = language.generate(
                **given,
                attention_mask=mask,
                generation_config=config_of(policy, networks.tokenizer),
                logits_processor=_processors(policy),
                stopping_criteria=_criteria(policy, networks.tokenizer, before),
            )[:, before:]
    except torch.OutOfMemoryError:
        remedy = "give quantize=8bit or 4bit, or device=spread, with --model-arg"
        raise OutOfMemory(f"the language model ran out of memory at {length} tokens", str(device), remedy) from None
    ends = ends_of(policy, networks.tokenizer)
    return [_answer_of(row, ends, policy, networks.tokenizer) for row in generated.tolist()]


def next_probabilities(
    networks: Networks, sequence: Sequence[int | Visual], visual: torch.Tensor, policy: Policy, *, attending: Attending
) -> torch.Tensor:
    """Return how probable each id is to come next after a sequence: float32 [vocabulary], on the CPU.

    `visual` is [tokens, hidden]. It is the model's own word: nothing of the policy but its ends has a part in it.
    """
    language = networks.language
    place = _placed(sequence, len(visual))
    device = language.get_input_embeddings().weight.device
    ids = place.clamp(min=NOTHING)[None].to(device)
    given: dict[str, Any] = {"input_ids": ids}
    plain = Policy(max_new_tokens=1, eos=policy.eos, pad=policy.pad)
    with attending([visual], ids):
        if bool((place < 0).any()):
            given = {"inputs_embeds": _embedded(language, [place], [visual])[0][None]}
        generated = language.generate(
            **given,
            attention_mask=torch.ones_like(ids),
            generation_config=config_of(plain, networks.tokenizer),
            output_logits=True,
            return_dict_in_generate=True,
        )
    return torch.softmax(generated.logits[0][0].float(), dim=-1).cpu()


def config_of(policy: Policy, tokenizer: Tokenizer) -> GenerationConfig:
    """Return a policy as transformers wants it, with every number given but the penalty for repetitions: see below."""
    sampling: dict[str, Any] = {}
    if policy.do_sample:
        sampling = {"temperature": policy.temperature, "top_p": policy.top_p, "top_k": policy.top_k}
    config: Any = GenerationConfig  # it has no types
    found: GenerationConfig = config(
        max_new_tokens=policy.max_new_tokens,
        do_sample=policy.do_sample,
        num_beams=policy.num_beams,
        length_penalty=policy.length_penalty,
        no_repeat_ngram_size=policy.no_repeat_ngram_size,
        suppress_tokens=list(policy.suppressed) or None,
        bad_words_ids=[tokenizer.encode(word) for word in policy.forbidden] or None,
        eos_token_id=ends_of(policy, tokenizer),
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


def _embedded(language: Any, places: Sequence[torch.Tensor], visuals: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return [length, hidden] per sequence: embeddings of ids, and visual tokens in their places."""
    embed = language.get_input_embeddings()
    rows = []
    for place, visual in zip(places, visuals, strict=True):
        place = place.to(embed.weight.device)
        row = embed(place.clamp(min=0))
        seen = place < 0
        row[seen] = visual.to(row.device, row.dtype)[-1 - place[seen]]
        rows.append(row)
    return rows


def _padded(rows: Sequence[torch.Tensor], value: float, start: int) -> torch.Tensor:
    """Return rows [length, ...] as [batch, longest, ...]; shorter ones have `value` in between, from `start` on."""
    longest = max(map(len, rows))
    return torch.stack(
        [
            torch.cat([row[:start], row.new_full((longest - len(row), *row.shape[1:]), value), row[start:]])
            for row in rows
        ]
    )


def _common(places: Sequence[torch.Tensor], visuals: Sequence[torch.Tensor]) -> int:
    """Return how many positions all sequences begin with alike, 0 where no visual token is among them."""
    if len(places) == 1 or any(visual is not visuals[0] for visual in visuals):
        return 0
    common = common_prefix([place.tolist() for place in places])
    return common if bool((places[0][:common] < 0).any()) else 0


def _slides(language: Any, length: int, policy: Policy) -> bool:
    """Return whether attention reaches less far than the sequences are long: padding would take of its reach."""
    window = getattr(language.config, "sliding_window", None)
    return window is not None and length + policy.max_new_tokens > window


def _processors(policy: Policy) -> LogitsProcessorList:
    return LogitsProcessorList([_RepetitionPenalty(policy)] if policy.repetition_penalty != 1 else [])


def _criteria(policy: Policy, tokenizer: Tokenizer, before: int) -> StoppingCriteriaList:
    return StoppingCriteriaList([_StopStrings(policy.stop, tokenizer, before)] if policy.stop else [])


def ends_of(policy: Policy, tokenizer: Tokenizer) -> list[int]:
    """Return the ids that end an answer; `CheckpointError` where the vocabulary has no token of a name."""
    return [tokenizer.id_of(end) if isinstance(end, str) else end for end in policy.eos]


def own_ends(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Return the ids that end an answer, by the checkpoint's own word: of its settings only this is taken."""
    named = [model.generation_config.eos_token_id, model.config.get_text_config().eos_token_id, tokenizer.eos_token_id]
    ends = {number for some in named if some is not None for number in (some if isinstance(some, list) else [some])}
    if not ends:
        raise CheckpointError(
            "the checkpoint names no token that ends an answer", model.name_or_path, "mend its config"
        )
    return tuple(sorted(ends))


def _answer_of(ids: list[int], ends: list[int], policy: Policy, tokenizer: Tokenizer) -> ModelOutput:
    """Return the text of the ids before the first that ends an answer; without one, and a stop string, it was cut."""
    places = [place for place, number in enumerate(ids) if number in ends]
    text = tokenizer.decode(ids[: places[0]] if places else ids)
    return ModelOutput(text, finish="stop" if places or policy.cut(text) != text else "length")


class _RepetitionPenalty(LogitsProcessor):
    """Makes ids less probable that have been said in an answer, or that a policy holds for repetitions from the start.

    transformers' own takes no notice of the first ids said after a prompt that is padded on the left, so that an answer
    would depend on the questions beside it (5.23, with `inputs_embeds`).
    """

    def __init__(self, policy: Policy) -> None:
        self._penalty, self._repeated = policy.repetition_penalty, torch.tensor(policy.repeated, dtype=torch.int64)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        repeated = self._repeated.to(input_ids.device).expand(len(input_ids), -1)
        ids = torch.cat([input_ids, repeated], dim=1)
        old = scores.gather(1, ids)
        return scores.scatter(1, ids, torch.where(old < 0, old * self._penalty, old / self._penalty))


class _StopStrings(StoppingCriteria):
    """Ends each sequence of a batch at its first stop string, which tokens may cut anywhere: so text is looked at."""

    def __init__(self, stop: Sequence[str], tokenizer: Tokenizer, before: int) -> None:
        self._stop, self._tokenizer, self._before = stop, tokenizer, before

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        texts = [self._tokenizer.decode(row[self._before :]) for row in input_ids.tolist()]
        return torch.tensor([any(stop in text for stop in self._stop) for text in texts], device=input_ids.device)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Let torch's generators start from a seed; after it they go on as if nothing had been."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
