"""What a run still has to do, and what that will take: time, tokens, money, disk. Nothing is asked."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..journal.manifests import option_that_agrees
from ..journal.results import read_results, read_spent
from ..records.annotations import sample_parts
from ..records.answers import THINKING, Results
from ..records.base import View, canonical_json
from .adapter import Baseline, QuestionCost
from .plan import Plan
from .runner import Runner
from .severity import MOST

BYTES_PER_ANSWER = 2000  # of a results file, where no trial says: an answer with its key, frames and times


@dataclass(frozen=True)
class RunStatus:
    """What a run still has to do: (view, task) to counts of owed, answered, failed and open.

    `seconds` is what the open ones take one after another, None where no trial tells. `cost` is what one takes at an
    endpoint, None for models elsewhere. `bytes` are those of the results and `video_bytes` those of the videos that are
    there; `absent` videos are not. `option` is what a run needs to go on with the file, empty where it needs nothing or
    the file is of another run altogether.
    """

    rows: dict[tuple[View, str], Counter[str]]
    seconds: float | None
    cost: QuestionCost | None
    bytes: int
    video_bytes: int
    absent: int
    computes: bool  # whether the model itself is run here, and not a baseline
    calls: int  # of the model, for all that is open: of a severity asked part by part, one for each part
    option: str

    @property
    def open(self) -> int:
        """How many questions are still to be asked."""
        return sum(row["open"] for row in self.rows.values())

    def usd(self, *, batch: bool = False) -> float | None:
        """Return the USD of all that is open; None where the price is unknown."""
        if self.cost is None or self.cost.usd is None:
            return None
        return self.calls * self.cost.usd * (self.cost.batch if batch else 1.0)


def run_status(runner: Runner, results: Path) -> RunStatus:
    """Compare what a runner owes with what a results file holds, if there is one.

    A file of the same model is the trial: what an answer took there is what each open one will take. The time is the
    median's. Money without a trial is the most that can be asked for.
    """
    rows: dict[tuple[View, str], Counter[str]] = {}
    held = read_results(results) if results.exists() else None
    done = {(a.id, a.view) for a in held.answers} if held else set()
    failed = {(f.id, f.view) for f in held.failures} if held else set()
    impossible = held.unasked if held else {}
    open_ids: list[str] = []
    for view, samples in runner.plan.expects.items():
        for sample in samples:
            row = rows.setdefault((view, sample_parts(sample).task), Counter())
            state = "answered" if (sample, view) in done else "failed" if (sample, view) in failed else "open"
            if sample not in impossible.get(view, {}):
                row.update(["owed", state])
                open_ids += [sample] if state == "open" else []
    calls = _calls(rows, open_ids, runner, held)
    each = results.stat().st_size / len(held.answers) if held and held.answers else BYTES_PER_ANSWER
    media = {group.media for group in runner.plan.groups}
    sizes = [path.stat().st_size for path in media if path.is_file()]
    words = max((len(prompt.text.encode()) for prompt in runner.plan.prompts.values()), default=0)
    cost = runner.adapter.question_cost(words)
    return RunStatus(
        rows,
        _seconds(len(open_ids), calls, runner, held),
        _measured(cost, held, results, runner) if cost and held else cost,
        round(len(open_ids) * each),
        sum(sizes),
        len(media) - len(sizes),
        cost is None and not isinstance(runner.adapter, Baseline),
        calls,
        option_that_agrees(held.spec, runner.manifest.spec) if held else "",
    )


def _calls(
    rows: Mapping[tuple[View, str], Counter[str]], open_ids: Iterable[str], runner: Runner, held: Results | None
) -> int:
    """Return how often a model is asked for all that is open: a severity as often as a trial's, else as most parts.

    A model whose answers are the same for all videos is asked each open question once.
    """
    if runner.adapter.same_for_all_videos:
        asked = _asked_about_all(runner.plan)
        return len({asked[one] for one in open_ids})
    way = runner.manifest.spec.get("prompts", {}).get("severity", {}).get("from", "")
    apart = way in ("segments", "likelihood") and not isinstance(runner.adapter, Baseline)
    there = [len((one.steps or {}).get("segments", ())) for one in (held.answers if held else ())]
    parts = statistics.mean(found) if (found := [number for number in there if number]) else MOST
    return sum(round(row["open"] * (parts if apart and task == "severity" else 1)) for (_, task), row in rows.items())


def _seconds(still_open: int, calls: int, runner: Runner, held: Results | None) -> float | None:
    """Return what is open takes by a trial's median; None where none tells.

    Of a model whose answers are the same for all videos, the first answer to a question tells what a call takes.
    """
    timed = [answer for answer in held.answers if answer.time] if held else []
    if not timed:
        return None
    if not runner.adapter.same_for_all_videos:
        return statistics.median(sum(answer.time.values()) for answer in timed) * still_open
    asked, first = _asked_about_all(runner.plan), dict[object, float]()
    for answer in timed:
        first.setdefault(asked.get(answer.id, answer.id), sum(answer.time.values()))
    decoded = statistics.median(answer.time.get("decode", 0.0) for answer in timed)
    return statistics.median(first.values()) * calls + decoded * (still_open - calls)


def _asked_about_all(plan: Plan) -> dict[str, tuple[str, int]]:
    """Return by a sample's id what tells its question from others where the video does not: words and repeat."""
    return {sample.id: (sample.question, sample.repeat) for group in plan.groups for sample in group.samples}


def _measured(cost: QuestionCost, held: Results, results: Path, runner: Runner) -> QuestionCost:
    """Return a cost by what a trial took; unchanged where its model, or how that is shown videos, is another."""
    spent = read_spent(results)
    asked = spent.get("asked", 0) - spent.get("failed", 0)
    if asked <= 0 or not same_way(held.spec, runner.manifest.spec):
        return cost
    tokens_in, tokens_out = spent.get("tokens_in", 0) / asked, spent.get("tokens_out", 0) / asked
    usd = spent["usd"] / asked if cost.usd is not None and "usd" in spent else cost.usd
    per_frame = cost.usd_per_frame and cost.usd_per_frame * min(1.0, tokens_in / cost.tokens_in)
    return replace(cost, tokens_in=tokens_in, tokens_out=tokens_out, usd=usd, usd_per_frame=per_frame, measured=True)


def same_way(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether a model of two runs is the same, is shown videos in the same way and thinks as much."""
    return _shown(one) == _shown(other)


def _shown(spec: dict[str, Any]) -> str:
    description = spec.get("description")
    described = dict(description) if isinstance(description, dict) else {}
    generation = described.pop("generation", None)
    thought = {name: generation.get(name) for name in THINKING} if isinstance(generation, dict) else {}
    return canonical_json([spec.get("model"), described, {name: said for name, said in thought.items() if said}])


def fitting_subset(found: RunStatus, videos: int, usd: float) -> int:
    """Return of how many of the run's videos all questions fit into so many USD, as if none had been asked yet.

    A subset may be without the videos that share their questions, so no call is taken to serve two of them.
    """
    each = found.cost.usd if found.cost and found.cost.usd else 0.0
    owed = sum(row["owed"] for row in found.rows.values()) * max(1.0, found.calls / max(1, found.open))
    return min(videos, math.floor(usd / (each * owed / videos))) if each and owed else videos


def fitting_frames(found: RunStatus, usd: float) -> int:
    """Return how many frames a question may have for all to fit into so many USD; 0 where not even one frame fits."""
    cost = found.cost
    if cost is None or cost.usd is None or not cost.usd_per_frame or not found.open:
        return 0
    words = max(0.0, cost.usd - cost.frames * cost.usd_per_frame)
    return max(0, min(cost.frames, math.floor((usd / found.calls - words) / cost.usd_per_frame)))
