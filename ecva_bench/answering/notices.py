"""What a user is told of a run: of its data set, videos and model before it, and of its curves after it."""

from __future__ import annotations

from pathlib import Path

from ..data.dataset import EMBEDDED
from ..journal.results import read_results
from ..records.answers import Manifest
from .adapter import Baseline
from .plan import Plan, Selection
from .request import RunRequest
from .training import tell_trained


def tell_trial(request: RunRequest) -> str:
    """Return in one line that a model that could be ranked is asked about drawn clips; empty for any other run."""
    if request.dataset.name not in EMBEDDED or isinstance(request.adapter, Baseline):
        return ""
    asked = f"this run asks about {request.dataset.name}, drawn clips with which to try things"
    return f"{asked}: its scores say nothing of a model; for the paper's videos see: ecva-bench data fetch cuva"


def tell_mode(request: RunRequest, manifest: Manifest) -> str:
    """Return in one line that a run has not the mode that was asked for; empty where it has."""
    if request.settings.mode == manifest.spec["mode"]:
        return ""
    return f"{request.model} answers each question alone, so this is a run in exact mode"


def tell_data(request: RunRequest) -> list[str]:
    """Return in a line each what is to be known of the data set: that it is another one, that moments do not fit.

    Raises `DataError` where the videos are not those that the annotations are of; see `RunRequest.check_numbering`.
    """
    renamed = request.dataset.found_by("other-data-set")
    notes = [f"{request.dataset.source} is not {found.before}, but {found.after}" for found in renamed]
    numbering = request.check_numbering()
    return notes + ([numbering.text] if numbering and numbering.own.beyond else [])


def tell_unusable(request: RunRequest, plan: Plan) -> str:
    """Return in one line which videos have not exactly one file with something in it; see `Dataset.unusable`.

    They are those of a plan or, where only available ones are asked about, those that are left out.
    """
    if not request.selection.available:
        found = request.dataset.tell_unusable([group.video for group in plan.groups])
        return f"{found}; --available leaves them out" if found else ""
    named = Selection(request.selection.ids).apply(request.dataset.annotations)
    found = request.dataset.tell_unusable([annotation.video for annotation in named])
    return f"left out: {found}" if found else ""


def tell_training(request: RunRequest) -> str:
    """Return in one line how many questions are about videos the model was trained on; empty where unknown."""
    if (found := request.trained_on) is None:
        return ""
    return tell_trained(found, {group.video: request.plan.questions_of(group) for group in request.plan.groups})


def tell_samples(request: RunRequest, manifest: Manifest) -> str:
    """Return in one line that a model is asked several times and draws no answer; empty for any other run."""
    generation = manifest.spec["description"].get("generation")
    if request.repeats == 1 or not isinstance(generation, dict) or generation.get("temperature") != 0:
        return ""
    why = "the samples differ only where the model takes no temperature, or is not exact"
    return f"at temperature 0, {why}: --model-arg temperature=0.7 lets it draw"


def tell_curves(request: RunRequest, out: Path) -> str:
    """Return in one line of which videos of a run the curves are of other files than it shows; empty where none."""
    curves = request.curve_references
    return curves.tell_other_files(read_results(out)) if curves else ""
