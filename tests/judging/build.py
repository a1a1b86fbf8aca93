"""Calls for tests."""

from __future__ import annotations

from ecva_bench.judging import Call, JudgePrompt, Scale

GRADE = JudgePrompt("judge/grade", 1, "test", "Grade the candidate.", ("reference", "candidate"), Scale(0, 5))
SAME = JudgePrompt("judge/same", 1, "test", "Do they agree?", ("reference", "candidate"), Scale(0, 1))
KEYS = JudgePrompt("judge/keys", 1, "test", "Which are stated?", ("keys", "candidate"), Scale(0, 1, many="keys"))


def grade(candidate: str = "a van brakes", reference: str = "a van stops") -> Call:
    return Call(GRADE, {"reference": reference, "candidate": candidate})


def same(candidate: str = "a van brakes", reference: str = "a van stops") -> Call:
    return Call(SAME, {"reference": reference, "candidate": candidate})


def keys(*sentences: str, candidate: str = "a van brakes") -> Call:
    return Call(KEYS, {"keys": list(sentences), "candidate": candidate})
