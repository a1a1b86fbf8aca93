"""A video language model behind real HTTP on loopback: it answers by what it is shown, or plays a script of faults."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ecva_bench.answering import Adapter, create_adapter
from ecva_bench.answering.inference import Settings
from ecva_bench.answering.plan import Selection, make_plan
from ecva_bench.answering.runner import Runner
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal
from ecva_bench.records.answers import Manifest, Results
from ecva_bench.records.base import View
from ecva_bench.tasks import find_tasks, prompt_for
from tests.clips import Clips
from tests.judging.server import JudgeServer, Outcome, Request

TASKS = ("description", "cause", "effect")


class ModelServer(JudgeServer):
    """Answers with a hash of all it was sent, so that two equal answers were asked for with equal bytes.

    `says` are the outcomes of the first requests, in order of arrival; after those it answers.
    """

    def __init__(self, says: Sequence[Outcome | None] = (), **options: Any) -> None:
        super().__init__(lambda *_: "", **options)
        self.says = list(says)

    def said(self, request: Request) -> Outcome:
        scripted = self.says.pop(0) if self.says else None
        return scripted if scripted is not None else answer_to(request.body["messages"])

    @property
    def questions(self) -> list[str]:
        """The last words of every request, in order of arrival."""
        return [request.body["messages"][0]["content"][-1]["text"] for request in self.requests]


def answer_to(messages: object) -> str:
    return f"It is {hashlib.sha256(repr(messages).encode()).hexdigest()[:12]}."


def pictures_in(url: str) -> list[NDArray[np.uint8]]:
    """The pictures in a data URL, decoded by a library of its own: uint8 [height, width, 3] each."""
    found = re.fullmatch(r"data:(image/png|image/jpeg|video/jpeg);base64,([A-Za-z0-9+/=,]+)", url)
    assert found, url[:60]
    images = [Image.open(io.BytesIO(base64.b64decode(data, validate=True))) for data in found[2].split(",")]
    assert {image.format for image in images} == {"PNG" if found[1] == "image/png" else "JPEG"}
    return [np.asarray(image) for image in images]


def ask_all(
    name: str,
    options: dict[str, str],
    folder: Path,
    out: Path,
    views: Sequence[View] = ("full",),
    **settings: Any,
) -> Results:
    """Run a model over all clips of a folder, `TASKS` of each, as the command does, and read what it wrote."""
    adapter = create_adapter(name, options)
    runner = runner_of(adapter, name, folder, views, Settings(**settings))
    try:
        with Journal(out, runner.manifest) as journal:
            runner.run(journal)
    finally:
        adapter.close()
    return read_results(out)


def runner_of(adapter: Adapter, name: str, folder: Path, views: Sequence[View], settings: Settings) -> Runner:
    prompts = {task: prompt_for(task) for task in find_tasks(list(TASKS))}
    plan = make_plan(Clips(folder), prompts, Selection(), views)  # type: ignore[arg-type]
    spec = {"model": name, "description": adapter.describe(), "decoder": "d", "mode": settings.mode}
    return Runner(adapter, plan, Manifest(run="r", spec=spec, expects=plan.expects), settings)


def recorded_texts(results: Results) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Every answer's key, text and end, by sample and view."""
    return {(a.id, a.view): (a.key, a.answer, a.finish) for a in results.answers}
