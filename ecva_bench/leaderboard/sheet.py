"""The score sheet of one results file: a table per task and view, coverage first, then every column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..records.identity import DatasetIdentity
from ..records.scores import Aggregate, Coverage, Scores, ScoresHeader, Summary
from ..statistics.intervals import Estimate
from ..wording import counted
from . import qualified
from .groups import RANKED_BY
from .run_notes import judges_text, warnings_of
from .table import Cell, Table

IDS_SHOWN = 5
VIEWS = {
    "full": "full video",
    "anomaly": "video without its anomaly",
    "control": "video without a normal span",
    "still": "one frame throughout",
    "shuffled": "frames shuffled",
    "blank": "no picture",
}
_HEADER = ("score", "mean", "95 % interval", "missing as 0", "shuffled floor", "n", "of")
_STABILITY = (
    "n and of count questions; the value of each is the mean over its answers, and intervals are over both. unstable: "
    "the share of questions whose answers do not all have the same score; sd within: the mean standard deviation "
    "among the answers to one question"
)
UNJUDGED = "The others count as the worst value where it gives one on the reference, and else not at all"


def value_text(value: float, unit: str, decimals: int) -> str:
    """Return a fraction in percent, or a number of seconds or points, with so many decimals and no unit."""
    return f"{in_unit(value, unit):.{decimals}f}"


def in_unit(value: float, unit: str) -> float:
    """Return a number in the unit it is shown in: fractions times 100 for percent."""
    return 100 * value if unit == "%" else value


def number_cell(value: float | None, unit: str, decimals: int, interval: tuple[float, float] | None = None) -> Cell:
    """Return a number of a column, with its interval, in the unit it is shown in; empty where there is none."""
    if value is None:
        return Cell()
    bounds = (in_unit(interval[0], unit), in_unit(interval[1], unit)) if interval else None
    return Cell(value_text(value, unit, decimals), in_unit(value, unit), bounds)


def share_cell(share: Estimate) -> Cell:
    """Return the cell of a share in percent with one decimal, with its interval; empty where there is none."""
    return number_cell(share.mean, "%", 1, share.interval)


def coverage_text(coverage: Coverage) -> str:
    """Return how many samples have an answer, and why the others have none."""
    share = 100 * coverage.answered / coverage.owed if coverage.owed else 0.0
    return (
        f"{coverage.answered} of {coverage.owed} answered ({share:.2f} %), {coverage.failed} failed, "
        f"{coverage.missing} missing; {coverage.empty} empty, {coverage.cut_off} cut off, {coverage.extra} extra, "
        f"{coverage.duplicates} duplicate"
        + (f", {coverage.trained_on} about videos it was trained on" if coverage.trained_on else "")
        + (f", {sum(coverage.unasked.values())} unscorable" if coverage.unasked else "")
        + (f"; {repeats_text(coverage)}" if coverage.repeats else "")
    )


def repeats_text(coverage: Coverage) -> str:
    """Return how often questions were asked, and how many answers there are; empty where each was asked once."""
    if coverage.repeats is None:
        return ""
    given, owed = coverage.answers_given, coverage.answers_owed
    return f"asked {coverage.repeats.each} times each, {given} of {counted(owed, 'answer')}"


def judged_texts(summaries: Iterable[Summary]) -> list[str]:
    """Return for each metric that asks a judge on how many answers it gave a verdict, in the column with the fewest."""
    fewest: dict[str, Summary] = {}
    for one in summaries:
        if one.judged and (one.scorer not in fewest or one.unjudged > fewest[one.scorer].unjudged):
            fewest[one.scorer] = one
    return [
        f"{one.column}: the judge gave a verdict on {one.answers} of {one.answers + one.unjudged} answers. {UNJUDGED}"
        if one.unjudged
        else f"{scorer}: the judge gave a verdict on all of {counted(one.answers, 'answer')}"
        for scorer, one in fewest.items()
    ]


def worst_texts(summaries: Iterable[Summary]) -> list[str]:
    """Return a line for each column in which a missing answer does not count 0: lower is better, or it is below 0."""
    worst = {s.column: (s.worst, "" if s.higher_is_better else "lower is better; ") for s in summaries}
    return [
        f"{column}: {better}a missing answer counts {value:g}, not 0"
        for column, (value, better) in worst.items()
        if value or better
    ]


def reference_texts(summaries: Iterable[Summary], label: str = "") -> list[str]:
    """Return in a line each that scores are against what a program made, and that a model so agrees with itself."""
    of = f"{label}: " if label else ""
    found: dict[str, None] = {}
    for part in (part for summary in summaries for part in summary.signature.split("|")):
        if part.startswith("reference:pseudo-reference"):
            made = part.partition(",")[2]
            found[f"{of}held against a pseudo-reference: curves that a program made ({made}), and nobody annotated"] = (
                None
            )
        elif part.startswith("beware:self-agreement"):
            found[f"{of}beware: the model and what made the curves both have CLIP, so it agrees with itself"] = None
        elif part.startswith("curves-of-other-files:"):
            videos = counted(int(part.partition(":")[2]), "video")
            found[f"{of}beware: the curves of {videos} were made of other files than the model was shown"] = None
    return list(found)


def score_sheets(scores: Scores) -> list[Table]:
    """Return a table per task and view of a scores file, full videos first, tasks as what, why, how."""
    views = list(VIEWS)
    ordered = sorted(scores.coverage, key=lambda one: (views.index(one.view), _place(one.task)))
    return [_sheet(scores, one) for one in ordered]


def _place(task: str) -> int:
    """Return the place of a task in the order of the paper; one that it does not have stands behind."""
    return list(RANKED_BY).index(task) if task in RANKED_BY else len(RANKED_BY)


def signature_tables(scores: Scores) -> list[Table]:
    """Return a table of how the scores were computed, each way once; none where there are no scores."""
    tasks: dict[str, dict[str, None]] = defaultdict(dict)
    for one in scores.summaries:
        tasks[one.signature][one.task] = None
    rows = tuple((Cell(signature), Cell(", ".join(sorted(names, key=_place)))) for signature, names in tasks.items())
    return [Table(title="How the scores were computed", header=("signature", "tasks"), rows=rows)] if rows else []


def _sheet(scores: Scores, coverage: Coverage) -> Table:
    place = (coverage.task, coverage.view)
    summaries = [summary for summary in scores.summaries if (summary.task, summary.view) == place]
    aggregates = [aggregate for aggregate in scores.aggregates if (aggregate.task, aggregate.view) == place]
    reasons = {
        f"{summary.scorer}: not scored for anyone: " + ", ".join(f"{n} x {why}" for why, n in summary.reasons.items())
        for summary in summaries
        if summary.reasons
    }
    signatures = dict.fromkeys(summary.signature for summary in summaries)
    asked = any(summary.qualification for summary in summaries)
    several = any(summary.stability for summary in summaries)
    return Table(
        title=f"{_run(scores.header)}, {coverage.task}, {VIEWS[coverage.view]}: {coverage_text(coverage)}",
        header=(*_HEADER, *(("unstable, %", "sd within") if several else ()), *(qualified.HEADER if asked else ())),
        rows=tuple(
            (
                *_row(summary),
                *(_stability_cells(summary) if several else ()),
                *(_judge_cells(summary) if asked else ()),
            )
            for summary in summaries
        ),
        notes=(
            *qualified.qualification_texts(summaries),
            *([_STABILITY] if several else []),
            *reference_texts(summaries),
            *warnings_of(scores.header),
            *filter(None, [judges_text(signatures)]),
            *(f"unscorable for anyone: {n} x {why}" for why, n in coverage.unasked.items()),
            *(aggregate_text(aggregate) for aggregate in aggregates if not aggregate.blind),
            *blind_notes([aggregate for aggregate in aggregates if aggregate.blind]),
            *sorted(reasons),
            *judged_texts(summaries),
            *([qualified.MEANING] if asked else []),
            *_gap_texts(scores, place),
            *worst_texts(summaries),
            *([] if summaries else ["no metric asked for scores this view on its own"]),
        ),
    )


def _run(header: ScoresHeader) -> str:
    dataset = DatasetIdentity(name=header.dataset, sha256=header.dataset_sha256).current
    return f"{header.model} on {dataset}" if dataset else header.model


def _gap_texts(scores: Scores, place: tuple[str, str]) -> list[str]:
    """Return a line for each reason why a scorer gave some items no value in some columns: which ones, how often."""
    columns: dict[tuple[str, str], list[str]] = defaultdict(list)
    for summary in scores.summaries:
        if (summary.task, summary.view) == place:
            for reason in summary.stability.gaps if summary.stability else summary.gaps:
                columns[summary.scorer, reason].append(summary.column)
    ids: dict[tuple[str, str], list[str]] = defaultdict(list)
    for score in scores.scores:
        if (score.task, score.view) == place:
            for reason in dict.fromkeys(score.gaps.values()):
                ids[score.scorer, reason].append(score.id)
    return [
        f"{scorer}: {len(ids[scorer, reason])} x {reason}: without {', '.join(names)}: "
        + ", ".join(ids[scorer, reason][:IDS_SHOWN])
        + (", …" if len(ids[scorer, reason]) > IDS_SHOWN else "")
        for (scorer, reason), names in columns.items()
    ]


def _row(summary: Summary) -> tuple[Cell, ...]:
    mean = _with_unit(summary, summary.mean)
    if summary.hits is not None and summary.mean is not None:
        mean = Cell(f"{summary.hits}/{summary.n} = {mean.text}", mean.value)
    bounds = [value_text(bound, summary.unit, summary.decimals) for bound in summary.interval or ()]
    return (
        Cell(summary.column),
        mean,
        Cell(" to ".join(bounds)),
        _with_unit(summary, summary.zero_filled),
        _with_unit(summary, summary.floor),
        Cell(str(summary.n), summary.n),
        Cell(str(summary.expected), summary.expected),
    )


def _stability_cells(summary: Summary) -> tuple[Cell, Cell]:
    """Return the share of questions whose score changes, with its interval, and the deviation within a question."""
    if (found := summary.stability) is None:
        return Cell(), Cell()
    changed = number_cell(found.changed, "%", 1, found.interval)
    return changed, number_cell(found.deviation, summary.unit, summary.decimals)


def _judge_cells(summary: Summary) -> tuple[Cell, ...]:
    """Return what the judge gives to controls, and how well it tells them apart; empty where it was not asked."""
    found = summary.qualification
    if found is None:
        return tuple(Cell() for _ in qualified.HEADER)
    values = (_with_unit(summary, value) for value in (found.ceiling, found.floor, found.changed))
    return (*values, Cell(f"{found.auc:.2f}", found.auc, found.interval))


def _with_unit(summary: Summary, value: float | None) -> Cell:
    cell = number_cell(value, summary.unit, summary.decimals)
    return Cell(f"{cell.text} {summary.unit}", cell.value) if cell.text else cell


def aggregate_text(aggregate: Aggregate) -> str:
    """Return an aggregate with its description."""
    value = value_text(aggregate.value, aggregate.unit, aggregate.decimals)
    return f"{aggregate.column} {value} {aggregate.unit} ({aggregate.description})"


def blind_notes(aggregates: Iterable[Aggregate]) -> list[str]:
    """Return in one line what rules that never look reach, the best first and with what it does; none for none."""
    ordered = sorted(aggregates, key=lambda one: -one.value)
    if not ordered:
        return []
    best = ordered[0]
    values = [f"{one.column} {value_text(one.value, one.unit, one.decimals)} {one.unit}" for one in ordered]
    return [f"rules that never look: {', '.join(values)}. {best.column}: {best.description}"]
