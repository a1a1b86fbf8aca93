"""Judgements of which a set is one table: VideoAutoBench, LAVE and EmoPrefer.

Each reader returns whether the answers stand in the order in which people saw them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from ...data.described.tables import KEY
from ...wording import counted
from .found import FoundTriples, finite_score, ranks_of

_PREFERRED = {"a1": (1.0, 2.0), "a2": (2.0, 1.0), "same": (1.5, 1.5)}  # the ranks of the two


def read_videoautobench(path: Path, found: FoundTriples) -> bool:
    """Take pairs of which a person chose the better; False, for it is not told which was shown first."""
    for number, row in found.rows(path, "json", ()):
        name = str(row.get(KEY, number))
        record = f"record {number} ({name:.100})"
        texts = [row.get(field) for field in ("selected answer", "rejected answer", "video_id", "question")]
        selected, rejected, video, question = (text.strip() if isinstance(text, str) else "" for text in texts)
        if not (selected and rejected and video):
            found.leave_out(number, "an answer or the video's name is missing", record=record, triple=name)
            continue
        answers = {"selected": selected, "rejected": rejected}
        found.add(name, answers, [[1, 2]], number=number, record=record, video=video, question=question)
    found.notes.append(
        "VideoAutoBench: which of two answers a person chose; in which order they were shown is not told"
    )
    return False


def read_lave(path: Path, found: FoundTriples) -> bool:
    """Take the scored answers to each question; False, for people saw them one by one."""
    columns = ("dataset", "qid", "model", "question", "references", "prediction", "human_score")
    questions: dict[str, dict[str, tuple[str, float]]] = defaultdict(dict)
    asked: dict[str, tuple[int, str, str]] = {}
    for number, row in found.rows(path, "parquet", columns):
        name = f"{row['dataset']}/{row['qid']}"
        model, references = str(row["model"]), row["references"]
        try:
            if not isinstance(row["prediction"], str) or not isinstance(references, list) or not references:
                raise ValueError("it has no prediction or no references")
            if model in questions[name]:
                raise ValueError(f"there are two answers of {model:.100} to {name:.100}")
            questions[name][model] = (row["prediction"].strip(), finite_score(row["human_score"]))
            commonest = Counter(map(str, references)).most_common(1)[0][0]
            asked.setdefault(name, (number, str(row["question"]), commonest))
        except ValueError as error:
            found.leave_out(number, str(error), record=f"row {number}", triple=name)
    alone = 0
    for name, by_model in questions.items():
        if len(by_model) < 2:
            alone += 1
            continue
        number, question, reference = asked[name]
        answers = {model: text for model, (text, _) in by_model.items()}
        ranks = ranks_of([score for _, score in by_model.values()])
        record = f"row {number}"
        found.add(name, answers, [ranks], number=number, record=record, question=question, reference=reference)
    found.notes.append(
        "LAVE: answers of several models to a question about an image, each scored alone; the reference is the "
        f"commonest of the question's; {counted(alone, 'question')} with fewer than two answers left out"
    )
    return False


def read_emoprefer(path: Path, found: FoundTriples) -> bool:
    """Take pairs of which people prefer one, by one person or more; True, for they saw `a1` first."""
    pairs: dict[tuple[str, str, str], list[tuple[int, Sequence[float]]]] = defaultdict(list)
    for number, row in found.rows(path, "csv", ("name", "a1", "a2", "preference")):
        preferred = _PREFERRED.get(row["preference"].strip())
        if preferred is None or not row["a1"].strip() or not row["a2"].strip():
            reason = f"a description is missing, or the preference is not a1, a2 or same: {row['preference']:.100}"
            found.leave_out(number, reason, record=f"row {number}", triple=row["name"])
        else:
            pairs[row["name"].strip(), row["a1"].strip(), row["a2"].strip()].append((number, preferred))
    of_videos = Counter(video for video, _, _ in pairs)
    for (video, first, second), said in pairs.items():
        number = said[0][0]
        name = video if of_videos[video] == 1 else f"{video}/{number}"
        ranks = [of_one for _, of_one in said]
        found.add(name, {"a1": first, "a2": second}, ranks, number=number, record=f"row {number}", video=video)
    found.notes.append("EmoPrefer: which of two descriptions of a person's feelings people prefer, a1 before a2")
    return True
