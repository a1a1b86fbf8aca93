"""UniEval's factual consistency against its original formulation, on the same answers and weights in the same run.

The original asks about every sentence, eight questions at a time as they come; here equal questions are asked once, in
batches of like lengths. The network has the size of a T5 (UniEval's is the large one) and random weights. Takes the
released answers where they are at hand, as `benchmarks.text_scorers` does. On a CPU one thread runs and its time
counts, elsewhere wall time. Run: `python -m benchmarks.unieval [small|base|large] [ANSWERS] [DEVICE]`.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

import sentencepiece
import torch
from transformers import T5Config, T5ForConditionalGeneration

from ecva_bench.scoring import Scorable
from ecva_bench.scoring.neural import batch_tokens_on
from ecva_bench.scoring.protocol import Protocol
from ecva_bench.scoring.unieval import UniEval, UniEvalModel

from .text_scorers import DATA, Pairs, generated_pairs, real_pairs

AT_ONCE = 8
# Width, inner width, layers of each stack and heads of T5's published sizes.
SIZES = {"small": (512, 2048, 6, 8), "base": (768, 3072, 12, 12), "large": (1024, 4096, 24, 16)}


def checkpoint(folder: Path, size: str, pairs: Pairs) -> None:
    """Save a checkpoint with a vocabulary learnt from the pairs, so that a word has about as many pieces as usual."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(text for pair in pairs for text in pair),
        model_prefix=str(folder / "spiece"),
        vocab_size=4000,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        user_defined_symbols=["▁Yes", "▁No"],
        minloglevel=2,
    )
    width, inner, layers, heads = SIZES[size]
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=32128, d_model=width, d_ff=inner, num_layers=layers, num_heads=heads, decoder_start_token_id=0
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)


def asked(pairs: Pairs) -> list[list[str]]:
    """The questions about each answer."""
    scorer, found = UniEval(Protocol()), []
    for reference, candidate in pairs:
        item = Scorable("", "", "", "cause", "full", candidate=candidate, reference=reference)
        found.append([question for (question,) in scorer.inputs(item)])
    return found


def original(model: UniEvalModel, questions: list[list[str]]) -> dict[int, float]:
    """Every question, in batches as they come."""
    flat = [model.encode(question) for some in questions for question in some]
    starts = range(0, len(flat), AT_ONCE)
    return dict(enumerate(value for start in starts for value in model._forward(flat[start : start + AT_ONCE])))


def own(model: UniEvalModel, questions: list[list[str]], batch_tokens: int) -> dict[int, float]:
    """Every question once, in batches of like lengths."""
    once = sorted({question for some in questions for question in some})
    found = dict(model.scores([(question,) for question in once], batch_tokens=batch_tokens))
    known = {question: found[place] for place, question in enumerate(once)}
    return dict(enumerate(known[question] for some in questions for question in some))


def main() -> None:
    """Print how often answers repeat themselves, and one line per way."""
    size, count, device = (*sys.argv[1:], *("base", "24", "cpu")[len(sys.argv) - 1 :])
    torch.set_num_threads(1)
    real = (DATA / "annotations.xlsx").is_file()
    pairs = real_pairs() if real else generated_pairs()
    every = [question for some in asked(pairs) for question in some]
    print(
        f"{len(pairs)} {'real' if real else 'generated'} answers: {len(every)} questions, {len(set(every))} of them "
        f"different, {len(every) / len(set(every)):.2f} times fewer"
    )
    with tempfile.TemporaryDirectory() as name:
        checkpoint(Path(name), size, pairs)
        model = UniEvalModel(Path(name), device, "float32")
    chosen = asked(random.Random(0).sample(pairs, int(count)))
    flat = [question for some in chosen for question in some]
    millions = sum(weights.numel() for weights in model._network.parameters()) / 1e6
    print(
        f"T5 of size {size} ({millions:.0f} M), {device}, {count} of the answers: {len(flat)} questions, "
        f"{len(set(flat))} of them different"
    )
    clock = time.process_time if device == "cpu" else time.perf_counter
    began = clock()
    expected = original(model, chosen)
    between = clock()
    found = own(model, chosen, batch_tokens_on(device))
    seconds = between - began, clock() - between
    apart = max(abs(value - found[place]) for place, value in expected.items())
    for side, spent in zip(("original", "own"), seconds, strict=True):
        print(
            f"{side:10s} {spent / int(count):8.3f} s per answer {seconds[0] / spent:7.2f} x   max abs diff {apart:.1e}"
        )


if __name__ == "__main__":
    main()
