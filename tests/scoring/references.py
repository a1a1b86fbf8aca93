"""What every scorer should say of an answer, by other means: a library, a slow network in numpy, or arithmetic by hand.

Each function takes an item and, for a network, the folder of its tiny checkpoint.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from nltk.tokenize.punkt import PunktSentenceTokenizer
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rouge_score.rouge_scorer import RougeScorer
from sentencepiece import SentencePieceProcessor

from ecva_bench.scoring import Scorable

from . import tiny_bleurt, tiny_moverscore, tiny_unieval

Values = dict[str, float]


def _read(folder: Path, tiny: ModuleType) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    config = json.loads((folder / "config.json").read_text())
    return config, tiny.random_state(config)


def bleu(item: Scorable, folder: Path | None) -> Values:
    smoothing = SmoothingFunction().method1
    return {
        "bleu": sentence_bleu([item.reference.split()], item.candidate.split(), smoothing_function=smoothing)
        if item.candidate.split()
        else 0.0
    }


def rouge(item: Scorable, folder: Path | None) -> Values:
    scores = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True).score(item.reference, item.candidate)
    return {name: score.fmeasure for name, score in scores.items()}


def bleurt(item: Scorable, folder: Path) -> Values:
    config, state = _read(folder, tiny_bleurt)
    pieces = SentencePieceProcessor(model_file=str(folder / "spm.model"))
    first, second = (pieces.encode(text) for text in (item.reference, item.candidate))
    while len(first) + len(second) > config["max_position_embeddings"] - 3:
        (first if len(first) > len(second) else second).pop()
    start, end = pieces.piece_to_id(["[CLS]", "[SEP]"])
    return {"bleurt": tiny_bleurt.slow_score(config, state, [start, *first, end], [*second, end])}


def moverscore(item: Scorable, folder: Path) -> Values:
    if not item.candidate.strip():
        return {"moverscore": 0.0}
    config, state = _read(folder, tiny_moverscore)
    words = (folder / "vocab.txt").read_text().split("\n")[:-1]
    numbers = {word: number for number, word in enumerate(words)}
    points = []
    for text in (item.reference, item.candidate):
        pieces = tiny_bleurt.slow_word_pieces(text, numbers)[: config["max_position_embeddings"] - 2]
        ids = [numbers["[CLS]"], *pieces, numbers["[SEP]"]]
        kept = [tiny_moverscore.has_mass(words[one]) for one in ids]
        points.append(tiny_moverscore.slow_vectors(config, state, ids)[kept])
    a, b = points
    masses = {"mass_a": np.full(len(a), 1 / len(a)), "mass_b": np.full(len(b), 1 / len(b))}
    return {"moverscore": 1 / (1 + tiny_moverscore.slow_distance(a, b, **masses))}


def _yes(folder: Path, question: str) -> float:
    config, state = _read(folder, tiny_unieval)
    pieces = SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    end = pieces.piece_to_id("</s>")
    ids = [number for part in question.split("</s>") for number in (*pieces.encode(part), end)]
    yes, no = pieces.piece_to_id(["▁Yes", "▁No"])
    return tiny_unieval.slow_yes(config, state, [*ids[:-1][:1023], end], yes=yes, no=no)


def unieval(item: Scorable, folder: Path) -> Values:
    claims = PunktSentenceTokenizer().tokenize(item.candidate)
    ask = "question: Is this claim consistent with the document? </s> claim: {} </s> document: {}"
    scores = [_yes(folder, ask.format(claim, item.reference)) for claim in claims]
    return {"unieval": sum(scores) / max(1, len(scores)), "unieval_answered": float(bool(claims))}


def unieval_sum(item: Scorable, folder: Path) -> Values:
    if not item.candidate.strip():
        return dict.fromkeys(("unieval_fluency", "unieval_naturalness"), 0.0)
    claims = PunktSentenceTokenizer().tokenize(item.candidate)
    fluency = [_yes(folder, f"question: Is this a fluent paragraph? </s> paragraph: {claim}") for claim in claims]
    natural = _yes(folder, f"question: Is this a fluent utterance? </s> utterance: {item.candidate}")
    return {"unieval_fluency": sum(fluency) / len(fluency), "unieval_naturalness": natural}


def by_hand(found: dict[str, Values]) -> Callable[[Scorable, Path | None], Values]:
    """A function that knows the values of a few answers."""
    return lambda item, folder: found.get(item.candidate, {})


# The answers are those of `test_contract.batch`: the class of the one in place n is 1 + n, its moments are 0 to 10 + n
# and 30 to 45 s, its key sentences "a car" and "a wall"; the judge goes by shared words.
_FULL = ("gpt_correctness", "gpt_detail", "gpt_context", "gpt_temporal", "gpt_mean")
CLASSIFICATION = by_hand(
    {"": {"accuracy": 0, "parsed": 0}, "[5]": {"accuracy": 1, "parsed": 1}, "class 10": {"accuracy": 0, "parsed": 1}}
)
TIMESTAMP = by_hand(
    {
        "": {"iou": 0, "parsed": 0},
        "[12, 3]": {"iou": 0, "parsed": 0},
        "00:10 to 00:20": {"iou": 7 / (17 + 15 + 3), "recall@0.3": 0, "parsed": 1},
    }
)
# Of 60 s, 32 are abnormal in place 7, and the answer names 7 of them and 3 others.
FRAME_RANKING = by_hand(
    {
        "": {"frame_auc": 0, "frame_ap": 0},
        "00:10 to 00:20": {
            "frame_auc": (1 + 7 / 32 - 3 / 28) / 2,
            "frame_ap": 7 / 10 * 7 / 32 + 32 / 60 * 25 / 32,
        },
    }
)
# Of 60 cells of a second, 32 are abnormal in place 3; without a curve, its columns have no value.
SEVERITY = by_hand(
    {
        "": {"frame_auc": 0, "frame_ap": 0, "iou_half": 0, "parsed": 0},
        "class 10": {"frame_auc": 0, "iou_best": 0, "parsed": 0},
        "[0, 12] [30, 40]": {"parsed": 0},
    }
)
CHOICE = by_hand({"": {"accuracy": 0, "parsed": 0}, "a car hits a wall": {"accuracy": 0, "parsed": 1}})
DETECTION = by_hand({text: {"correct": 0, "parsed": 0} for text in ("", "[5]")})
GPT = by_hand({"": {"gpt_sum": 0}, "hits a wall a car": {**dict.fromkeys(_FULL, 5), "gpt_sum": 20}})
CLAIMS = by_hand(
    {
        "": {"claims": 0, "claims_what": 0, "claims_who": 0, "claims_false": 0},
        "hits a wall a car": {"claims": 1, "claims_what": 1, "claims_who": 1, "claims_false": 0},
    }
)
_ASPECTS = ("vau_cls", "vau_km", "vau_flu", "vau_inf", "vau_fac")
VAU_EVAL = by_hand({"": {"vau_total": 0}, "hits a wall a car": {**dict.fromkeys(_ASPECTS, 10), "vau_total": 50}})
ANOMEVAL = by_hand(
    {
        "": {"s1": 0, "s2": 0, "coverage": 0, "logic": 0},
        "hits a wall a car": {"coverage": 1, "logic": 5, "s1": 1, "s2": 1, "s3": 1, "S": 1, "gated": 1},
    }
)


def twins(item: Scorable, folder: Path | None) -> Values:
    """Of a normal twin beside its clip."""
    (clip,) = item.twins.values()
    assert clip is not None
    rouges = RougeScorer(["rougeL"], use_stemmer=True)
    of_clip, own = (rouges.score(one.reference, item.candidate)["rougeL"].fmeasure for one in (clip, item))
    same = " ".join(clip.candidate.split()) == " ".join(item.candidate.split())
    return {"same_answer_normal": float(same), "claims_normal": of_clip - own}


def twins_judge(item: Scorable, folder: Path | None) -> Values:
    (clip,) = item.twins.values()
    assert clip is not None
    shared = RougeScorer(["rouge1"], use_stemmer=True).score(clip.reference, item.candidate)["rouge1"].fmeasure
    return {"claimed_normal": float(shared > 0.5)}


REFERENCES: dict[str, Callable[[Scorable, Any], Values]] = {
    "anomeval": ANOMEVAL,
    "bleu": bleu,
    "bleurt": bleurt,
    "choice": CHOICE,
    "claims": CLAIMS,
    "classification": CLASSIFICATION,
    "detection": DETECTION,
    "frame-ranking": FRAME_RANKING,
    "gpt": GPT,
    "grounding": TIMESTAMP,
    "moverscore": moverscore,
    "rouge": rouge,
    "severity": SEVERITY,
    "timestamp": TIMESTAMP,
    "twins": twins,
    "twins-judge": twins_judge,
    "unieval": unieval,
    "unieval-sum": unieval_sum,
    "vau-eval": VAU_EVAL,
}
