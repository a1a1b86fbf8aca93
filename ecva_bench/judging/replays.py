"""Which judge made the calls of an export, so that whoever scores from it need not say so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import JudgeError
from ..records.base import canonical_json
from ..untrusted import parse_json
from .exports import read_export
from .extras import NO_EXTRAS, RequestExtras
from .judge import LOCAL_PREFIX
from .local import LocalModel


@dataclass(frozen=True)
class ReplayedJudge:
    """A judge as an export has it: its name as `open_judge` takes it, its votes, the most tokens of a reply, `extras`.

    Calls of an export that is not `sealed` may have been changed since they were written.
    """

    model: str
    votes: int
    max_tokens: int | None
    extras: RequestExtras
    sealed: bool


def replayed_judge(path: Path, model: str | None = None) -> ReplayedJudge:
    """Return the judge of an export's calls: `model`, or the only one that is there.

    Raises `JudgeError` where the file cannot be read, and, where no model is named, for calls of several or of none.
    """
    by_judge: dict[str, list[dict[str, object]]] = {}
    said: dict[str, dict[str, RequestExtras]] = {}
    export = read_export(path)
    try:
        for call in export.calls:
            request = parse_json(call.request)
            prefix = LOCAL_PREFIX if request["kind"] == LocalModel.kind else ""
            by_judge.setdefault(f"{prefix}{request['model']}", []).append(request["parameters"])
            extras = RequestExtras.in_parameters(request["parameters"])
            said.setdefault(f"{prefix}{request['model']}", {})[canonical_json(extras.described)] = extras
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JudgeError(f"the judge's calls cannot be read ({error})", path, "export them again") from None
    if model is None:
        if len(by_judge) != 1:
            names = ", ".join(sorted(by_judge))
            what = f"it holds calls of several judges: {names}" if names else "it holds no call"
            raise JudgeError(what, path, "name one with --judge, or a panel as a,b, or export the calls of one alone")
        (model,) = by_judge
    found = by_judge.get(model, [])
    limits = {limit for parameters in found if isinstance(limit := parameters.get("max_completion_tokens"), int)}
    votes = max(1, len({str(parameters.get("seed")) for parameters in found}))
    all_extras = [*said.get(model, {}).values()]
    extras = all_extras[0] if len(all_extras) == 1 else NO_EXTRAS  # of several, a user names one
    return ReplayedJudge(model, votes, max(limits, default=None), extras, export.sealed)
