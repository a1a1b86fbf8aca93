"""A program in another environment: what it is told, what it may do wrong, and what that costs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ecva_bench.adapters.command import program as _program
from ecva_bench.adapters.command.adapter import DEATHS, Command
from ecva_bench.answering import ModelOutput, create_adapter
from ecva_bench.errors import AdapterError, UsageError
from ecva_bench.records import Moment
from ecva_bench.video import Frames, Video, samplers
from tests.cases import case
from tests.clips import write_clip

# Does what a question says; tells its process id with every sound answer, and every start in `starts`.
PROGRAM = """
import json, os, signal, subprocess, sys, time

def say(**said):
    print(json.dumps(said), flush=True)

with open(__file__ + ".starts", "a") as starts:
    print(os.getpid(), file=starts)
say(protocol=1, describe={"checkpoint": "scripted"}, frames={"rule": "linspace", "count": 4})
sys.stdin.readline() or sys.exit()
say(loaded=True)
for request in map(json.loads, sys.stdin):
    questions = request["questions"]
    answers = [f"{question[:20]} by {os.getpid()}" for question in questions]
    match questions[0].split()[0]:
        case "exit":
            print("no such layer", file=sys.stderr)
            raise SystemExit(3)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "shut":
            os.close(1)
            time.sleep(600)
        case "half":
            sys.stdout.write('{"id": 1, "answers": ["hal')
            sys.stdout.flush()
            os._exit(0)
        case "hang":
            print("thinking", file=sys.stderr, flush=True)
            time.sleep(600)
        case "noise":
            print("Loading shards: 100%", flush=True)
            say(id="another", answers=["stale"])
            print("[" * 100_000, flush=True)
            os.write(1, bytes([255, 254, 10]))
        case "flood":
            for _ in range(3000):
                print("w" * 99 + str(_), file=sys.stderr)
        case "few":
            answers = answers[1:]
        case "many":
            answers += ["another"]
        case "number":
            answers = [5 for _ in questions]
        case "reply":
            print(json.dumps({"id": request["id"]})[:-1] + ", " + questions[0][6:], flush=True)
            continue
        case "refuse":
            say(id=request["id"], error="frames are too small")
            continue
        case "long":
            answers = ["x" * int(questions[0].split()[1])]
        case "echo":
            answers = questions
        case "request":
            answers = [json.dumps(request)]
        case "cut":
            say(id=request["id"], answers=answers, finish=["length", *["stop"] * (len(answers) - 1)])
            continue
        case "finish":
            say(id=request["id"], answers=answers, finish=json.loads(questions[0].partition(" ")[2]))
            continue
        case "child":
            answers = [str(subprocess.Popen(["sleep", "600"]).pid)]
    say(id=request["id"], answers=answers)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "my model.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def adapter(script: Path) -> Iterator[Command]:
    adapter = of(script)
    yield adapter
    adapter.close()


@pytest.fixture
def video(tmp_path: Path) -> Video:
    return Video(write_clip(tmp_path / "1.mp4"))


@pytest.fixture
def others(tmp_path: Path) -> list[Video]:
    return [Video(write_clip(tmp_path / f"{number}.mp4", frames=5)) for number in (2, 3, 4, 5)]


def of(script: Path, **options: str) -> Command:
    found = create_adapter(f"command:'{sys.executable}' -I '{script}'", options)
    assert isinstance(found, Command)
    return found


def starts(script: Path) -> list[int]:
    return [int(line) for line in Path(f"{script}.starts").read_text().split()]


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and was not yet waited for by its new parent does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(process: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while alive(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(process)


def test_it_is_told_exact_frames_and_where_they_come_from(adapter: Command, video: Video) -> None:
    edit = video.without([Moment(start=1.0, end=2.0)])
    told = json.loads(adapter.answer(edit, "request"))
    indices = samplers.linspace(edit.n_frames, 4)
    frames = edit.frames_at(indices)
    assert told["questions"] == ["request"]
    assert told["about"] == [{"task": "", "prompt_id": "", "options": [], "unit": ""}]
    assert told["indices"] == indices.tolist() == [0, 9, 19, 29]
    assert told["timestamps"] == pytest.approx([0.0, 0.9, 2.9, 3.9])
    assert told["positions"] == pytest.approx([0.0, 0.9, 1.9, 2.9])
    assert (told["n_frames"], told["frame_rate"], told["duration"]) == pytest.approx((30, 10.0, 3.0))
    assert told["size"] == [64, 48]
    held = np.load(told["frames"], mmap_mode="r")
    assert held.dtype == np.uint8
    assert np.array_equal(held, frames.pixels)
    assert Path(told["frames"]).parent.stat().st_mode & 0o077 == 0
    assert video.path.name not in json.dumps(told)


def test_questions_about_one_video_share_a_file_that_goes_with_it(
    adapter: Command, video: Video, others: list[Video]
) -> None:
    first, second, other = (
        Path(json.loads(adapter.answer(shown, "request"))["frames"]) for shown in (video, video, others[0])
    )
    assert first == second != other
    assert not first.exists()
    assert len(np.load(other)) == 4


def test_frames_are_recorded_for_every_question(adapter: Command, video: Video) -> None:
    seen: list[Frames] = []
    video.on_frames = seen.append
    adapter.answer(video, "first")
    adapter.answer_many(video, ["second", "third"])
    assert len(seen) == 2
    assert np.array_equal(seen[1].indices, adapter.frame_indices(video))


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("exit", r"ended with exit code 3.*no such layer"),
        ("crash", r"was killed by signal 11"),
        ("shut", r"closed its standard output and ran on"),
        ("half", r"ended with exit code 0.*answers\": \[\"hal"),
    ],
)
def test_a_death_costs_one_video(
    question: str, why: str, adapter: Command, script: Path, video: Video, others: list[Video]
) -> None:
    assert "by" in adapter.answer(video, "first")
    for asked in (question, "second"):
        with pytest.raises(AdapterError, match=rf"(?s){why}"):
            adapter.answer(video, asked)
    with pytest.raises(AdapterError, match="the rest of this video"):
        adapter.answer(video.without([Moment(start=0, end=1)]), "an edit")
    assert len(starts(script)) == 1
    assert adapter.answer(others[0], "third") == f"third by {starts(script)[1]}"


def test_it_is_given_up_after_deaths_in_a_row_without_an_answer(
    adapter: Command, script: Path, video: Video, others: list[Video]
) -> None:
    for shown in others[:2]:
        with pytest.raises(AdapterError):
            adapter.answer(shown, "exit")
    assert "by" in adapter.answer(video, "an answer in between")
    for shown in others[:DEATHS]:
        with pytest.raises(AdapterError, match="the rest of this video"):
            adapter.answer(shown, "exit")
    started = len(starts(script))
    for shown in (others[3], video):
        with pytest.raises(AdapterError, match=r"(?s)3 videos in a row.*--retry-errors.*no such layer"):
            adapter.answer(shown, "fine")
    assert len(starts(script)) == started


def test_one_that_hangs_is_ended_and_its_last_words_are_told(script: Path, video: Video, others: list[Video]) -> None:
    adapter = of(script, timeout="3")
    adapter.load()
    with pytest.raises(AdapterError, match=r"(?s)did not answer in time.*thinking"):
        adapter.answer(video, "hang")
    assert not alive(starts(script)[0])
    assert "by" in adapter.answer(others[0], "fine")
    adapter.close()


def test_stray_lines_are_shown_and_passed_over(
    adapter: Command, video: Video, capsys: pytest.CaptureFixture[str]
) -> None:
    assert adapter.answer(video, "noise 1").startswith("noise 1 by")
    assert adapter.answer(video, "noise 2").startswith("noise 2 by")
    shown = capsys.readouterr().err
    assert shown.count("[model] (stray line on standard output) Loading shards: 100%") == 2
    assert '"stale"' in shown


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("few", "gave 1 answer to 2 questions"),
        ("many", "gave 3 answers to 2 questions"),
        ("number", r"answered \[5, 5\]"),
        ("refuse", "frames are too small"),
    ],
)
def test_a_wrong_reply_costs_its_question(
    question: str, why: str, adapter: Command, script: Path, video: Video
) -> None:
    with pytest.raises(AdapterError, match=why):
        adapter.answer_many(video, [question, "b"])
    assert adapter.answer(video, "fine") == f"fine by {starts(script)[0]}"


def test_half_a_character_costs_no_answer(adapter: Command, video: Video) -> None:
    folder = case("half_character")
    reply, expected = (json.loads((folder / f"{name}.json").read_text()) for name in ("reply", "expected"))
    (answer,) = adapter.answer_many(video, [f'reply "answers": {json.dumps(reply["answers"])}}}'])
    assert answer == "[5] \ufffd"
    assert answer.startswith(expected["answer begins with"])


@pytest.mark.parametrize(
    ("spelled", "answer"),
    [
        (r"a car \ud83d", "a car \ufffd"),
        (r"\ude97 a car", "\ufffd a car"),
        (r"\ud83d\ude97 a car", "\U0001f697 a car"),
        (r"\ude97\ud83d", "\ufffd\ufffd"),
    ],
)
def test_half_a_character_is_mended(adapter: Command, video: Video, spelled: str, answer: str) -> None:
    assert adapter.answer_many(video, [f'reply "answers": ["{spelled}"]}}']) == [answer]


def test_an_answer_that_was_cut_off_says_so(adapter: Command, video: Video) -> None:
    cut, whole = adapter.answer_many(video, ["cut", "second"])
    assert isinstance(cut, ModelOutput)
    assert isinstance(whole, ModelOutput)
    assert (cut.finish, whole.finish) == ("length", "stop")
    plain = adapter.answer(video, "first")
    assert isinstance(plain, ModelOutput)
    assert plain.finish == "stop"
    for wrong in ('"length"', "[]", "[null]", '["stop", "stop"]', "[1]"):
        with pytest.raises(AdapterError, match=r"finish is .*: `finish` must be one string for each answer"):
            adapter.answer(video, f"finish {wrong}")


def test_any_text_goes_there_and_back(adapter: Command, video: Video) -> None:
    questions = ["echo", "Почему?", '为什么\n\t"\\\u2028\x00', "🚗" * 3]
    assert adapter.answer_many(video, questions) == questions


def test_a_huge_answer_arrives_whole_and_an_endless_one_is_cut_off(
    adapter: Command, video: Video, others: list[Video], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert adapter.answer(video, "long 5000000") == "x" * 5_000_000
    monkeypatch.setattr(_program, "LONGEST_LINE", 1 << 20)
    with pytest.raises(AdapterError, match="a line of more than 1 MiB"):
        adapter.answer(video, "long 5000000")
    assert "by" in adapter.answer(others[0], "fine")


def test_pipes_that_are_full_block_nobody(script: Path, video: Video, capsys: pytest.CaptureFixture[str]) -> None:
    adapter = of(script)
    # 300 kB of errors before the reply, to a request of 1 MB: each more than a pipe holds.
    assert adapter.answer(video, f"flood {'q' * 1_000_000}").startswith("flood")
    assert capsys.readouterr().err.count("[model] www") == 3000
    adapter.close()
    deaf = script.with_name("deaf.py")
    deaf.write_text(PROGRAM.replace("for request in map(json.loads, sys.stdin):", "while time.sleep(600):"))
    adapter = of(deaf, timeout="3")
    with pytest.raises(AdapterError, match="did not answer in time"):
        adapter.answer(video, "q" * 1_000_000)


def test_only_the_last_lines_are_kept(adapter: Command, video: Video) -> None:
    adapter.answer(video, "flood")
    with pytest.raises(AdapterError) as caught:
        adapter.answer(video, "exit")
    lines = str(caught.value).partition("last lines:\n")[2].splitlines()
    assert lines[-2:] == ["w" * 99 + "2999", "no such layer"]
    assert len(str(caught.value)) < 2000


def test_all_it_started_ends_with_it(adapter: Command, script: Path, video: Video) -> None:
    child = int(adapter.answer(video, "child"))
    assert alive(child)
    adapter.close()
    assert not alive(starts(script)[0])
    assert ends(child)


def test_it_ends_when_the_adapter_is_no_longer_used(script: Path, video: Video) -> None:
    adapter = of(script)
    folder = Path(json.loads(adapter.answer(video, "request"))["frames"]).parent
    del adapter
    assert ends(starts(script)[0])
    assert not folder.exists()


def test_a_fork_of_the_harness_leaves_it_alone(script: Path, video: Video) -> None:
    adapter = of(script)
    told = json.loads(adapter.answer(video, "request"))
    fork = os.fork()
    if fork == 0:
        adapter.close()
        del adapter
        os._exit(0)
    os.waitpid(fork, 0)
    assert Path(told["frames"]).exists()
    assert adapter.answer(video, "fine") == f"fine by {starts(script)[0]}"
    adapter.close()


Change = Callable[[str, str], Command]


@pytest.fixture
def changed(script: Path) -> Change:
    """A function that returns the adapter of the program with a part replaced."""

    def change(old: str, new: str) -> Command:
        assert old in PROGRAM
        script.write_text(PROGRAM.replace(old, new))
        return of(script, timeout="30")

    return change


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("protocol=1", "protocol=2", "speaks protocol 2"),
        ("describe=", "described=", "lacks `describe`"),
        ('{"checkpoint": "scripted"}', "[]", "is no object"),
        ('{"checkpoint": "scripted"}', '{"lr": float("nan")}', "no JSON"),
        ('frames={"rule": "linspace", "count": 4}', "", "add --model-arg frames=16"),
        ('"linspace"', '"linspce"', "did you mean 'linspace'"),
        ('"count": 4', '"fps": 4', "has no meaning"),
        ('"count": 4', '"count": 0', "has no meaning"),
        ('"rule": "linspace"', '"rule": "dense"', "has no meaning"),
        ("say(protocol=1", 'raise SystemExit("no GPU"); say(protocol=1', "(?s)ended with exit code 1.*no GPU"),
        ("say(protocol=1", "sys.exit(); say(protocol=1", "ended with exit code 0"),
    ],
)
def test_a_hello_that_makes_no_sense_is_refused_at_once(old: str, new: str, why: str, changed: Change) -> None:
    with pytest.raises(AdapterError, match=why):
        changed(old, new).describe()


def test_what_cannot_be_loaded_is_told_at_once(changed: Change) -> None:
    adapter = changed("say(loaded=True)", 'say(error="no weights in /models")')
    assert adapter.describe()["program"] == {"checkpoint": "scripted"}
    with pytest.raises(AdapterError, match="could not load its model \\(no weights in /models\\)"):
        adapter.load()


def test_another_program_after_a_restart_is_not_asked(
    adapter: Command, script: Path, video: Video, others: list[Video]
) -> None:
    with pytest.raises(AdapterError):
        adapter.answer(video, "exit")
    script.write_text(PROGRAM.replace("scripted", "another"))
    with pytest.raises(AdapterError, match="says of itself something else"):
        adapter.answer(others[0], "fine")


def test_options_change_the_frames_it_asked_for(script: Path, changed: Change, video: Video) -> None:
    assert of(script).describe() == {
        "protocol": 1,
        "program": {"checkpoint": "scripted"},
        "frames": {"rule": "linspace", "count": 4},
    }
    midpoints = of(script, frames="8", sampler="midpoints")
    assert midpoints.describe()["frames"] == {"rule": "midpoints", "count": 8}
    assert np.array_equal(midpoints.frame_indices(video), samplers.midpoints(40, 8))
    assert of(script, sampler="starts").describe()["frames"] == {"rule": "starts", "count": 4}
    at_fps = changed('"rule": "linspace", "count": 4', '"rule": "at_fps", "fps": 2, "cap": 5')
    assert at_fps.frame_indices(video).tolist() == samplers.at_fps(video.positions, 2, 5).tolist()
    script.write_text(PROGRAM.replace('frames={"rule": "linspace", "count": 4}', ""))
    assert of(script, frames="3").describe()["frames"] == {"rule": "linspace", "count": 3}


def test_our_environment_does_not_go_along(
    changed: Change, video: Video, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    told = json.loads(changed("json.dumps(request)", "json.dumps(dict(os.environ))").answer(video, "request"))
    assert told["CUDA_VISIBLE_DEVICES"] == "1"
    assert told["PATH"] == os.environ["PATH"]
    assert not [name for name in told if name.startswith("PYTHON") or name == "VIRTUAL_ENV"]


def test_keys_do_not_go_along_unless_they_are_named(
    changed: Change, script: Path, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "My_Password"):
        monkeypatch.setenv(name, "k-123456789")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    told = json.loads(changed("json.dumps(request)", "json.dumps(dict(os.environ))").answer(video, "request"))
    assert "k-123456789" not in told.values()
    assert told["TOKENIZERS_PARALLELISM"] == "false"
    passed = of(script, pass_env="HF_TOKEN, OPENAI_API_KEY")  # noqa: S106 - names
    told = json.loads(passed.answer(video, "request"))
    assert {name for name, value in told.items() if value == "k-123456789"} == {"HF_TOKEN", "OPENAI_API_KEY"}
    with pytest.raises(UsageError, match=r"no such variable in the environment: ABSENT_TOKEN: .*pass-env"):
        of(script, pass_env="ABSENT_TOKEN")  # noqa: S106 - a name


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("text", ["'y' * 999 + chr(10)", "'y' * 99_999"])
def test_a_flood_without_end_is_bounded(
    stream: str,
    text: str,
    script: Path,
    video: Video,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_program, "LONGEST_LINE", 1 << 20)
    endless = f"print('pid', os.getpid(), file=sys.stderr)\n            while True: sys.{stream}.write({text})"
    script.write_text(PROGRAM.replace('time.sleep(600)\n        case "noise"', f'{endless}\n        case "noise"'))
    adapter = of(script, timeout="2")
    with pytest.raises(AdapterError, match=r"did not answer in time|a line of more than 1 MiB"):
        adapter.answer(video, "hang")
    shown = capsys.readouterr().err
    assert len(shown) < 3 << 20
    assert ("prints so much that no more of it is shown" in shown) is ("999 +" in text or stream == "stderr")
    process = int(shown.partition("pid ")[2].split()[0])
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
