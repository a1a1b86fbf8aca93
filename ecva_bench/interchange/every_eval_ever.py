"""A scored run as a record of Every Eval Ever, version 0.3.0: one file of results, and one of instances beside it.

The form is that of evaleval/every_eval_ever (`eval.schema.json`); `instances` writes the other file. Both lie in
`data/<data set>/<developer>/<model>/`, as its data store has them, under a name that is the hash of what they hold but
for the time of the export: what is exported again is the same file, all else lies beside it.
Scores are in the column's own unit, a fraction where that is %, and a missing answer counts as the worst. All else that
we know of a column is in `score_details.details`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from uuid import UUID

from ..errors import UsageError
from ..records.scores import Aggregate, Summary
from ..version import __version__
from .instances import SCHEMA_VERSION, instance_lines
from .scored_runs import ScoredRun, check_repository, column_id

Relationship = Literal["first_party", "third_party", "collaborative", "other"]
RELATIONSHIPS: tuple[Relationship, ...] = ("first_party", "third_party", "collaborative", "other")

RETRIEVED = "retrieved_timestamp"  # the field of the time of the export, in seconds since 1970

_KINDS = {"%": "proportion", "s": "seconds", "points": "points"}
_PORTABLE = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"(data|con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # no folder may be called so


@dataclass(frozen=True)
class Evaluator:
    """What only who evaluates can say: their organization, how it relates to the model's, and ids of both on the hub.

    `model` is the model's id, `OWNER/NAME`; `dataset` the data set's repository. Empty where nobody said.
    """

    organization: str = "unknown"
    relationship: Relationship = "other"
    model: str = ""
    dataset: str = ""


def every_eval_ever(run: ScoredRun, evaluator: Evaluator, *, exported: Callable[[Path], float]) -> dict[Path, str]:
    """Return the two files by their paths; without the instances where the results have no answer and no failure.

    `exported` gives the time of the export, in seconds since 1970, for the path of the record. Raises `UsageError` for
    an id that is none, and where no column has a value.
    """
    model = _model_id(run, evaluator)
    dataset = check_repository(evaluator.dataset, "--hub-dataset") if evaluator.dataset else ""
    collection = _folder(run.dataset or "unknown")
    results = _evaluation_results(run, dataset)
    if not results:
        raise UsageError("no column has a value to export", run.scores.source, "score the answers again")
    timeless: dict[str, Any] = {
        "source_metadata": {
            "source_name": "ecva-bench",
            "source_type": "evaluation_run",
            "source_organization_name": evaluator.organization,
            "evaluator_relationship": evaluator.relationship,
        },
        "eval_library": {
            "name": "ecva-bench",
            "version": run.scores.header.version,
            "additional_details": {"exported_by": __version__},
        },
        "model_info": _model_info(run, model),
        "evaluation_results": results,
    }
    name = _name(run, timeless)
    folder = PurePosixPath("data", collection, *map(_folder, model.split("/")))
    path = Path(folder / f"{name}.json")
    at = f"{exported(path):.0f}"
    evaluation = f"{collection}/{model}/{at}"
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": evaluation,
        **({"evaluation_timestamp": run.last} if run.last else {}),
        RETRIEVED: at,
        **timeless,
    }
    lines = [json.dumps(line, ensure_ascii=False) + "\n" for line in instance_lines(run, evaluation, model)]
    if not lines:
        return {path: _json(record)}
    samples = folder / f"{name}_samples.jsonl"
    text = "".join(lines)
    record["detailed_evaluation_results"] = {
        "format": "jsonl",
        "file_path": str(samples),
        "hash_algorithm": "sha256",
        "checksum": sha256(text.encode()).hexdigest(),
        "total_rows": len(lines),
    }
    return {Path(samples): text, path: _json(record)}


def _evaluation_results(run: ScoredRun, dataset: str) -> list[dict[str, Any]]:
    """Return a result for each column; the first of a scorer, task and view also has the aggregates beside it."""
    remaining = list(run.scores.aggregates)
    found = []
    for summary, value in run.summaries():
        place = (summary.task, summary.view, summary.scorer)
        own = [one for one in remaining if (one.task, one.view, one.scorer) == place]
        remaining = [one for one in remaining if one not in own]
        found.append(_result(run, summary, value, dataset, own))
    return found


def _result(
    run: ScoredRun, summary: Summary, value: float, dataset: str, aggregates: Sequence[Aggregate]
) -> dict[str, Any]:
    details = {name: held for name, held in summary.model_dump(mode="json").items() if name != "type"}
    coverage = [one for one in run.scores.coverage if (one.task, one.view) == (summary.task, summary.view)]
    details |= {"coverage": coverage[0].model_dump(mode="json")} if coverage else {}
    details |= {"aggregates": [one.model_dump(mode="json") for one in aggregates]} if aggregates else {}
    uncertainty: dict[str, Any] = {"num_samples": run.questions(summary)}
    if summary.zero_filled_interval:
        low, high = summary.zero_filled_interval
        interval = {"lower": low, "upper": high, "confidence_level": 0.95, "method": "bootstrap over videos"}
        uncertainty |= {"confidence_interval": interval, "num_bootstrap_samples": run.scores.header.draws}
    prompt = run.results.spec.get("prompts", {}).get(summary.task, {})
    asked = {"prompt_template": prompt["text"]} if prompt.get("text") else {}
    said = {name: held for name, held in run.results.spec.items() if name != "prompts"}
    said |= {"asked_with": prompt["with"]} if prompt.get("with") else {}
    name = run.dataset or "unknown"
    return {
        "evaluation_result_id": column_id(summary),
        "evaluation_name": ".".join([name, *column_id(summary).split(".")[:-1]]),
        "source_data": _source_data(run, dataset),
        "metric_config": _metric(run, summary),
        "score_details": {"score": value, "details": as_texts(details), "uncertainty": uncertainty},
        "generation_config": {
            "generation_args": asked,
            "additional_details": as_texts(said),
        },
    }


def _source_data(run: ScoredRun, dataset: str) -> dict[str, Any]:
    header = run.scores.header
    more = {"additional_details": {"annotations_sha256": header.dataset_sha256}} if header.dataset_sha256 else {}
    found = {"dataset_name": run.dataset or "unknown", **more}
    return {**found, "source_type": "hf_dataset", "hf_repo": dataset} if dataset else {**found, "source_type": "other"}


def _metric(run: ScoredRun, summary: Summary) -> dict[str, Any]:
    found: dict[str, Any] = {
        "metric_id": "accuracy" if summary.column == "accuracy" else f"ecva-bench.{summary.column}",
        "metric_name": summary.column,
        "metric_unit": _KINDS.get(summary.unit, summary.unit),
        "metric_parameters": {"signature": summary.signature, "protocol": run.scores.header.protocol},
        "lower_is_better": not summary.higher_is_better,
    }
    bounds = run.bounds.get((summary.scorer, summary.column))
    if bounds:
        found |= {"score_type": "continuous", "min_score": _bound(bounds.low), "max_score": _bound(bounds.high)}
    return found


def _bound(value: float) -> float | str:
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def _model_id(run: ScoredRun, evaluator: Evaluator) -> str:
    """Return the model's id as it is named, as its checkpoint is on the hub, or of an unknown developer."""
    if evaluator.model:
        return check_repository(evaluator.model, "--model-id")
    return run.checkpoint or f"unknown/{_folder(run.scores.header.model)}"


def _model_info(run: ScoredRun, model: str) -> dict[str, Any]:
    """Return what is said of the model: it ran here unless an endpoint or another program answered."""
    header = run.scores.header
    elsewhere = header.imported or header.model.removeprefix("blind:").startswith("openai:")
    engine = "vllm" if header.model.startswith("vllm:") else "transformers" if run.checkpoint else ""
    details = {
        "deployment_type": "unknown" if elsewhere else "self_deployed",
        "model_availability": "open_weights" if run.checkpoint else "unknown",
        "caveats": "; ".join(run.caveats()),
        "served": ", ".join(header.served),
    }
    return {
        "name": header.model,
        "id": model,
        "developer": model.partition("/")[0],
        **({"inference_engine": {"name": engine}} if engine else {}),
        "additional_details": {name: text for name, text in details.items() if text},
    }


def _name(run: ScoredRun, record: Mapping[str, Any]) -> str:
    """Return the UUID of what is exported: the same scores of the same answers, said alike, have the same."""
    said = json.dumps([run.scores.header.results_sha256, record], sort_keys=True)
    return str(UUID(bytes=sha256(said.encode()).digest()[:16], version=4))


def _folder(name: str) -> str:
    """Return a name as a folder of the data store may have it."""
    clean = _PORTABLE.sub("-", name).strip("-.") or "unknown"
    return f"{clean}-" if _RESERVED.fullmatch(clean) else clean


def as_texts(details: Mapping[str, Any]) -> dict[str, str]:
    """Return details as the form wants them, each a text: what is none as JSON. Empty ones are left out."""
    return {
        name: held if isinstance(held, str) else json.dumps(held, ensure_ascii=False, sort_keys=True)
        for name, held in details.items()
        if held not in (None, "", [], {}, ())
    }


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"
