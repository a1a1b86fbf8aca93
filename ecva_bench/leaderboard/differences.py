"""In what the rows of one board differ besides their answers: verdicts of the judge, and files of the videos."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from ..wording import counted
from .groups import LeaderboardGroup
from .sheet import IDS_SHOWN, UNJUDGED


def judged_notes(group: LeaderboardGroup) -> Iterator[str]:
    """Yield on how many answers of each row the judge gave a verdict, in the first column where it lacks any."""
    for column in group.columns:
        summaries = [(row.label, row.summaries[column]) for row in group.rows if column in row.summaries]
        if any(one.unjudged for _, one in summaries):
            shown = ", ".join(
                f"{label} {one.answers} of {one.answers + one.unjudged}" for label, one in summaries if one.judged
            )
            yield f"Answers on which the judge gave a verdict ({column}): {shown}. {UNJUDGED}."
            return


def video_notes(group: LeaderboardGroup) -> Iterator[str]:
    """Yield for each row of which videos it was shown another file than most, or the best, of the rows."""
    files: dict[str, Counter[str]] = defaultdict(Counter)
    for row in group.rows:
        for video, sha256 in row.submission.scores.videos.items():
            files[video][sha256] += 1
    usual = {video: found.most_common(1)[0][0] for video, found in files.items() if len(found) > 1}
    for row in group.rows:
        shown = row.submission.scores.videos
        other = [video for video, sha256 in usual.items() if shown.get(video, sha256) != sha256]
        if other:
            more = ", …" if len(other) > IDS_SHOWN else ""
            yield (
                f"{row.label} was shown other files than other rows here, of {len(other)} of "
                f"{counted(len(shown), 'video')}: "
                f"{', '.join(other[:IDS_SHOWN])}{more}."
            )
