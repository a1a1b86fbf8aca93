"""`run`, `plan`, `merge` and the listings, as a user types them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ecva_bench import registry
from ecva_bench.adapters.oracle import Oracle
from ecva_bench.adapters.prompt_echo import PromptEcho
from ecva_bench.answering import Adapter
from ecva_bench.errors import WorkerLost
from ecva_bench.journal.results import read_results
from ecva_bench.video import Video
from tests.cli.conftest import Command
from tests.clips import write_clip


@pytest.fixture
def dataset(tmp_path: Path) -> tuple[Path, Path]:
    """Three videos, one of them no video, with annotations in the authors' JSON form."""
    videos = tmp_path / "videos"
    rows = []
    for number in (1, 2, 3):
        write_clip(videos / f"0000{number}.mp4")
        for task, output in (
            ("Cause", f"cause {number}"),
            ("Result", f"effect {number}"),
            ("Timestamp", "[0002,0003]"),
        ):
            media = f"0000{number}.mp4"
            rows.append({"instruction": "?", "visual_input": media, "output": output, "task": task, "ID": number})
    (videos / "00002.mp4").write_text("not a video")
    annotations = tmp_path / "annotations.json"
    annotations.write_text(json.dumps(rows))
    return annotations, videos


def test_a_run_over_a_damaged_video_ends_with_its_error_named(
    dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command
) -> None:
    annotations, videos = dataset
    out = tmp_path / "results.jsonl"
    common = ("--model", "motion", "--data", annotations, "--videos", videos, "--out", out)
    code, shown, _ = ecva_bench("run", *common, "--task", "reason")
    assert code == 3
    assert "2 answers (0 were there), 1 error, 0 missing" in shown
    assert "00002: not_a_video, 1 answer: the bytes are not a known video container" in shown
    results = read_results(out)
    assert [a.id for a in results.answers] == ["00001/cause", "00003/cause"]
    assert "lower right" in results.answers[0].answer

    code, shown, _ = ecva_bench("run", *common, "--task", "cause")
    assert "2 answers (2 were there)" in shown
    code, _, complaint = ecva_bench("run", *common, "--task", "cause", "--prompts", "authors")
    assert code == 2
    assert complaint.startswith("error: the file is of another run: prompt ours/cause.v1 there, authors/cause.v1 here")

    code, shown, _ = ecva_bench("plan", *common, "--task", "cause")
    assert code == 0
    assert "3 videos, 3 answers owed" in shown
    assert "full     cause                3         2       1      0" in shown


def test_shards_merge_into_the_answers_of_one_run(
    dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command
) -> None:
    annotations, videos = dataset
    common = ("--model", "motion", "--data", annotations, "--videos", videos)
    parts = [tmp_path / f"part{n}.jsonl" for n in (1, 2)]
    ecva_bench("run", *common, "--out", tmp_path / "whole.jsonl")
    for number, part in enumerate(parts, 1):
        ecva_bench("run", *common, "--shard", f"{number}/2", "--out", part)
    code, shown, _ = ecva_bench("merge", *parts, "--out", tmp_path / "merged.jsonl")
    assert code == 0
    assert "9 answers owed" in shown
    whole, merged = read_results(tmp_path / "whole.jsonl"), read_results(tmp_path / "merged.jsonl")
    assert {a.key: a.answer for a in merged.answers} == {a.key: a.answer for a in whole.answers}
    assert {f.key for f in merged.failures} == {f.key for f in whole.failures}
    assert set(merged.expects["full"]) == set(whole.expects["full"])


@pytest.mark.parametrize("model", ["motion", "oracle"])
def test_an_absent_part_is_named_or_owed_and_the_run_without_shard_fills_it(
    model: str, dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command
) -> None:
    annotations, videos = dataset
    (videos / "00002.mp4").unlink()
    write_clip(videos / "00002.mp4")
    common = ("--model", model, "--data", annotations, "--videos", videos)
    parts = [tmp_path / f"part{n}.jsonl" for n in (1, 2, 3)]
    for number, part in enumerate(parts, 1):
        _, shown, _ = ecva_bench("run", *common, "--shard", f"{number}/3", "--out", part)
        assert shown.endswith("next: ecva-bench merge, with the other parts\n")
    merged = tmp_path / "merged.jsonl"
    code, _, complaint = ecva_bench("merge", parts[0], parts[2], "--out", merged)
    assert code == 2
    assert complaint.startswith("error: part 2 of 3 is absent: ")
    assert not merged.exists()

    code, shown, _ = ecva_bench("merge", parts[0], parts[2], "--out", merged, "--incomplete")
    assert code == 0
    assert "9 answers owed: 6 answers, 0 errors, 3 missing" in shown
    assert "part 2 of 3 is absent" in shown
    assert '"status":"incomplete"' in merged.read_text().splitlines()[-1]
    code, shown, _ = ecva_bench("score", merged)
    assert code == 0
    assert "cause, full video: 2 of 3 answered (66.67 %), 0 failed, 1 missing; 0 empty, 0 cut off, 0 extra" in shown
    assert "not the whole run: part 2 of 3 is absent" in shown
    _, shown, _ = ecva_bench("leaderboard", tmp_path / "merged.scores.jsonl", "--no-published", "--task", "cause")
    assert f"{model}: not the whole run: part 2 of 3 is absent." in shown

    code, shown, _ = ecva_bench("run", *common, "--out", merged)
    assert code == 0
    assert "9 answers (6 were there), 0 errors, 0 missing" in shown
    _, shown, _ = ecva_bench("score", merged)
    assert "cause, full video: 3 of 3 answered (100.00 %), 0 failed, 0 missing; 0 empty, 0 cut off, 0 extra" in shown
    assert "absent" not in shown
    ecva_bench("run", *common, "--out", tmp_path / "whole.jsonl")
    whole, filled = (read_results(tmp_path / f"{name}.jsonl") for name in ("whole", "merged"))
    assert {a.key: a.answer for a in filled.answers} == {a.key: a.answer for a in whole.answers}


def test_a_view_that_cannot_be_made_is_no_error_of_the_run_and_unscorable_on_the_sheet(
    dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command
) -> None:
    """A clip of 4 s whose anomaly takes 3 of them has no control as long."""
    annotations, videos = dataset
    rows = json.loads(annotations.read_text())
    long = [row | {"output": "[0000,0003]"} if row["task"] == "Timestamp" and row["ID"] == 3 else row for row in rows]
    annotations.write_text(json.dumps(long))
    common = ("--data", annotations, "--videos", videos, "--ids", "00001,00003", "--task", "cause")
    for model in ("oracle", "prompt-echo"):
        out = tmp_path / f"{model}.jsonl"
        command = ("run", "--model", model, *common, "--edited", "control", "--out", out)
        for held in (0, 3):
            code, shown, _ = ecva_bench(*command)
            assert code == 0
            assert f"3 answers ({held} were there), 0 errors, 0 missing" in shown
            assert "no control view, 1 question that nobody can be asked: the anomaly takes more than half" in shown
        _, shown, _ = ecva_bench("score", out)
        assert "video without a normal span: 1 of 1 answered (100.00 %), 0 failed, 0 missing;" in shown
        assert "unscorable for anyone: 1 x the anomaly takes more than half of the video" in shown
    _, shown, _ = ecva_bench("plan", *command[1:])
    assert "control  cause                1         1       0      0" in shown
    scores = [tmp_path / f"{model}.scores.jsonl" for model in ("oracle", "prompt-echo")]
    _, shown, _ = ecva_bench("leaderboard", *scores, "--no-published")
    assert "cause, video without a normal span, protocol standard, 1 sample" in shown


def test_a_run_of_errors_alone_ends_with_3_and_is_not_called_complete(
    dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command
) -> None:
    annotations, videos = dataset
    out = tmp_path / "results.jsonl"
    common = ("--data", annotations, "--videos", videos, "--ids", "00002", "--out", out)
    for command in (("run", "--model", "motion", *common), ("run", "--model", "motion", "--retry-errors", *common)):
        code, shown, _ = ecva_bench(*command)
        assert code == 3
        assert "0 answers (0 were there), 3 errors, 0 missing" in shown
        assert "next:" not in shown
        assert '"status":"incomplete"' in out.read_text().splitlines()[-1]
    write_clip(videos / "00002.mp4")
    code, shown, _ = ecva_bench("run", "--model", "motion", *common)
    assert code == 0
    assert "3 answers (0 were there), 0 errors, 0 missing" in shown
    assert "not_a_video" not in shown  # what has been answered since is no error any more


def test_workers_that_die_end_a_run_with_3_for_the_same_command_goes_on(
    dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise WorkerLost("no worker is left", "killed by signal 9", "run again")

    monkeypatch.setattr("ecva_bench.answering.runner.Runner.run", die)
    annotations, videos = dataset
    common = ("--data", annotations, "--videos", videos, "--out", tmp_path / "r.jsonl")
    code, _, complaint = ecva_bench("run", "--model", "motion", *common)
    assert code == 3
    assert complaint.startswith("error: no worker is left: killed by signal 9")


def test_a_model_that_has_one_mode_is_recorded_with_it(
    dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command
) -> None:
    annotations, videos = dataset
    common = ("--data", annotations, "--videos", videos, "--ids", "00001", "--out", tmp_path / "r.jsonl")
    _, _, noted = ecva_bench("run", "--model", "oracle", "--mode", "fast", *common)
    assert "oracle answers each question alone, so this is a run in exact mode" in noted
    assert read_results(tmp_path / "r.jsonl").spec["mode"] == "exact"
    code, shown, noted = ecva_bench("run", "--model", "oracle", *common)
    assert (code, "3 answers (3 were there)" in shown, noted) == (0, True, "")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--model", "motoin"), "no model is called 'motoin': did you mean 'motion'?"),
        (("--model", "motion", "--task", "caus"), "no task is called 'caus': did you mean 'cause'?"),
        (("--model", "second-round", "--task", "cause"), "the model cannot be asked cause"),
        (("--model", "motion", "--prompts", "mine"), "no prompt set is called 'mine'"),
        (("--model", "motion", "--shard", "half"), "'half' is not a shard"),
        (("--model", "motion", "--ids", "nobody"), "the data set has no usable video of this id: nobody"),
        (("--model", "motion", "--ids", " , "), "no id is named: --ids"),
        (("--model", "motion", "--ids", ""), "no id is named: --ids"),
        (("--model", "motion", "--model-arg", "frames"), "'frames' is no option of a model"),
        (("--model", "motion", "--model-arg", "frames=8"), "there is no option frames"),
        (("--model", "motion", "--devices", "gpu0"), "'gpu0' is no device: write cuda:N or cpu"),
        (("--model", "motion", "--devices", "mps"), "'mps' is no device: write cuda:N or cpu"),
        (("--model", "motion", "--devices", "cpu,cuda:93"), "this machine has no such device: cuda:93: there is cpu"),
        (("--model", "vila", "--model-arg", "device=cuda:93"), "torch cannot use the device ("),
        (("--model", "hf:a/b", "--model-arg", "device=meta"), "torch cannot use the device ("),
        (("--model", "motion", "--devices", "cpu,cpu", "--workers", "3"), "devices contradict the number of workers"),
        (("--model", "motion", "--devices", "cpu", "--engine", "ray"), "devices contradict the number of workers"),
    ],
)
def test_a_request_that_cannot_be_met_says_why_and_writes_nothing(
    arguments: tuple[str, ...], complaint: str, tmp_path: Path, ecva_bench: Command
) -> None:
    out = tmp_path / "results.jsonl"
    code, _, shown = ecva_bench("run", *arguments, "--out", out)
    assert code == 2
    assert shown.startswith(f"error: {complaint}")
    assert not out.exists()


def test_listings_have_one_line_each(ecva_bench: Command) -> None:
    for listing, name in (("models", "oracle"), ("tasks", "timestamp"), ("scorers", "bleu")):
        code, shown, _ = ecva_bench(listing)
        assert code == 0
        line = next(line for line in shown.splitlines() if line.startswith(name))
        assert len(line) > len(name) + 10


def test_workers_answer_as_one_process_does_and_resume_what_it_began(
    dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command
) -> None:
    annotations, videos = dataset
    common = ("run", "--model", "motion", "--data", annotations, "--videos", videos, "--edited", "anomaly")
    ecva_bench(*common, "--out", tmp_path / "one.jsonl")
    code, shown, _ = ecva_bench(*common, "--devices", "cpu,cpu", "--out", tmp_path / "two.jsonl")
    assert code == 3
    assert "10 answers (0 were there), 5 errors, 0 missing" in shown
    one, two = (read_results(tmp_path / f"{name}.jsonl") for name in ("one", "two"))
    assert {a.key: (a.answer, a.frames) for a in one.answers} == {a.key: (a.answer, a.frames) for a in two.answers}
    code, shown, _ = ecva_bench(*common, "--workers", "2", "--out", tmp_path / "one.jsonl")
    assert "10 answers (10 were there), 5 errors, 0 missing" in shown


def test_ray_is_asked_for_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ecva_bench: Command
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "ecva_bench.answering.ray_workers", raising=False)
    code, _, complaint = ecva_bench("run", "--model", "motion", "--engine", "ray", "--out", tmp_path / "r.jsonl")
    assert code == 2
    assert "--engine ray: install it: pip install 'ecva-bench[ray]'" in complaint


def register(model: type[Adapter], monkeypatch: pytest.MonkeyPatch) -> None:
    """Register a class under its name in small letters."""
    there, load = registry.entry_points, registry._loaded
    mine = EntryPoint(model.__name__.lower(), "ecva_bench:run", "ecva_bench.adapters")
    monkeypatch.setattr(registry, "entry_points", lambda group: [*there(group=group)] + [mine] * (group == mine.group))
    monkeypatch.setattr(registry, "_loaded", lambda group, entry: model if entry is mine else load(group, entry))


def test_options_that_can_change_no_answer_may_differ_when_a_run_is_resumed(
    dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations, videos = dataset

    class Patient(PromptEcho):
        immaterial = frozenset({"patience"})

        def __init__(self, *, patience: str = "1", tone: str = "") -> None:
            self.tone = tone

    register(Patient, monkeypatch)
    common = ("run", "--model", "patient", "--data", annotations, "--videos", videos, "--out", tmp_path / "r.jsonl")
    assert ecva_bench(*common, "--model-arg", "patience=1", "--model-arg", "tone=a")[0] == 3
    assert "6 answers (6 were there)" in ecva_bench(*common, "--model-arg", "patience=2", "--model-arg", "tone=a")[1]
    code, _, complaint = ecva_bench(*common, "--model-arg", "tone=b")
    assert code == 2
    assert "tone a there, b here: " in complaint


def test_the_fast_mode_is_checked_against_the_exact_one(
    dataset: tuple[Path, Path], tmp_path: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations, videos = dataset
    (videos / "00002.mp4").unlink()
    write_clip(videos / "00002.mp4")

    class Hasty(Oracle):
        """In company it answers the first question only, with the reference, and others with nothing of it."""

        def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
            exact = super().answer_many(video, questions)
            return [exact[0], *("nothing" for _ in exact[1:])]

    register(Hasty, monkeypatch)
    common = ("--model", "hasty", "--data", annotations, "--videos", videos, "--out", tmp_path / "check")
    code, shown, _ = ecva_bench("check-fast", *common, "--task", "cause", "--task", "effect", "--n", 4)
    assert code == 0
    # Two of the three videos have four questions; of each, the second is answered otherwise.
    assert "fast mode against exact mode: 2 of 4 answers differ" in shown
    rows = {tuple(line.split()[:3]): line.split()[4:] for line in shown.splitlines() if "full" in line}
    # No interval: two videos that gave the same difference would else claim to know it exactly.
    assert rows["cause", "full", "rouge.rouge1"] == ["2", "100.0000", "+0.0000"]
    assert rows["effect", "full", "rouge.rouge1"] == ["2", "100.0000", "-100.0000"]
