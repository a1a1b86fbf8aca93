"""The manifest of a request says what is done: parts, modes, devices, views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ecva_bench import devices, registry
from ecva_bench.adapters.parts.families.composed import Composed
from ecva_bench.answering import Adapter, create_adapter
from ecva_bench.answering.both_modes import in_both_modes
from ecva_bench.answering.inference import Settings
from ecva_bench.answering.notices import tell_training, tell_trial
from ecva_bench.answering.plan import Selection
from ecva_bench.answering.request import RunRequest
from ecva_bench.answering.worker_options import WorkerOptions
from ecva_bench.errors import UsageError
from ecva_bench.journal.manifests import differences
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal
from ecva_bench.video import Video

ALL = RunRequest("constant", selection=Selection(limit=5))


def part(number: int, of: int, **fields: object) -> RunRequest:
    return replace(ALL, selection=Selection(limit=5, shard=(number, of)), **fields)  # type: ignore[arg-type]


def quiet(*_: int) -> None:
    pass


@pytest.mark.parametrize("model", ["constant", "oracle", "second-round", "motion"])
def test_every_part_knows_what_the_whole_run_owes_and_is_made_as_it_is(model: str) -> None:
    whole = replace(ALL, model=model, edited=("anomaly",)).prepare().manifest
    parts = [part(number, 3, model=model, edited=("anomaly",)).prepare().manifest for number in (1, 2, 3)]
    assert not whole.whole
    for number, found in enumerate(parts, 1):
        assert found.whole == whole.expects
        # Also of models that study the samples: the oracle knows the answers to all of them.
        assert differences(whole, found) == f"the whole run there, part {number} of 3 here"
    for view, samples in whole.expects.items():
        assert sorted(sample for found in parts for sample in found.expects[view]) == sorted(samples)


def test_a_view_asked_for_twice_is_asked_once(tmp_path: Path) -> None:
    request = replace(ALL, selection=Selection(limit=1), edited=("anomaly", "anomaly"))
    request.render(request.plan, quiet)
    runner = request.prepare()
    with Journal(tmp_path / "r.jsonl", runner.manifest) as journal:
        runner.run(journal)
    assert runner.plan.owed == 8
    assert (tmp_path / "r.jsonl").read_text().count('"type":"answer"') == 8
    assert runner.manifest.spec["views"] == ["full", "anomaly"]


class Alone(Adapter):
    """Is asked one question at a time whatever the mode."""

    def answer(self, video: Video, question: str) -> str:
        return "text"


class Together(Alone):
    """Is asked a video's questions together in fast mode."""

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        return [f"one of {len(questions)}" for _ in questions]


class Independent(Together):
    """Answers each as if it were alone, though it is asked them together."""

    independent = True


@pytest.mark.parametrize(("model", "mode"), [(Alone, "exact"), (Together, "fast"), (Independent, "exact")])
def test_the_mode_is_the_one_that_is_gone_about_in(
    model: type[Adapter], mode: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "_loaded", _instead(model))
    request = replace(ALL, settings=Settings(mode="fast"))
    runner = request.prepare()
    assert (runner.manifest.spec["mode"], runner.settings.mode) == (mode, mode)
    exact = replace(ALL).prepare()
    assert (differences(exact.manifest, runner.manifest) == "") == (mode == "exact")
    if mode == "exact":
        with pytest.raises(UsageError, match="answers each question alone in both modes"):
            in_both_modes(request, 4, tmp_path, quiet, quiet)


def test_a_model_is_made_once_for_what_is_told_of_a_run_and_for_its_answers() -> None:
    """One that loads its weights as it is made would load them again for each note, and hold them twice."""
    made: list[Adapter] = []

    class Costly(Alone):
        def __init__(self) -> None:
            made.append(self)

    request = replace(ALL, model=Costly)
    runner = request.open()
    told = (request.plan.owed, request.adapter.answers_jointly, tell_training(request))
    assert told == (runner.plan.owed, False, "")
    assert "drawn clips" in tell_trial(request)
    assert request.adapter.notes(request.plan.prompts) == ()
    assert made == [getattr(runner, "adapter", None)]


def _instead(model: type[Adapter]) -> object:
    load = registry._loaded
    return lambda group, entry: model if group.endswith("adapters") else load(group, entry)


def test_a_policy_that_samples_answers_one_by_one() -> None:
    greedy, sampling = (create_adapter("video-llava", {"generation": policy}) for policy in ("greedy", "upstream"))
    assert isinstance(greedy, Composed)
    assert greedy.answers_jointly
    assert not sampling.answers_jointly


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpus", lambda: 2)
    monkeypatch.setattr(devices, "_of_driver", lambda: 0)


def open_on(*names: str) -> WorkerOptions:
    request = replace(ALL, worker_options=WorkerOptions(devices=names))
    request.open()
    return request.worker_options


@pytest.mark.parametrize("name", ["cuda:2", "cuda:7", "cuda:10"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name: str, two_gpus: None) -> None:
    with pytest.raises(UsageError, match=rf"no such device: {name}: there is cpu, cuda:0, cuda:1$"):
        open_on("cuda:0", name)


def test_a_device_of_another_kind_is_refused_with_those_that_are(two_gpus: None) -> None:
    for name in ("mps", "cuda", "xpu:0", "CUDA:0", " cpu"):
        with pytest.raises(UsageError, match=rf"{name}' is no device: write cuda:N or cpu.*; there is cpu, cuda:0"):
            open_on(name)


def test_devices_that_are_there_are_taken(two_gpus: None) -> None:
    assert open_on("cuda:1", "cpu", "cuda:01").devices == ("cuda:1", "cpu", "cuda:01")


@pytest.mark.parametrize("model", ["video-llava", "anomshield", "hf:nobody/nothing"])
@pytest.mark.parametrize("device", ["cuda:93", "meta", "tpu", "xpu", "spread:1", ""])
def test_a_models_device_that_is_not_there_is_refused_before_its_weights_are_looked_for(
    model: str, device: str
) -> None:
    with pytest.raises(UsageError, match=rf"torch cannot use the device \(.*\): {device}: there is cpu"):
        replace(ALL, model=model, model_args={"device": device}).prepare()


def test_the_environment_of_a_run_that_is_taken_up_is_recorded_too(tmp_path: Path) -> None:
    manifest = ALL.prepare().manifest
    for python in ("3.11.0", "3.12.0"):
        environment = {**manifest.environment, "python": python, "workers": ["cpu"]}
        with Journal(tmp_path / "r.jsonl", manifest.model_copy(update={"environment": environment})):
            pass
    lines = (tmp_path / "r.jsonl").read_text().splitlines()
    assert '"python":"3.11.0"' in lines[0]
    assert '"event":"resumed"' in lines[1]
    assert '"python":"3.12.0"' in lines[1]
    assert '"workers":["cpu"]' in lines[1]
    assert read_results(tmp_path / "r.jsonl").lacking is None
