"""BLEU and ROUGE against nltk and rouge_score, on the same pairs in the same run: CPU time and largest difference.

Takes the released cause and description answers where they are at hand (`../shared/data`, or the folder named by
`ECVA_DATA`), else generated texts of the same lengths. Run: `python -m benchmarks.text_scorers`.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rouge_score.rouge_scorer import RougeScorer

from ecva_bench.data import load_dataset
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.reading.text import final_answer
from ecva_bench.scoring import rouge as our_rouge
from ecva_bench.scoring.bleu import bleu

ROUNDS = 2
DATA = Path(os.environ.get("ECVA_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "ecva"
Pairs = list[tuple[str, str]]
Values = list[tuple[float, ...]]


def real_pairs() -> Pairs:
    dataset = load_dataset("ecva", DATA / "annotations.xlsx")
    files = [DATA / "answers" / f"video_llama_{name}.json" for name in ("reason", "description")]
    answers = [answer for file in files for answer in import_answers([AnswerSource(file)], dataset).answers]
    return [(answer.reference, final_answer(answer.answer)) for answer in answers]


def generated_pairs(count: int = 1960) -> Pairs:
    """Texts with a word frequency like that of language (Zipf), about 23 against 270 words."""
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(4000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    return [tuple(" ".join(chance.choices(words, weights, k=k)) for k in (23, 270)) for _ in range(count)]


def nltk_bleu(pairs: Pairs) -> Values:
    smoothing = SmoothingFunction().method1
    return [(sentence_bleu([a.split()], b.split(), smoothing_function=smoothing),) for a, b in pairs]


def own_bleu(pairs: Pairs) -> Values:
    return [(bleu(reference=a, candidate=b),) for a, b in pairs]


def rouge_score(pairs: Pairs) -> Values:
    names = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(names, use_stemmer=True)
    return [tuple(scores[name].fmeasure for name in names) for scores in (scorer.score(a, b) for a, b in pairs)]


def own_rouge(pairs: Pairs) -> Values:
    our_rouge._STEMS.clear()  # every round pays for stemming, as the original does
    return [our_rouge.rouge(reference=a, candidate=b) for a, b in pairs]


def compare(
    name: str, original: Callable[[Pairs], Values], own: Callable[[Pairs], Values], pairs: Pairs, goal: str = ""
) -> None:
    """Time both in turn, the best of `ROUNDS`, and print the ratio and the largest difference."""
    times: dict[str, float] = {}
    values: dict[str, Values] = {}
    for _ in range(ROUNDS):
        for side, function in (("original", original), ("own", own)):
            started = time.process_time()
            values[side] = function(pairs)
            times[side] = min(times.get(side, float("inf")), time.process_time() - started)
    difference = max(abs(x - y) for a, b in zip(*values.values(), strict=True) for x, y in zip(a, b, strict=True))
    per_thousand = {side: 1000 * seconds / len(pairs) for side, seconds in times.items()}
    ratio = times["original"] / times["own"]
    print(
        f"{name:34s} {per_thousand['original']:8.3f} {per_thousand['own']:8.3f} {ratio:8.1f} {goal:>6s}"
        f" {difference:16g}"
    )


def main() -> None:
    """Print one line per metric and order of arguments."""
    real = (DATA / "annotations.xlsx").is_file()
    pairs = real_pairs() if real else generated_pairs()
    swapped = [(b, a) for a, b in pairs]
    print(f"{len(pairs)} {'real' if real else 'generated'} pairs, best of {ROUNDS} rounds, CPU seconds per 1000 pairs")
    print(f"{'':34s} {'original':>8s} {'own':>8s} {'ratio':>8s} {'goal':>6s} {'max abs diff':>16s}")
    bleu_name, rouge_name = f"BLEU-4, nltk {version('nltk')}", f"ROUGE-1/2/L, rouge_score {version('rouge-score')}"
    compare(bleu_name, nltk_bleu, own_bleu, pairs, ">= 8")
    compare("  arguments swapped", nltk_bleu, own_bleu, swapped)
    compare(rouge_name, rouge_score, own_rouge, pairs, ">= 30")
    compare("  arguments swapped", rouge_score, own_rouge, swapped)


if __name__ == "__main__":
    main()
