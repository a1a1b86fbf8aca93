"""The runner: every question once, one decode per video, every failure a record, and nothing lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from ecva_bench.answering import Adapter, ModelOutput
from ecva_bench.answering.inference import Settings, identity, key
from ecva_bench.answering.plan import Selection, make_plan
from ecva_bench.answering.runner import Runner
from ecva_bench.errors import AdapterError, NoFrames, OutOfMemory
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal
from ecva_bench.records import Annotation, Label, Moment, Sample
from ecva_bench.records.answers import Manifest, Results
from ecva_bench.records.base import View
from ecva_bench.tasks import find_tasks, prompt_for
from ecva_bench.video import Video
from tests.clips import write_clip
from tests.video.make import write


class Counting(Adapter):
    """Answers with the number of frames it saw, and counts how often it is asked."""

    def __init__(self, broken: str = "") -> None:
        self.broken = broken
        self.asked: list[str] = []
        self.batches: list[int] = []

    def frame_indices(self, video: Video) -> Sequence[int]:
        return range(0, video.n_frames, 5)

    def answer(self, video: Video, question: str) -> str:
        if self.broken and self.broken in question:
            raise RuntimeError("out of memory")
        self.asked.append(f"{video.path.stem} {question[:20]}")
        return f"{len(video.frames_at(self.frame_indices(video)).pixels)} of {video.n_frames}"

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        self.batches.append(len(questions))
        return super().answer_many(video, questions)


class Videos:
    """A data set of clips in a folder: two sound ones and whatever else a test puts there."""

    source = "test"

    def __init__(self, folder: Path, names: Sequence[str], moment: tuple[float, float]) -> None:
        self.folder = folder
        self.annotations = [
            Annotation(
                video=name,
                media=f"{name}.mp4",
                label=Label(major=5),
                moments=(Moment(start=moment[0], end=moment[1]),),
                description=f"description of {name}",
                cause=f"cause of {name}",
                effect=f"effect of {name}",
            )
            for name in names
        ]

    def media_path(self, annotation: Annotation) -> Path:
        return self.folder / annotation.media

    def missing(self, videos: Iterable[str]) -> tuple[str, ...]:
        return ()

    def unusable(self, videos: Iterable[str]) -> tuple[str, ...]:
        return ()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (1, 2):
        write_clip(tmp_path / "videos" / f"{number}.mp4", frames=40 + number)
    return tmp_path / "videos"


def make(
    adapter: Adapter,
    folder: Path,
    names: Sequence[str] = ("1", "2"),
    views: Sequence[View] = ("full",),
    tasks: Sequence[str] = ("cause", "effect"),
    moment: tuple[float, float] = (2.0, 2.8),
    **settings: object,
) -> Runner:
    prompts = {task: prompt_for(task) for task in find_tasks(list(tasks))}
    plan = make_plan(Videos(folder, names, moment), prompts, Selection(), views)  # type: ignore[arg-type]
    chosen = Settings(**settings)  # type: ignore[arg-type]
    spec = {"model": "counting", "description": adapter.describe(), "decoder": "d", "mode": chosen.mode}
    return Runner(adapter, plan, Manifest(run="r", spec=spec, expects=plan.expects), chosen)


def run(runner: Runner, path: Path) -> Results:
    with Journal(path, runner.manifest) as journal:
        runner.run(journal)
    return read_results(path)


def texts(results: Results) -> dict[tuple[str, str], str]:
    return {(answer.id, answer.view): answer.answer for answer in results.answers}


def test_every_view_of_every_sample_is_answered_once(folder: Path, tmp_path: Path) -> None:
    results = run(make(Counting(), folder, views=("full", "anomaly", "control")), tmp_path / "r.jsonl")
    # 41 and 42 frames at 10 a second; the moment 2.0 to 2.8 s holds frames 20 to 27.
    assert texts(results) == {
        (f"{video}/{task}", view): f"{-(-frames // 5)} of {frames}"
        for video, whole in (("1", 41), ("2", 42))
        for task in ("cause", "effect")
        for view, frames in (("full", whole), ("anomaly", whole - 8), ("control", whole - 8))
    }
    answer = next(a for a in results.answers if a.view == "anomaly")
    assert answer.removed == (Moment(start=2.0, end=2.8),)
    assert answer.reference == "cause of 1"
    assert answer.duration == pytest.approx(4.1)
    assert answer.frames is not None
    assert answer.frames.timestamps == pytest.approx([0, 0.5, 1.0, 1.5, 2.8, 3.3, 3.8])


class Looking(Adapter):
    """Keeps the frames it is handed: those it declares, one by one, and one that it does not declare."""

    def __init__(self) -> None:
        self.seen: list[tuple[tuple[float, ...], list[bytes]]] = []

    def frame_indices(self, video: Video) -> Sequence[int]:
        return range(0, video.n_frames, 5)

    def answer(self, video: Video, question: str) -> str:
        shown = [video.frames_at([index]) for index in (*self.frame_indices(video), 1)]
        times = tuple(float(frames.timestamps[0]) for frames in shown)
        self.seen.append((times, [frames.pixels[0].tobytes() for frames in shown]))
        return "seen"


def test_other_pictures_are_shown_at_the_same_times_and_recorded_with_them(folder: Path, tmp_path: Path) -> None:
    views: tuple[View, ...] = ("full", "still", "shuffled", "blank")
    write(folder / "1.mp4", count=41)
    adapter = Looking()
    results = run(make(adapter, folder, names=("1",), views=views, tasks=("cause",)), tmp_path / "r.jsonl")
    assert len({answer.key for answer in results.answers}) == len(views)
    full, still, shuffled, blank = (pictures for _, pictures in adapter.seen)
    assert len({times for times, _ in adapter.seen}) == 1
    assert all(answer.frames and len(answer.frames.timestamps) == 10 for answer in results.answers)
    assert all(answer.frames == results.answers[0].frames and not answer.removed for answer in results.answers)
    # The nine that it declares change places; what it does not declare is another frame that it did not declare.
    assert sorted(shuffled[:9]) == sorted(full[:9]) != shuffled[:9]
    assert shuffled[9] not in full
    middle = Video(folder / "1.mp4").frames_at([20]).pixels[0].tobytes()
    assert set(still) == {middle}
    assert set(blank) == {bytes(96 * 64 * 3)}


def test_a_video_is_decoded_in_one_pass_for_all_questions_and_views(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[np.ndarray] = []
    preload = Video.preload

    def counted(self: Video, indices: np.ndarray) -> None:
        passes.append(indices)
        preload(self, indices)

    monkeypatch.setattr(Video, "preload", counted)
    run(make(Counting(), folder, views=("full", "anomaly")), tmp_path / "r.jsonl")
    full, cut = set(range(0, 41, 5)), {i if i < 20 else i + 8 for i in range(0, 33, 5)}
    assert len(passes) == 2
    assert set(passes[0].tolist()) == full | cut


def test_fast_mode_asks_together_and_answers_alike(folder: Path, tmp_path: Path) -> None:
    slow, fast = Counting(), Counting()
    exact = run(make(slow, folder), tmp_path / "exact.jsonl")
    batched = run(make(fast, folder, mode="fast"), tmp_path / "fast.jsonl")
    assert slow.batches == [1, 1, 1, 1]
    assert fast.batches == [2, 2]
    assert texts(exact) == texts(batched)
    assert not {a.key for a in exact.answers} & {a.key for a in batched.answers}


@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_a_question_that_fails_costs_itself_only(folder: Path, tmp_path: Path, mode: str) -> None:
    results = run(make(Counting(broken="led to"), folder, mode=mode), tmp_path / "r.jsonl")
    assert {a.id for a in results.answers} == {"1/cause", "2/cause"}
    assert {(f.id, f.stage, f.error, f.retryable) for f in results.failures} == {
        (f"{n}/effect", "answer", "RuntimeError", True) for n in (1, 2)
    }
    assert all(re.fullmatch(r"out of memory, test_runner\.py line \d+", f.message) for f in results.failures)


def test_damaged_and_missing_videos_become_errors_and_the_run_goes_on(folder: Path, tmp_path: Path) -> None:
    (folder / "0.mp4").write_bytes(b"")
    (folder / "3.mp4").write_text("<html>404</html>")
    runner = make(Counting(), folder, names=("0", "1", "3", "4", "2"), views=("full", "anomaly"))
    results = run(runner, tmp_path / "r.jsonl")
    assert {a.video for a in results.answers} == {"1", "2"}
    codes = {(f.video, f.view): f.error for f in results.failures}
    assert codes == {
        (video, view): code
        for video, code in (("0", "file_empty"), ("3", "not_a_video"), ("4", "file_missing"))
        for view in ("full", "anomaly")
    }
    assert all(str(folder) in f.message for f in results.failures)


HALF = "the anomaly takes more than half of the video, so no equally long normal span exists"
OUTSIDE = "no annotated moment lies inside the video, so there is no {view!r} view"


@pytest.mark.parametrize(
    ("moment", "impossible"),
    [
        ((2.0, 2.8), {}),
        ((0.0, 3.0), {"control": HALF}),
        ((0.0, 99.0), {"anomaly": "cutting the annotated moments leaves no frame", "control": HALF}),
        ((50.0, 60.0), {view: OUTSIDE.format(view=view) for view in ("anomaly", "control")}),
    ],
)
@pytest.mark.parametrize("broken", ["", "led to"])
def test_a_view_that_cannot_be_made_is_owed_by_no_model_and_not_tried_again(
    moment: tuple[float, float], impossible: dict[View, str], broken: str, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "r.jsonl"
    views: tuple[View, ...] = ("full", "anomaly", "control")
    for _ in range(2):
        results = run(make(Counting(broken), folder, ("1",), views, moment=moment), path)
        assert results.unasked == {
            view: dict.fromkeys(("1/cause", "1/effect"), why) for view, why in impossible.items()
        }
        assert {view: len(samples) for view, samples in results.expects.items()} == {
            view: 0 if view in impossible else 2 for view in views
        }
        # Errors are the model's own: those of the views that there are.
        assert len(results.failures) == (3 - len(impossible)) * (broken != "")
        end = json.loads(path.read_text().splitlines()[-1])
        assert end["status"] == ("incomplete" if broken else "complete")
        assert end.get("unasked", 0) == 2 * len(impossible)
        assert end["missing"] == 0
    assert path.read_text().count('"type":"unasked"') == 2 * len(impossible)


class OfWholeVideos(Counting):
    """Knows its frames of whole videos alone, as A-Guardian does with important spans; of others there are none."""

    def frame_indices(self, video: Video) -> Sequence[int]:
        if video.removed:
            raise AdapterError("important spans are known of whole videos alone")
        return super().frame_indices(video)


def test_a_view_that_a_model_cannot_take_costs_itself_only(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    for _ in range(2):
        results = run(make(OfWholeVideos(), folder, ("1",), views=("full", "anomaly")), path)
        assert {(a.id, a.view) for a in results.answers} == {("1/cause", "full"), ("1/effect", "full")}
        assert {(f.id, f.view, f.stage, f.error) for f in results.failures} == {
            (f"1/{task}", "anomaly", "prepare", "AdapterError") for task in ("cause", "effect")
        }
    assert path.read_text().count('"type":"error"') == 2  # it would say so again, and is not asked again


def test_a_view_that_cannot_be_made_is_none_either_where_the_frames_cannot_be_decoded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Video, indices: np.ndarray) -> None:
        raise NoFrames("no frame that is to be shown decodes", self.path)

    monkeypatch.setattr(Video, "preload", fail)
    runner = make(Counting(), folder, ("1",), views=("full", "control"), moment=(0.0, 3.0))
    results = run(runner, tmp_path / "r.jsonl")
    assert {(f.id, f.view, f.error) for f in results.failures} == {
        ("1/cause", "full", "no_frames"),
        ("1/effect", "full", "no_frames"),
    }
    assert set(results.unasked["control"].values()) == {HALF}


def test_a_video_that_cannot_be_read_is_an_error_on_every_view(folder: Path, tmp_path: Path) -> None:
    (folder / "1.mp4").write_bytes(b"")
    results = run(make(Counting(), folder, ("1",), views=("full", "control")), tmp_path / "r.jsonl")
    assert len(results.failures) == 4
    assert not results.unasked
    write_clip(folder / "1.mp4", frames=12, event=(0, 1))  # mended, and shorter than its anomaly begins
    results = run(make(Counting(), folder, ("1",), views=("full", "control")), tmp_path / "r.jsonl")
    assert not results.failures
    assert set(results.unasked["control"].values()) == {OUTSIDE.format(view="control")}


def test_a_resumed_run_asks_only_what_is_open(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    (folder / "0.mp4").write_bytes(b"")
    names = ("0", "1", "2")
    first = Counting(broken="led to")
    run(make(first, folder, names), path)
    assert len(first.asked) == 2
    second = Counting()
    results = run(make(second, folder, names), path)
    assert sorted(second.asked) == sorted(f"{n} {prompt_for(find_tasks(['effect'])[0]).text[:20]}" for n in (1, 2))
    assert len(results.answers) == 4
    lines = path.read_text().count('"file_empty"')
    assert lines == 2  # damage is for good: it is not tried again, unless asked for
    run(make(Counting(), folder, names, retry_errors=True), path)
    assert path.read_text().count('"file_empty"') == 4


def test_a_video_that_was_mended_is_asked_about_again(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    (folder / "0.mp4").write_bytes(b"")
    assert len(run(make(Counting(), folder, ("0",)), path).failures) == 2
    write_clip(folder / "0.mp4")
    results = run(make(Counting(), folder, ("0",)), path)
    assert len(results.answers) == 2
    assert not results.failures


def test_the_key_holds_everything_that_determines_an_answer(folder: Path) -> None:
    def key_in(runner: Runner, sample: Sample, view: View, removed: tuple[Moment, ...], video: str) -> str:
        return key(identity(runner.manifest.spec, sample.task), sample, view, removed, video)

    runner = make(Counting(), folder)
    sample = runner.plan.groups[0].samples[0]
    cut = (Moment(start=1, end=2),)
    keys = [
        key_in(runner, sample, "full", (), "a"),
        key_in(runner, sample, "full", (), "b"),
        key_in(runner, sample, "anomaly", cut, "a"),
        key_in(runner, sample, "anomaly", (Moment(start=1, end=3),), "a"),
        key_in(runner, sample.model_copy(update={"question": "Why?"}), "full", (), "a"),
        key_in(runner, sample.model_copy(update={"id": "other"}), "full", (), "a"),
        key_in(make(Counting(), folder, mode="fast"), sample, "full", (), "a"),
    ]
    of_task = {"prompts": {sample.task: {"with": {"times": "At 1 s."}}}}
    for changed in ({"model": "changed"}, {"description": "changed"}, {"decoder": "changed"}, of_task):
        spec = {**runner.manifest.spec, **changed}
        other = Runner(runner.adapter, runner.plan, runner.manifest.model_copy(update={"spec": spec}), runner.settings)
        keys.append(key_in(other, sample, "full", (), "a"))
    assert len(set(keys)) == len(keys)
    assert key_in(other, sample.model_copy(update={"task": "effect"}), "full", (), "a") == keys[0]  # of one task alone
    compared = sample.model_copy(update={"reference": "another", "key_sentences": ("k",)})
    assert key_in(runner, compared, "full", (), "a") == keys[0]  # what an answer is compared with does not determine it


def test_a_model_that_breaks_the_interface_is_told_so(folder: Path, tmp_path: Path) -> None:
    class Wrong(Counting):
        def answer(self, video: Video, question: str) -> str:
            return None  # type: ignore[return-value]

    results = run(make(Wrong(), folder), tmp_path / "r.jsonl")
    assert {f.error for f in results.failures} == {"AdapterError"}
    assert "returned None: an answer must be a str" in results.failures[0].message


def test_an_interrupt_is_written_down_and_let_through(folder: Path, tmp_path: Path) -> None:
    class Interrupted(Counting):
        def answer(self, video: Video, question: str) -> str:
            if video.path.stem == "2":
                raise KeyboardInterrupt
            return "text"

    path = tmp_path / "r.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(make(Interrupted(), folder), path)
    assert len(read_results(path).answers) == 2
    assert '"event":"interrupted"' in path.read_text()


class Loading(Counting):
    """Says when it is loaded; cannot be where it is `torn`."""

    def __init__(self, torn: bool = False) -> None:
        super().__init__()
        self.torn = torn

    def load(self) -> None:
        if self.torn:
            raise AdapterError("the weights do not fit", "model.bin", "take others")
        self.asked.append("load")


def test_a_model_is_loaded_once_before_its_first_question_and_not_for_none(folder: Path, tmp_path: Path) -> None:
    adapter, again = Loading(), Loading()
    run(make(adapter, folder), tmp_path / "r.jsonl")
    assert [place for place, asked in enumerate(adapter.asked) if asked == "load"] == [0]
    run(make(again, folder), tmp_path / "r.jsonl")
    assert again.asked == []


def test_a_model_that_cannot_be_loaded_ends_the_run_and_fails_no_question(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with pytest.raises(AdapterError, match="do not fit"):
        run(make(Loading(torn=True), folder), path)
    assert not read_results(path).failures
    assert len(run(make(Loading(), folder), path).answers) == 4


class Telling(Counting):
    """Tells of every second answer how it came to it."""

    def answer(self, video: Video, question: str) -> str:
        text = super().answer(video, question)
        return ModelOutput(text, {"looked": [0.5, 1.0], "why": "é"}) if len(self.asked) % 2 else text


def test_the_steps_an_answer_tells_are_recorded_beside_it_and_none_where_it_tells_none(
    folder: Path, tmp_path: Path
) -> None:
    plain = run(make(Counting(), folder), tmp_path / "plain.jsonl")
    told = run(make(Telling(), folder), tmp_path / "told.jsonl")
    assert texts(told) == texts(plain)
    assert [answer.steps for answer in told.answers] == [{"looked": [0.5, 1.0], "why": "é"}, None] * 2
    lines = (tmp_path / "told.jsonl").read_text().splitlines()
    assert ["steps" in line for line in lines if '"type":"answer"' in line] == [True, False] * 2


class Cautious(Counting):
    """Says of every view how many frames it has."""

    def warnings(self, video: Video) -> Sequence[str]:
        return (f"{video.n_frames} frames", "once")


def test_what_a_model_has_to_say_of_how_it_is_shown_a_video_is_recorded(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    run(make(Cautious(), folder, names=("1",), views=("full", "anomaly")), path)
    events = [json.loads(line) for line in path.read_text().splitlines() if '"event":"warnings"' in line]
    (found,) = (event["detail"] for event in events)
    assert found == {"video": "1", "warnings": ["41 frames", "once", "33 frames"]}


class Thinking(Counting):
    """Thinks aloud before it answers; the second time it comes to no end."""

    def answer(self, video: Video, question: str) -> str:
        text = super().answer(video, question)
        if len(self.asked) % 2:
            return ModelOutput(f"<think>\nIs it {text[::-1]}?\n</think>\n\n<answer>{text}</answer>", {"looked": 1})
        return ModelOutput("<think>It is", finish="length")


def test_a_thought_is_kept_beside_the_answer_and_is_none(folder: Path, tmp_path: Path) -> None:
    plain = run(make(Counting(), folder), tmp_path / "plain.jsonl")
    thinking = run(make(Thinking(), folder), tmp_path / "thinking.jsonl")
    whole = [answer.answer for answer in plain.answers[::2]]
    assert [answer.answer for answer in thinking.answers] == [whole[0], "", whole[1], ""]
    thoughts = [answer.steps for answer in thinking.answers]
    assert thoughts[0] == {"looked": 1, "thought": f"Is it {whole[0][::-1]}?"}
    assert thoughts[1] == {"thought": "It is"}
    assert [answer.cut_off for answer in thinking.answers] == [False, True, False, True]


def test_a_thought_that_is_told_apart_is_kept_with_one_in_the_text(folder: Path, tmp_path: Path) -> None:
    class Both(Counting):
        def answer(self, video: Video, question: str) -> str:
            return ModelOutput(f"<think>Or two?</think>{super().answer(video, question)}", {"thought": "A car?"})

    plain = run(make(Counting(), folder), tmp_path / "plain.jsonl")
    both = run(make(Both(), folder), tmp_path / "both.jsonl")
    assert texts(both) == texts(plain)
    assert {answer.steps["thought"] for answer in both.answers if answer.steps} == {"A car?\n\nOr two?"}


class Small(Counting):
    """Has memory for `most` questions at a time."""

    def __init__(self, most: int, error: type[Exception]) -> None:
        super().__init__()
        self.most, self.error = most, error

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        texts = super().answer_many(video, questions)
        if len(questions) > self.most:
            raise self.error("too much")
        return texts


TASKS = ["description", "cause", "effect", "classification", "timestamp"]


@pytest.mark.parametrize("error", [MemoryError, OutOfMemory, torch.OutOfMemoryError])
def test_too_little_memory_halves_what_is_asked_together_for_this_video_and_says_so(
    error: type[Exception], folder: Path, tmp_path: Path
) -> None:
    path, adapter = tmp_path / "r.jsonl", Small(2, error)
    results = run(make(adapter, folder, views=("full", "anomaly"), tasks=TASKS, mode="fast"), path)
    assert len(results.answers) == 16
    assert not results.failures
    # Five do not fit, two do; the second view's three begin with two, the next video with all five again.
    assert adapter.batches == [5, 2, 2, 1, 2, 1] * 2
    events = [json.loads(line)["detail"] for line in path.read_text().splitlines() if "out_of_memory" in line]
    assert events == [{"video": video, "view": "full", "asked": 5, "next": 2} for video in ("1", "2")]


def test_one_question_that_is_too_much_for_the_memory_is_an_error_that_may_go_away(
    folder: Path, tmp_path: Path
) -> None:
    adapter = Small(0, OutOfMemory)
    results = run(make(adapter, folder, ("1",), tasks=TASKS[:4], mode="fast"), tmp_path / "r.jsonl")
    assert adapter.batches == [4, 2, 1, 1, 1, 1]
    assert {(f.error, f.retryable) for f in results.failures} == {("OutOfMemory", True)}
    assert len(results.failures) == 4


@pytest.mark.parametrize("text", [ModelOutput("text", {"score": float("nan")}), ModelOutput("text", {"x": object()})])
@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_an_answer_that_cannot_be_written_down_costs_itself_only(
    text: str, mode: str, folder: Path, tmp_path: Path
) -> None:
    class Odd(Counting):
        def answer(self, video: Video, question: str) -> str:
            return text if "led to" in question else super().answer(video, question)

    results = run(make(Odd(), folder, mode=mode), tmp_path / "r.jsonl")
    assert {answer.id for answer in results.answers} == {"1/cause", "2/cause"}
    assert {(f.id, f.error) for f in results.failures} == {("1/effect", "AdapterError"), ("2/effect", "AdapterError")}


@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_half_a_character_costs_no_answer(mode: str, folder: Path, tmp_path: Path) -> None:
    class Cut(Counting):
        def answer(self, video: Video, question: str) -> str:
            return (
                ModelOutput("[5] \ud83d", {"caption": "a \udc00"}, finish="length")
                if "led to" in question
                else "\ud83d"
            )

    results = run(make(Cut(), folder, mode=mode), tmp_path / "r.jsonl")
    assert not results.failures
    found = {(answer.task, answer.answer, answer.finish, str(answer.steps)) for answer in results.answers}
    assert found == {
        ("effect", "[5] \ufffd", "length", "{'caption': 'a \ufffd'}"),
        ("cause", "\ufffd", "stop", "None"),
    }


def test_an_error_that_cannot_be_written_down_is_written_as_far_as_it_can(folder: Path, tmp_path: Path) -> None:
    class Odd(Counting):
        def answer(self, video: Video, question: str) -> str:
            raise RuntimeError("no file \udcff.bin")

    results = run(make(Odd(), folder), tmp_path / "r.jsonl")
    [message] = {f.message for f in results.failures}
    assert re.fullmatch(r"no file \?\.bin, test_runner\.py line \d+", message)


def test_a_runner_closes_its_model_whatever_happens(folder: Path) -> None:
    class Closing(Counting):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    adapter = Closing()
    with pytest.raises(KeyboardInterrupt), make(adapter, folder):
        raise KeyboardInterrupt
    assert adapter.closed == 1
