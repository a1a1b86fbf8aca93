"""What every model that is put together owes, found by its entry point and run from a tiny checkpoint."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import statistics
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from ecva_bench import registry
from ecva_bench.adapters.parts.families.composed import Composed
from ecva_bench.answering import ModelCard, create_adapter
from ecva_bench.answering.adapter import ADAPTER_GROUP
from ecva_bench.answering.plan import Selection
from ecva_bench.answering.request import RunRequest
from ecva_bench.answering.runner import Settings
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal
from ecva_bench.records.answers import Answer
from ecva_bench.records.base import canonical_json

MODELS: dict[str, type[Composed]] = {
    name: target
    for name in registry.names(ADAPTER_GROUP)
    if isinstance(target := registry.load(ADAPTER_GROUP, name), type) and issubclass(target, Composed)
}


@dataclass(frozen=True)
class Tiny:
    """A model's tiny checkpoint: the options that name it."""

    name: str
    options: dict[str, str]
    folder: Path

    def load(self) -> Composed:
        found = create_adapter(self.name, self.options)
        assert isinstance(found, Composed)
        return found

    def run(self, mode: Any, out: str) -> tuple[tuple[Answer, ...], Composed]:
        """The answers of a run over one clip of `mini`, and the model that gave them, or found them there."""
        given = dict(self.options)
        request = RunRequest(
            self.name, given.pop("model_path"), given, selection=Selection(limit=1), settings=Settings(mode)
        )
        runner = request.prepare()
        request.render(runner.plan, lambda *_: None)
        with Journal(self.folder / out, runner.manifest) as journal:
            end = runner.run(journal)
        assert (end.status, end.answers) == ("complete", 5)
        assert isinstance(runner.adapter, Composed)
        return read_results(self.folder / out).answers, runner.adapter


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One place for the clip that all models see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECVA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module", params=MODELS)
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    folder = tmp_path_factory.mktemp(request.param)
    builder = importlib.import_module(f"tests.adapters.tiny.{request.param.replace('-', '_')}")
    return Tiny(request.param, builder.build(folder), folder)


def test_five_tasks_are_answered_alike_one_by_one_and_together_and_a_second_run_asks_nothing(tiny: Tiny) -> None:
    exact, _ = tiny.run("exact", "exact.jsonl")
    fast, _ = tiny.run("fast", "fast.jsonl")
    assert {answer.task: answer.answer for answer in exact} == {answer.task: answer.answer for answer in fast}
    for answer in exact:
        assert answer.frames is not None
        assert answer.duration is not None
        assert 0 < answer.frames.n == len(answer.frames.timestamps)
        assert 0 <= answer.frames.timestamps[0] <= answer.frames.timestamps[-1] <= answer.duration
    again, resumed = tiny.run("exact", "exact.jsonl")
    assert again == exact
    assert "networks" not in vars(resumed)


def test_the_files_fit_by_names_and_shapes_and_are_as_many_numbers_as_when_loaded(tiny: Tiny) -> None:
    model = tiny.load()
    check = model.check_checkpoint()
    assert check.passed, check
    built = {id(p): p for part in vars(model.networks).values() for p in getattr(part, "parameters", list)()}
    assert check.parameters == sum(parameter.numel() for parameter in built.values())
    assert sum(part.tensors for part in check.parts) > 0
    assert {p.device.type for p in built.values()} == {"cpu"}  # checking has left the model as it was


def test_a_description_is_json_and_says_what_determines_answers(tiny: Tiny) -> None:
    described = tiny.load().describe()
    assert json.loads(canonical_json(described)) == described
    assert {"checkpoints", "dtype", "device", "quantize", "frames", "template", "generation"} <= described.keys()
    assert all(revision.rpartition("@")[2] for revision in described["checkpoints"].values())
    assert str(tiny.folder) not in json.dumps(described)
    assert len(described["template"]["sha256"]) == 64
    assert described["generation"]["policy"] == "greedy"


@pytest.mark.parametrize("name", MODELS)
def test_a_card_leaves_nothing_out(name: str) -> None:
    card = MODELS[name].card
    empty = [field.name for field in fields(ModelCard) if getattr(card, field.name) in ("", ())]
    assert empty == [] or (name.startswith("anomshield") and empty == ["hub_ids"])  # of which none are released
    assert re.match(r"\d+\.\d+ GB of weights in 16 bits", card.memory)
    assert all(sentence.endswith(".") for sentence in card.deviations)
    assert {"greedy", "upstream"} <= MODELS[name].policies.keys()
    checkpoint = MODELS[name].default_checkpoint
    assert not checkpoint or checkpoint in card.hub_ids or (card.packaged and Path(checkpoint).is_dir())
    assert card.packaged == (name == "anomshield-mini")


def test_a_model_is_a_short_module() -> None:
    lines = {name: len(inspect.getsource(inspect.getmodule(target)).splitlines()) for name, target in MODELS.items()}
    del lines["anomshield"]  # no module but a folder: the paper's own model, whose hard prompt is a procedure
    assert max(lines.values()) <= 200, lines
    assert statistics.median(lines.values()) <= 120, lines
