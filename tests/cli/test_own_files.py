"""A model, a metric, a data set, a judge and prompts in a user's own files, named as `./file.py:Name`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ecva_bench.answering import Question
from ecva_bench.answering.request import RunRequest
from ecva_bench.answering.worker_options import WorkerOptions
from ecva_bench.data import load_dataset
from ecva_bench.errors import UsageError
from ecva_bench.video import Video
from tests.clips import write_clip

from .conftest import Command

MINE = """
from ecva_bench.answering import Adapter
from ecva_bench.data import load_dataset
from ecva_bench.judging import Verdict
from ecva_bench.scoring import Column, Scorer


class Model(Adapter):
    def __init__(self, size: str = "1") -> None:
        self.size = int(size)

    def answer(self, video, question):
        return f"{self.size} {question.task}"


class Silent(Adapter):
    pass


class Stranger:
    def answer(self, video, question):
        return "x"


def function(video, question):
    return str(question)


def narrow(video):
    return "x"


class Length(Scorer):
    name = "length"
    tasks = ("cause",)
    columns = (Column("words", "how many words", unit="points", high=9),)

    def score(self, batch):
        return [{"words": len(item.candidate.split())} for item in batch]


class TooLong(Length):
    def score(self, batch):
        return [{"words": 9.5} for item in batch]


class Mistyped(Length):
    def score(self, batch):
        return [{"wrods": 1} for item in batch]


class Unnamed(Scorer):
    def score(self, batch):
        return []


class Rival(Length):
    columns = (Column("rouge1", "the same name as another's"),)


def dataset(path, videos):
    return load_dataset("mini", videos=videos)


def no_dataset(path, videos):
    return []


class Judge:
    def ask(self, calls):
        return [Verdict((float(call.prompt.scale.high),) * call.expected) for call in calls]

    def identity(self, keys=()):
        return {"judge": "always-yes"}


class Lenient(Judge):
    def ask(self, calls):
        return [Verdict((99.0,)) for call in calls]


PROMPTS = {"cause": "Why, in one word?"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of a user, and two clips of the embedded split's names."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "cause.md").write_text("What made it happen?\n")
    for annotation in load_dataset("mini").annotations[:2]:
        write_clip(tmp_path / "clips" / annotation.media)
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMON = ("run", "--task", "cause", "--limit", "2", "--videos", "clips", "--out", "r.jsonl")


def records(path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_bytes().splitlines()]


def answers(path: str = "r.jsonl") -> list[object]:
    return [record["answer"] for record in records(path) if record["type"] == "answer"]


def test_a_class_and_a_function_answer(folder: Path, ecva_bench: Command) -> None:
    assert ecva_bench(*COMMON, "--model", "./mine.py:Model", "--model-arg", "size=3")[0] == 0
    assert answers() == ["3 cause"] * 2
    again = ecva_bench(*COMMON, "--model", folder / "mine.py:Model", "--model-arg", "size=3")
    assert "2 answers (2 were there)" in again[1]  # the same file, wherever it is named from
    assert ecva_bench("models", "show", "mine.py:Model")[0] == 0
    asked = ("--model", "mine.py:function", "--prompts", "words", "--out", "f.jsonl")
    assert ecva_bench(*COMMON, *asked)[0] == 0
    assert answers("f.jsonl") == ["What made it happen?"] * 2
    assert ecva_bench(*COMMON, *asked[:2], "--prompts", "mine.py:PROMPTS", "--out", "g.jsonl")[0] == 0
    assert answers("g.jsonl") == ["Why, in one word?"] * 2
    (folder / "words" / "cause.md").write_text("And now?\n")
    code, _, complaint = ecva_bench(*COMMON, *asked)
    assert code == 2
    assert "another text of the prompt" in complaint


def test_an_edited_file_is_another_model(folder: Path, ecva_bench: Command) -> None:
    assert ecva_bench(*COMMON, "--model", "./mine.py:Model")[0] == 0
    keys = {record["key"] for record in records("r.jsonl") if record["type"] == "answer"}
    (folder / "mine.py").write_text(MINE.replace('f"{self.size} ', 'f"about {self.size} '))
    code, _, complaint = ecva_bench(*COMMON, "--model", "./mine.py:Model")
    assert code == 2
    assert "other code of mine.py:Model" in complaint
    assert ecva_bench(*COMMON, "--model", "./mine.py:Model", "--out", "new.jsonl")[0] == 0
    assert answers("new.jsonl") == ["about 1 cause"] * 2
    assert not keys & {record.get("key") for record in records("new.jsonl")}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "./mine.py:Silent"), "Silent in mine.py is no model: it has no answer(video, question)"),
        (("--model", "./mine.py:Stranger"), "Stranger in mine.py is no model: it does not derive from"),
        (("--model", "./mine.py:narrow"), "narrow in mine.py is no model: it cannot be called with (video, question)"),
        (("--model", "./mine.py:PROMPTS"), "PROMPTS in mine.py is no model: it has no answer(video, question)"),
        (("--model", "./mine.py:Model", "--model-arg", "size=x"), "cannot be made (ValueError: invalid literal"),
        (("--model", "./mine.py:Model", "--model-arg", "sise=1"), "there is no option sise"),
        (("--model", "./mine.py:Model:large"), "this model takes nothing behind its name"),
        (("--model", "./mine.py:function", "--model-arg", "a=1"), "only a class takes options"),
        (("--model", "motion", "--data", "mine.py:no_dataset"), "is no data set: it returned list, not a Dataset"),
        (("--model", "motion", "--data", "mine.py:narrow"), "is no data set: it cannot be called with (path, videos)"),
        (("--model", "motion", "--prompts", "clips"), "the folder has no prompt for cause"),
        (("--model", "motion", "--prompts", "mine.py:Model"), "is no prompt set: it is no mapping"),
    ],
)
def test_what_is_unfit_is_one_line(folder: Path, ecva_bench: Command, options: tuple[str, ...], said: str) -> None:
    code, _, complaint = ecva_bench(*COMMON, *options)
    assert code == 2
    assert said in complaint
    assert complaint.count("\n") == 1


def test_workers_make_a_model_of_a_file_again(folder: Path, ecva_bench: Command) -> None:
    assert ecva_bench(*COMMON, "--model", "./mine.py:Model", "--devices", "cpu,cpu")[0] == 0
    assert answers() == ["1 cause"] * 2


def test_what_workers_cannot_make_again_runs_here_alone(folder: Path) -> None:
    def inner(video: Video, question: Question) -> str:
        return "x"

    request = RunRequest(inner, data="mine.py:dataset", videos=folder / "clips", tasks=("cause",))
    with pytest.raises(UsageError, match=r"workers are other processes, which cannot make this again: .*inner"):
        replace(request, worker_options=WorkerOptions(devices=("cpu", "cpu"))).open()
    with request.open() as runner:
        assert runner.manifest.spec["model"] == "inner"


def test_a_metric_and_a_judge_are_signed_with_their_files(folder: Path, ecva_bench: Command) -> None:
    assert ecva_bench(*COMMON, "--model", "mine.py:Model", "--data", "mine.py:dataset")[0] == 0
    code, shown, _ = ecva_bench("score", "r.jsonl", "--scorers", "./mine.py:Length,rouge")
    assert code == 0
    assert re.search(r"^words +2.00 points", shown, re.MULTILINE)
    line = next(line for line in shown.splitlines() if line.startswith("length|"))
    code, shown, _ = ecva_bench("score", "r.jsonl", "--judge", "mine.py:Judge", "--scorers", "gpt")
    assert code == 0
    assert "|judge:always-yes|judge-code:mine.py:" in shown
    (folder / "mine.py").write_text(MINE + "\n")
    assert line not in ecva_bench("score", "r.jsonl", "--scorers", "./mine.py:Length,rouge")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--scorers", "mine.py:TooLong"),
            "scorer 'length' gave 9.5 for 'words', which is not in [0, 9]: mini01/cause",
        ),
        (
            ("--scorers", "mine.py:Mistyped"),
            "scorer 'length' gave a column 'wrods' that it does not have: mini01/cause",
        ),
        (("--scorers", "mine.py:Unnamed"), "Unnamed in mine.py is no scorer: it has no name"),
        (("--scorers", "mine.py:Model"), "Model in mine.py is no scorer: it has no score(batch)"),
        (("--scorers", "mine.py:Rival,rouge"), "two columns are called 'rouge1'"),
        (("--judge", "mine.py:Model"), "Model in mine.py is no judge: it has no ask(calls)"),
        (("--judge", "mine.py:Lenient"), "the judge gave Verdict(values=(99.0,)"),
        (
            ("--judge", "mine.py:Judge", "--budget-usd", "1"),
            "the judge is one of your own, which does this itself: --budget-usd",
        ),
    ],
)
def test_a_metric_or_a_judge_that_is_unfit_is_one_line(
    folder: Path, ecva_bench: Command, options: tuple[str, ...], said: str
) -> None:
    assert ecva_bench(*COMMON, "--model", "constant")[0] == 0
    code, _, complaint = ecva_bench("score", "r.jsonl", *options)
    assert code == 2
    assert said in complaint
    assert complaint.count("\n") == 1


FAULTY = """
import json
from pathlib import Path

from ecva_bench import Adapter, Annotation, Column, Label, Scorer, Verdict
from ecva_bench.data import Dataset
from ecva_bench.taxonomy import load_taxonomy


class Narrow(Adapter):
    def answer(self, video):
        return "x"


class Loads(Adapter):
    def load(self, dataset):
        pass

    def answer(self, video, question):
        return "x"


class OfPath(Adapter):
    def answer(self, video, question):
        return "x"

    def describe(self):
        return {"weights": Path("w")}


class Undescribed(OfPath):
    def describe(self):
        return None


class Typo(Adapter):
    def answer(self, video, question):
        return video.nframes  # line 38


class Numbers(Adapter):
    def __init__(self, size: int = 1, share: float = 0.5) -> None:
        self.size, self.share = size, share

    def answer(self, video, question):
        return str(self.size + 1) + " " + str(self.share / 2)


class One(Scorer):
    name = "one"
    tasks = ("cause",)
    columns = (Column("one", "one"),)

    def score(self, batch):
        return [{"one": 1.0} for item in batch]


class Pair(One):
    def score(self, candidate, reference):
        return 1.0


class Fails(One):
    def score(self, batch):
        return [{"one": item.anwser} for item in batch]  # line 65


class NoList(One):
    def score(self, batch):
        return 1.0


class TextGaps(One):
    def score(self, batch):
        return [{} for item in batch]

    def gaps(self, item):
        return {"one": "nothing there"}


class AloneMade(One):
    def __init__(self):
        pass


class OneTask(One):
    tasks = ("cause")


class OtherTask(One):
    tasks = ("causes",)


class Piped(One):
    name = "a|b"


class Late(One):
    columns = (Column("one", "seconds late", unit="s", high=float("inf"), higher_is_better=False),)


class Units(One):
    columns = (Column("one", "seconds late", unit="seconds"),)


class Judge:
    def ask(self, calls):
        return [Verdict(values=(1,) * call.expected) for call in calls]

    def identity(self, keys=()):
        return {}


class SelfOnly(Judge):
    def identity(self):
        return {}


class TextIdentity(Judge):
    def identity(self, keys=()):
        return "mine"


class Divided(Judge):
    def identity(self, keys=()):
        return {"k": "a|b"}


class Scalar(Judge):
    def ask(self, calls):
        return [Verdict(values=3) for call in calls]


A = Annotation(video="a", media="mini01.mp4", cause="x")


def made(*annotations, videos=None, sha256="0"):
    return Dataset("mine", "mine.csv", sha256, load_taxonomy("cuva"), annotations, videos=videos)


def twice(path, videos):
    return made(A, A, videos=videos)


def unclassed(path, videos):
    return made(A.model_copy(update={"label": Label(major=99)}), videos=videos)


def texts(path, videos):
    return made({"video": "a"}, videos=videos)


def text_folder(path, videos):
    return made(A, videos=str(videos))


def unhashed(path, videos):
    return made(A, videos=videos, sha256="")
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "faulty.py:Narrow"), "its answer cannot be called as answer(video, question)"),
        (("--model", "faulty.py:Loads"), "its load cannot be called as load()"),
        (("--model", "faulty.py:OfPath"), "the description is no JSON"),
        (("--model", "faulty.py:Undescribed"), "the description is a NoneType"),
        (("--model", "faulty.py:Numbers", "--model-arg", "size=x"), "its options are share, size"),
        (("--model", "./faulty.py:"), "the file is named, and not what in it"),
        (("--model", "constant", "--data", "faulty.py:twice"), "2 annotations are of one video, 'a'"),
        (("--model", "constant", "--data", "faulty.py:unclassed"), "the class 99 of 'a' is not in the taxonomy 'cuva'"),
        (("--model", "constant", "--data", "faulty.py:texts"), "annotations are no Annotation objects"),
        (("--model", "constant", "--data", "faulty.py:text_folder"), "the folder of the videos is a str"),
        (("--model", "constant", "--data", "faulty.py:unhashed"), "the sha256 is empty"),
        (("--model", "constant", "--data", "faulty.csv"), "a data set of your own is read by your function"),
    ],
)
def test_a_fault_is_found_before_anything_is_asked(
    folder: Path, ecva_bench: Command, options: tuple[str, ...], said: str
) -> None:
    (folder / "faulty.py").write_text(FAULTY)
    (folder / "faulty.csv").write_text("id,cause\na,b\n")
    code, _, complaint = ecva_bench(*COMMON, *options)
    assert code == 2
    assert said in complaint
    assert complaint.count("\n") == 1
    assert not Path("r.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scorers", "faulty.py:Pair"), "its score cannot be called as score(batch)"),
        (("--scorers", "faulty.py:Fails"), "has no attribute 'anwser', faulty.py line 65"),
        (("--scorers", "faulty.py:NoList"), "scorer 'one' gave 1.0"),
        (("--scorers", "faulty.py:TextGaps"), "gaps(item) of scorer 'one' gave {'one': 'nothing there'}"),
        (("--scorers", "faulty.py:AloneMade"), "it is made with the protocol alone"),
        (("--scorers", "faulty.py:OneTask"), 'write tasks = ("cause",)'),
        (("--scorers", "faulty.py:OtherTask"), "there is no task causes"),
        (("--scorers", "faulty.py:Piped"), "its name 'a|b' may have letters"),
        (("--scorers", "faulty.py:Late"), "give it a finite high"),
        (("--scorers", "faulty.py:Units"), "a unit is %, s or points"),
        (("--judge", "faulty.py:SelfOnly"), "its identity cannot be called as identity(keys)"),
        (("--judge", "faulty.py:TextIdentity"), "the judge calls itself 'mine'"),
        (("--judge", "faulty.py:Divided"), "the judge calls itself {'k': 'a|b'}"),
        (("--judge", "faulty.py:Scalar"), "give Verdict(values=…), a tuple of "),
        (("--judge", "faulty.py:Judge", "--votes", "3"), "which does this itself: --votes"),
        (("--judge", "faulty.py:Judge", "--judge-url", "http://x"), "which does this itself: --judge-url"),
        (("--judge", "faulty.py"), "the file is named, and not what in it"),
        (("--votes", "3"), "none is named: --votes: name one with --judge"),
        (("--judge", "faulty.py:Judge", "--judge-prompts", "words"), "it does not begin with ---"),
    ],
)
def test_a_fault_of_a_metric_or_a_judge_is_one_line(
    folder: Path, ecva_bench: Command, options: tuple[str, ...], said: str
) -> None:
    (folder / "faulty.py").write_text(FAULTY)
    assert ecva_bench(*COMMON, "--model", "constant")[0] == 0
    code, _, complaint = ecva_bench("score", "r.jsonl", *options)
    assert code == 2
    assert said in complaint
    assert not Path("r.scores.jsonl").exists()


def test_an_answer_that_fails_names_the_line_and_numbers_arrive_as_declared(folder: Path, ecva_bench: Command) -> None:
    (folder / "faulty.py").write_text(FAULTY)
    assert ecva_bench(*COMMON, "--model", "faulty.py:Typo")[0] == 3
    messages = {str(record["message"]) for record in records("r.jsonl") if record["type"] == "error"}
    assert messages == {"'Video' object has no attribute 'nframes', faulty.py line 38"}
    options = ("--model-arg", "size=3", "--model-arg", "share=3")
    assert ecva_bench(*COMMON, "--model", "faulty.py:Numbers", *options, "--out", "n.jsonl")[0] == 0
    assert answers("n.jsonl") == ["4 1.5"] * 2


def test_where_lower_is_better_a_missing_answer_counts_as_the_worst(folder: Path, ecva_bench: Command) -> None:
    late = FAULTY.replace('high=float("inf")', "high=10")
    (folder / "late.py").write_text(
        f"{late}\n\nasked = []\n\n\ndef half(video, question):\n"
        "    asked.append(video)\n    return 'x' * (1 // (len(asked) % 2))\n"
    )
    assert ecva_bench(*COMMON, "--model", "late.py:half")[0] == 3
    assert ecva_bench(*COMMON, "--model", "late.py:Numbers", "--out", "c.jsonl")[0] == 0
    for file in ("r.jsonl", "c.jsonl"):
        shown = ecva_bench("score", file, "--scorers", "late.py:Late")[1]
        assert "one: lower is better; a missing answer counts 10, not 0" in shown
    code, board, _ = ecva_bench("leaderboard", "r.scores.jsonl", "c.scores.jsonl", "--no-published")
    assert code == 0
    assert "Ranked by one, the lower the better." in board
    assert re.findall(r"^\d \[.*?\] +\d +(\S+)", board, re.MULTILINE) == ["Numbers", "half"]
    assert "5.50" in board  # the mean of 1 and 10


def test_a_board_without_a_score_says_so(folder: Path, ecva_bench: Command) -> None:
    asked = ("run", "--task", "cause", "--task", "classification", "--limit", "1", "--videos", "clips")
    assert ecva_bench(*asked, "--model", "constant", "--out", "r.jsonl")[0] == 0
    assert ecva_bench("score", "r.jsonl", "--scorers", "rouge")[0] == 0
    board = ecva_bench("leaderboard", "r.scores.jsonl", "--no-published")[1]
    assert "Ranked by ." not in board
    assert "None of these runs has a score of this task." in board


def test_a_folder_that_is_not_there_is_named(folder: Path, ecva_bench: Command) -> None:
    (folder / "faulty.py").write_text(FAULTY + "\n\ndef good(path, videos):\n    return made(A, videos=videos)\n")
    told = ecva_bench("run", "--model", "constant", "--data", "faulty.py:good", "--videos", "nowhere")[2]
    assert "missing: all of 1 video, for there is no folder nowhere" in told
