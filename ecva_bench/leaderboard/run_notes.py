"""What of a run must be known beside its scores, in words: absent parts, several models or packages, its training."""

from __future__ import annotations

from collections.abc import Iterable

from ..records.scores import Coverage, ScoresHeader
from ..wording import counted, versions


def lacking_text(header: ScoresHeader) -> str:
    """Return which parts of a run are absent; empty for a whole run."""
    return f"not the whole run: {header.lacking.text}" if header.lacking else ""


def served_text(header: ScoresHeader) -> str:
    """Return that several models gave the answers of one run; empty where only one did, or the endpoint did not say."""
    several = len(header.served) > 1
    return f"beware: several models gave these answers: {', '.join(header.served)}" if several else ""


def training_text(header: ScoresHeader) -> str:
    """Return of how many questions the model was trained on the video, or that such were left out; empty for none."""
    seen = header.trained_on
    if seen is not None and (seen.questions or seen.at_least):
        return f"beware: the model was trained on the videos of {seen}; --unseen-only leaves them out"
    if header.unseen_only is not None:
        videos = counted(len(header.unseen_only), "video")
        return f"unseen only: questions about {videos} that a model was trained on are left out"
    return ""


def warnings_of(header: ScoresHeader) -> list[str]:
    """Return what of a run must be known beside its scores, in a line each; nothing of most runs."""
    several = versions(header.packages)
    changed = f"beware: several versions of packages gave these answers: {several}" if several else ""
    places = counted(header.repaired, "place")
    repaired = f"beware: the results file was changed in {places} and repaired" if header.repaired else ""
    said = (lacking_text(header), served_text(header), changed, repaired, training_text(header))
    return [text for text in said if text]


def judges_text(signatures: Iterable[str]) -> str:
    """Return that several models gave the verdicts of one metric; empty where only one did, or none is named."""
    names = [
        part.removeprefix("served:") for one in signatures for part in one.split("|") if part.startswith("served:")
    ]
    several = dict.fromkeys(one for one in names if "," in one)
    return f"beware: several models judged: {'; '.join(several)}" if several else ""


def samples_text(coverages: Iterable[Coverage]) -> str:
    """Return that questions were asked several times, and what their values then are; empty where none was."""
    several = [one for one in coverages if one.repeats and one.repeats.each > 1]
    if not several:
        return ""
    each = max(one.repeats.each for one in several if one.repeats)
    given, owed = sum(one.answers_given for one in several), sum(one.answers_owed for one in several)
    lacking = f", and {given:,} of {counted(owed, 'answer')} are there" if given < owed else ""
    return f"questions were asked {each} times{lacking}; the value of each is the mean over its answers"
