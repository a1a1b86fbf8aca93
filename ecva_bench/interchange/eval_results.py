"""Scores as the Hugging Face Hub takes them: `.eval_results/*.yaml` of a model, and `eval.yaml` of a benchmark.

The forms are those of huggingface/hub-docs (eval_results.yaml, docs/hub/eval-results.md). A model's file has an entry
for each column of a run, a benchmark's a task for each; both name it `TASK.COLUMN`, or `TASK.VIEW.COLUMN`. A value is a
percentage where the column is one. `verifyToken` is the hub's own to give, and is never written here.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from ..records.scores import Summary
from .scored_runs import ScoredRun, check_repository, column_id

FRAMEWORK = "ecva-bench"  # `evaluation_framework` of eval.yaml: the hub keeps the list of those it accepts


def eval_results(run: ScoredRun, dataset: str, source: str | None = None) -> dict[Path, str]:
    """Return the two files by their paths: below `model` and `dataset`, the repositories that they belong to.

    `dataset` is the benchmark's repository, `OWNER/NAME` or `OWNER/NAME@REVISION`; `source` a link to where the results
    lie. Raises `UsageError` where either is none, where no column has a value, or without PyYAML.
    """
    repository, _, revision = dataset.partition("@")
    about = {"id": check_repository(repository, "--hub-dataset")}
    if source is not None and not source.startswith(("https://", "http://")):
        raise UsageError(f"{source!r:.80} is no link", "--source", "begin it with https://")
    entries = []
    for summary, value in run.summaries():
        entry: dict[str, object] = {
            "dataset": {**about, "task_id": column_id(summary)},
            "value": _shown(summary, value),
        }
        if revision:
            entry["dataset"] = {**about, "task_id": column_id(summary), "revision": revision}
        if run.last:
            entry["date"] = run.last
        if source:
            entry["source"] = {"url": source, "name": FRAMEWORK}
        entries.append({**entry, "notes": _notes(run, summary)})
    if not entries:
        raise UsageError("no column has a value to export", run.scores.source, "score the answers again")
    name = f"{_file_stem(run.dataset or repository)}.yaml"
    benchmark = {
        "name": run.dataset or repository,
        "description": "What happened in a video of an anomaly, why, and how it ended: a task for each metric.",
        "evaluation_framework": FRAMEWORK,
        "tasks": [{"id": column_id(summary)} for summary, _ in run.summaries()],
    }
    return {Path("model", ".eval_results", name): _yaml(entries), Path("dataset", "eval.yaml"): _yaml(benchmark)}


def _shown(summary: Summary, value: float) -> float:
    return 100 * value if summary.unit == "%" else value


def _notes(run: ScoredRun, summary: Summary) -> str:
    """Return what a number's reader must know: unit, number of questions, judge, interval, arithmetic and caveats."""
    answered = summary.n + summary.unscored
    taken, asked = run.questions(summary), summary.expected
    over = f"{asked}" if taken == asked else f"{taken} of {asked}"
    said = [f"{summary.unit}, mean over {over} questions, {answered} of them answered"]
    if taken < asked:
        said.append("the metric gave no value for the others")
    if summary.disqualified:
        said.append("the judge failed its controls, so that the number takes no rank")
    if summary.zero_filled_interval:
        low, high = (_shown(summary, bound) for bound in summary.zero_filled_interval)
        said.append(f"95 % interval {low:.{summary.decimals}f} to {high:.{summary.decimals}f}")
    said += ["higher is better" if summary.higher_is_better else "lower is better", *run.caveats()]
    said += [f"protocol {run.scores.header.protocol}", summary.signature]
    return "; ".join(said)


def _file_stem(name: str) -> str:
    return "".join(one if one.isalnum() or one in "-_." else "-" for one in name)


def _yaml(content: object) -> str:
    try:
        import yaml
    except ModuleNotFoundError:
        raise UsageError("this form needs PyYAML", "--to eval-results", "pip install 'ecva-bench[data]'") from None
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
    return text
