"""The outcome of a gate for GitHub Actions: annotations of the job and a summary page, within GitHub's limits."""

from __future__ import annotations

from collections.abc import Sequence

from ..untrusted import one_line
from .forms import as_markdown
from .table import Table
from .verdict import Case, by_severity

# GitHub keeps ten annotations of a kind per step, and a mebibyte of summary.
ANNOTATIONS = 10
SUMMARY_BYTES = 1 << 20
_CUT = "\n\nCut here: the whole is in verdict.json.\n"
_LEVEL = {"FAIL": "error", "INVALID": "error", "WARN": "warning"}


def as_annotations(cases: Sequence[Case]) -> list[str]:
    """Return workflow commands for bad cases, the worst first, at most ten; the last one counts those left out."""
    found = [case for case in by_severity(cases) if case.verdict in _LEVEL]
    lines = [_command(_LEVEL[case.verdict], f"{case.verdict} {case.name}", case.text) for case in found]
    if len(lines) > ANNOTATIONS:
        left = len(lines) - ANNOTATIONS + 1
        lines[ANNOTATIONS - 1 :] = [_command("warning", "and more", f"{left} more cases: see the summary of this job")]
    return lines


def step_summary(tables: Sequence[Table]) -> str:
    """Return tables as the Markdown of a job's summary page, cut where GitHub would refuse it."""
    text = "\n".join(map(as_markdown, tables))
    encoded = text.encode()
    if len(encoded) <= SUMMARY_BYTES:
        return text
    return encoded[: SUMMARY_BYTES - len(_CUT)].decode(errors="ignore") + _CUT


def _command(level: str, title: str, text: str) -> str:
    """Return a workflow command, with characters encoded that would end it early or start another one."""
    lines = "\n".join(map(one_line, text.splitlines()))
    return f"::{level} title={_escaped(one_line(title), ':,')}::{_escaped(lines)}"


def _escaped(text: str, also: str = "") -> str:
    for character in ("%", "\n", *also):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
