"""How scores are computed, by name: the correct arithmetic, and the one behind the published figures.

Knows switches and nothing of texts or metrics: each scorer reads the switches that concern it and prints them
in its signature.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from ..errors import UsageError
from ..judging import JudgePrompt
from ..reading.units import TimeUnit


@dataclass(frozen=True)
class AnomEvalSettings:
    """How AnomEval is put together (Eq. 11 to 14 of the paper; the defaults are its figure's, preset `paper`).

    `weights`: of s1, s2 and s3; they add up to 1.
    `s1`: key-sentence coverage times logic, or the mean of both.
    `s3`: `compare`, how little the answer on the video without its anomaly agrees with the answer on the full one;
    `refusal`, whether the former declines to answer, as the paper's code has it (preset `upstream`).
    `questions`: the T questions of s2: the single one of the paper's code, or also one per key sentence.
    """

    weights: tuple[float, float, float] = (0.2, 0.4, 0.4)
    s1: Literal["product", "mean"] = "product"
    s3: Literal["compare", "refusal"] = "compare"
    questions: Literal["single", "key-sentences"] = "single"

    def __post_init__(self) -> None:
        if len(self.weights) != 3 or min(self.weights) < 0 or not abs(sum(self.weights) - 1) <= 1e-9:
            raise UsageError(f"{self.weights} are no weights", "AnomEval", "give three that are not negative, sum 1")


ANOMEVAL = {"paper": AnomEvalSettings(), "upstream": AnomEvalSettings(s3="refusal")}


@dataclass(frozen=True)
class ModelSettings:
    """Which weights a metric that is a network runs on, and how.

    `checkpoint`: a hub id, a hub id with `@` and a revision, or a local folder; None: the metric's default.
    `device`: as torch names it; auto: a GPU where there is one, else the CPU.
    `batch_tokens`: bound on the tokens of one batch, padding included; it bounds the memory. None: as many as suit
    the device.
    """

    checkpoint: str | None = None
    device: str = "auto"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_tokens: int | None = None


@dataclass(frozen=True)
class Protocol:
    """Every setting that moves a score. The defaults are the correct arithmetic.

    `strip_special_tokens`: cut `</s>` and its like, and what was thought aloud, from answers before scoring, and read
    `][` between the descriptions of moments as a blank (rule `descriptions-joined`).
    `include_extra`: also score answers to samples that the data set excludes.
    `swap_arguments`: hand BLEU and BLEURT the answer as reference and the reference as candidate.
    `first_digit_class`: compare a predicted class with the first digit of the annotated one (10 and 11 become 1).
    `sum_moments`: add up the IoU of the first predicted span with each annotated moment, in place of the IoU of
    the two sets.
    `timestamp_unit`: the unit of bare numbers in timestamp answers; None: such an answer is ambiguous.
    `anomeval`: how AnomEval is put together.
    `judge_prompts`: stand in for the packaged prompts of the same id.
    `models`: by scorer, the weights of metrics that are networks, where not the defaults.
    """

    name: str = "standard"
    strip_special_tokens: bool = True
    include_extra: bool = False
    swap_arguments: bool = False
    first_digit_class: bool = False
    sum_moments: bool = False
    timestamp_unit: TimeUnit | None = None
    anomeval: AnomEvalSettings = ANOMEVAL["paper"]
    judge_prompts: tuple[JudgePrompt, ...] = ()
    models: Mapping[str, ModelSettings] = field(default_factory=dict, hash=False)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(),
        Protocol(
            name="ecva-2024",
            strip_special_tokens=False,
            include_extra=True,
            swap_arguments=True,
            first_digit_class=True,
            sum_moments=True,
        ),
    )
}


def get_protocol(name: str) -> Protocol:
    """Return the protocol of a name; `UsageError` with the nearest name if there is none.

    >>> import ecva_bench as eb

    >>> eb.get_protocol("ecva-2024").swap_arguments  # as the published figures were computed
    True
    """
    if name not in PROTOCOLS:
        raise unknown("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def get_anomeval(preset: str, changes: Mapping[str, str] | None = None) -> AnomEvalSettings:
    """Return the AnomEval settings of a preset, with changes by field name: `{"weights": "20,40,40", "s1": "mean"}`.

    Weights are shares or percent. Raises `UsageError` for an unknown preset, field or value.
    """
    if preset not in ANOMEVAL:
        raise unknown("preset of AnomEval", preset, ANOMEVAL)
    allowed = {one.name: get_args(get_type_hints(AnomEvalSettings)[one.name]) for one in fields(AnomEvalSettings)}
    values: dict[str, Any] = {}
    for name, text in (changes or {}).items():
        if name not in allowed:
            raise unknown("setting of AnomEval", name, allowed)
        if name != "weights" and text not in allowed[name]:
            raise unknown(f"{name} of AnomEval", text, allowed[name])
        values[name] = _weights(text) if name == "weights" else text
    return replace(ANOMEVAL[preset], **values)


def _weights(text: str) -> tuple[float, ...]:
    try:
        weights = [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{text!r} are no weights", "AnomEval", "write three numbers, such as 20,40,40") from None
    whole = 100 if sum(weights) > 1.5 else 1
    return tuple(weight / whole for weight in weights)


def unknown(kind: str, name: str, available: Collection[str]) -> UsageError:
    """Return the error for a name that is none of those available, with the nearest of them."""
    near = difflib.get_close_matches(name, available, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return UsageError(f"no {kind} is called {name!r}", remedy=f"{hint}available: {', '.join(available)}")
