"""Many workers, one writer: whoever dies and whenever, nothing is lost, nothing comes twice, and nobody waits."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from ecva_bench.answering.inference import Job
from ecva_bench.answering.process_workers import ProcessWorkers, _visible, devices_for
from ecva_bench.answering.runner import Runner
from ecva_bench.answering.workers import Died, Engine, Message, Ready, Refused, Worker, WorkerPool, Wrote
from ecva_bench.errors import AdapterError, ModelGone, SpecMismatch, UsageError, WorkerLost
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal
from ecva_bench.records.answers import Manifest
from tests.answering.worker_models import prepare, prepare_one
from tests.clips import write_clip

VIDEOS = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("videos")
    for number in range(VIDEOS):
        write_clip(found / f"{number}.mp4", frames=40 + number)
    return found


@pytest.fixture
def trouble(tmp_path: Path) -> Path:
    found = tmp_path / "trouble"
    found.mkdir()
    return found


def lines(path: Path, kind: str) -> list[dict[str, object]]:
    return [record for record in map(json.loads, path.read_bytes().splitlines()) if record["type"] == kind]


def answers(path: Path) -> dict[str, dict[str, object]]:
    """Return answer records by key, without what time changes; fail on a key that comes twice."""
    found = lines(path, "answer")
    assert len({record["key"] for record in found}) == len(found)
    return {str(r["key"]): {name: v for name, v in r.items() if name not in ("t", "time", "seal")} for r in found}


def events(path: Path, name: str) -> list[dict[str, object]]:
    return [record["detail"] for record in lines(path, "event") if record["event"] == name]  # type: ignore[misc]


def alone(folder: Path, path: Path) -> dict[str, dict[str, object]]:
    (path.parent / "nothing").mkdir(exist_ok=True)
    with prepare(folder, path.parent / "nothing") as runner, Journal(path, runner.manifest) as journal:
        runner.run(journal)
    return answers(path)


def together(engine: Engine, folder: Path, trouble: Path, path: Path, decoders: int = 1) -> None:
    runner = prepare(folder, trouble, decoders)
    with WorkerPool(engine, runner.plan, runner.settings) as pool, Journal(path, pool.manifest) as journal:
        pool.run(journal)


def on_two(folder: Path, trouble: Path, path: Path) -> None:
    together(ProcessWorkers(partial(prepare_one, folder, trouble), ("cpu", "cpu")), folder, trouble, path)
    assert not multiprocessing.active_children()


def test_two_workers_write_what_one_process_does(folder: Path, trouble: Path, tmp_path: Path) -> None:
    on_two(folder, trouble, tmp_path / "two.jsonl")
    assert answers(tmp_path / "two.jsonl") == alone(folder, tmp_path / "one.jsonl")
    assert lines(tmp_path / "two.jsonl", "end")[0]["status"] == "complete"
    assert lines(tmp_path / "two.jsonl", "run")[0]["environment"]["workers"] == ["cpu", "cpu"]  # type: ignore[index]


@pytest.mark.parametrize("where", ["ask-3", "decode-3", "load"])
def test_a_worker_that_dies_gives_its_videos_back(where: str, folder: Path, trouble: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    (trouble / f"die-{where}-1").touch()
    on_two(folder, trouble, path)
    assert answers(path) == alone(folder, tmp_path / "one.jsonl")
    assert not lines(path, "error")
    (lost,) = events(path, "worker_lost")
    assert "killed by signal 9" in str(lost["why"])
    asked = Counter((trouble / "asked.txt").read_text().splitlines())
    assert len(asked) == 4 * VIDEOS
    # What a dead worker has answered is not asked again; what it was asked as its decoder killed it, is.
    assert sum(asked.values()) - len(asked) <= (where == "decode-3")


@pytest.mark.parametrize("where", ["ask-3", "decode-3"])
def test_a_video_at_which_two_workers_died_costs_itself_only_and_is_asked_again_later(
    where: str, folder: Path, trouble: Path, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    for time in range(3):  # a third, for where it is prepared while another video is asked about
        (trouble / f"die-{where}-{time}").touch()
    on_two(folder, trouble, path)
    failures = lines(path, "error")
    expected = alone(folder, tmp_path / "one.jsonl")
    # The question before the one that kills is answered once and kept.
    owing = {("3/cause", "full"), ("3/effect", "full"), ("3/cause", "anomaly"), ("3/effect", "anomaly")}
    held = {(str(a["id"]), str(a["view"])) for a in answers(path).values()}
    assert {(f["id"], f["view"]) for f in failures} == owing - held
    assert ("3/cause", "full") in held if where == "ask-3" else not owing & held
    assert len(held) + len(failures) == len(expected)
    assert {(f["error"], f["retryable"]) for f in failures} == {("WorkerLost", True)}
    for file in trouble.glob("die-*"):
        file.unlink()
    on_two(folder, trouble, path)
    assert answers(path) == expected
    assert not read_results(path).failures


def test_workers_that_cannot_live_end_the_run_and_fail_no_more_than_they_must(
    folder: Path, trouble: Path, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    for time in range(9):
        (trouble / f"die-load-{time}").touch()
    with pytest.raises(WorkerLost, match=r"no worker is left: killed by signal 9"):
        on_two(folder, trouble, path)
    assert len(events(path, "worker_lost")) == 6
    assert len(events(path, "place_given_up")) == 2
    for file in trouble.glob("die-*"):
        file.unlink()
    on_two(folder, trouble, path)
    assert answers(path) == alone(folder, tmp_path / "one.jsonl")


def test_what_no_worker_could_do_ends_the_run_with_the_workers_own_words(
    folder: Path, trouble: Path, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    (trouble / "refuse").touch()
    with pytest.raises(AdapterError, match=r"the weights do not fit: model\.bin: take others"):
        on_two(folder, trouble, path)
    assert not lines(path, "error")


class Script:
    """An engine whose workers have told all they will tell as soon as they are given a video."""

    def __init__(self, manifest: Manifest, *told: Sequence[Message]) -> None:
        self.places = tuple(map(str, range(len(told))))
        self._manifest, self._told = manifest, told

    def start(self, place: str, send: Callable[[Message], None]) -> Scripted:
        send(Ready(self._manifest))
        return Scripted(self._told[int(place)], send)


class Scripted:
    """A worker by the script."""

    def __init__(self, told: Sequence[Message], send: Callable[[Message], None]) -> None:
        self._told, self._send = list(told), send

    def submit(self, job: Job) -> None:
        while self._told:
            self._send(self._told.pop(0))

    def end(self) -> None:
        pass

    def stop(self) -> None:
        self._told.clear()


def test_what_was_told_before_a_model_was_gone_for_good_is_written(folder: Path, trouble: Path, tmp_path: Path) -> None:
    path, runner = tmp_path / "r.jsonl", prepare(folder, trouble)
    alone(folder, tmp_path / "one.jsonl")
    first, second = read_results(tmp_path / "one.jsonl").answers[:2]
    gone = Refused(ModelGone("the budget is spent", "tiny", "raise it"))
    engine = Script(runner.manifest, [Wrote(first), gone], [Wrote(first), Wrote(second)])
    pool = WorkerPool(engine, runner.plan, runner.settings)
    with pool, Journal(path, pool.manifest) as journal, pytest.raises(ModelGone):
        pool.run(journal)
    assert list(answers(path)) == [first.key, second.key]
    assert lines(path, "event")[-1]["event"] == "stopped"


class Threads:
    """An engine whose workers are threads, so that a test can end them at any message."""

    def __init__(self, recipes: list[Callable[[], Runner]], lives: list[int]) -> None:
        self.places = tuple(map(str, range(len(recipes))))
        self._recipes, self._lives = recipes, lives

    def start(self, place: str, send: Callable[[Message], None]) -> Thread:
        return Thread(Worker(self._recipes[int(place)]), self._lives.pop() if self._lives else 10**6, send)


class Thread:
    """A worker that is gone after so many messages."""

    def __init__(self, worker: Worker, life: int, send: Callable[[Message], None]) -> None:
        self._worker, self._life, self._send = worker, life, send
        self._ready, self._stopped = threading.Event(), threading.Event()
        threading.Thread(target=self._live, daemon=True).start()

    def _live(self) -> None:
        for told, message in enumerate(self._worker.work(), 1):
            self._ready.set()
            self._send(message)
            if told == self._life or self._stopped.is_set():
                break
        self._send(Died("its life was over"))

    def submit(self, job: Job) -> None:
        self._worker.submit(job)

    def stop(self) -> None:
        """End it; one that still loads, and so has no videos to close, ends once it has loaded."""
        self._stopped.set()
        if self._ready.is_set():
            self._worker._videos.close()


@how(max_examples=15)
@given(lives=st.lists(st.integers(1, 12), max_size=6), workers=st.integers(1, 3), decoders=st.integers(1, 2))
def test_however_workers_die_every_question_is_settled_once(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, lives: list[int], workers: int, decoders: int
) -> None:
    base = tmp_path_factory.mktemp("random")
    recipe = partial(prepare, folder, base, decoders)
    try:
        together(Threads([recipe] * workers, list(lives)), folder, base, base / "r.jsonl", decoders)
    except WorkerLost:
        assert len(lives) >= 3
    (base / "fresh").mkdir()
    together(Threads([recipe], []), folder, base, base / "r.jsonl", decoders)
    assert answers(base / "r.jsonl") == alone(folder, base / "one.jsonl")


def test_workers_that_would_make_another_run_are_told_where_they_differ(
    folder: Path, trouble: Path, tmp_path: Path
) -> None:
    recipes: list[Callable[[], Runner]] = [partial(prepare, folder, trouble, 1, 0.1, name) for name in "ab"]
    with pytest.raises(SpecMismatch, match=r"\(n [ab] there, [ab] here\)"):
        together(Threads(recipes, []), folder, trouble, tmp_path / "r.jsonl")


def test_workers_with_other_questions_than_were_planned_are_refused(
    folder: Path, trouble: Path, tmp_path: Path
) -> None:
    """As on a machine where another annotation file lies under the path."""
    runner = prepare(folder, trouble)
    (fewer := tmp_path / "fewer").mkdir()
    write_clip(fewer / "0.mp4")
    pool = WorkerPool(Script(prepare(fewer, trouble).manifest, []), runner.plan, runner.settings)
    with pytest.raises(SpecMismatch, match="other questions than were planned: 0: give all workers the same anno"):
        _ = pool.__enter__().manifest


@pytest.mark.parametrize(("place", "device"), [("cuda:0", "cpu"), ("cuda:0", "cuda"), ("cpu", "cpu"), ("ray 1", "cpu")])
def test_a_worker_that_would_not_compute_where_it_is_put_is_refused(
    place: str, device: str, folder: Path, trouble: Path
) -> None:
    runner = prepare(folder, trouble)
    spec = {**runner.manifest.spec, "description": {"device": device}}
    engine = Script(runner.manifest.model_copy(update={"spec": spec}), [])
    engine.places = (place,)
    pool = WorkerPool(engine, runner.plan, runner.settings)
    pool._inbox.put((pool._slots[0], Ready(engine._manifest)))
    if place == "cuda:0" and device == "cpu":
        with pytest.raises(UsageError, match="a worker would compute on the CPU: cuda:0"):
            _ = pool.manifest
    else:
        assert pool.manifest.environment["workers"] == [place]


def test_the_machine_that_the_environment_is_of_is_named_where_it_is_another(folder: Path, trouble: Path) -> None:
    runner = prepare(folder, trouble)
    there = runner.manifest.model_copy(update={"environment": {"host": "node 7", "platform": "theirs"}})
    pool = WorkerPool(Script(there, []), runner.plan, runner.settings).__enter__()
    environment = pool.manifest.environment
    assert (environment["platform"], environment["described_on"]) == ("theirs", "node 7")
    assert environment["host"] != "node 7"


def test_places_are_the_devices_named() -> None:
    assert devices_for(2, ("cuda:1", "cpu")) == ("cuda:1", "cpu")
    assert len(devices_for(3)) == 3
    for wrong in ("gpu:0", "cuda", "cuda:x", ""):
        with pytest.raises(UsageError, match="is no device"):
            devices_for(1, (wrong,))


@pytest.mark.parametrize(
    ("device", "visible", "expected"),
    [
        ("cpu", None, ""),
        ("cpu", "0,1", ""),
        ("cuda:1", None, "1"),
        ("cuda:1", "4, 6", "6"),
        ("cuda:0", "MIG-a", "MIG-a"),
    ],
)
def test_a_worker_sees_its_device_alone(device: str, visible: str | None, expected: str) -> None:
    assert _visible(device, visible) == expected
