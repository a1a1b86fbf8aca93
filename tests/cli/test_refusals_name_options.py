"""Every option of every command: where its value is refused, the message names the option as it is typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

from ecva_bench import cli
from ecva_bench.annotation.acts import append_acts
from ecva_bench.annotation.exchange import write_for
from tests.annotation.acts import act
from tests.cli.conftest import Command

# A value that no option can have: no number, no name, no name=value, and a path below a file.
IMPOSSIBLE = "r.jsonl/no-such?"

# What else a command needs before it looks at an option.
NEEDED = {
    "annotate adjudicate": "acts.jsonl --out gold.jsonl",
    "annotate agreement": "acts.jsonl",
    "annotate export": "acts.jsonl --to json --out exported --annotator ann",
    "annotate import": "export.json --annotator ann --out more.jsonl",
    "annotate queue": "videos.jsonl --annotators a,b --out queue",
    "annotate rankings": "triples.jsonl ann.csv --out ranked.jsonl",
    "annotate triples": "r.jsonl --task cause --out triples --annotations texts.jsonl",
    "data audit": "mini",
    "audit": "r.jsonl",
    "check-fast": "--model motion --n 1",
    "compare": "r.jsonl r.jsonl",
    "data check": "mini",
    "data curves": "mini --out c.jsonl --judge m --clip open_clip:clip --limit 1",
    "data fetch": "cuva",
    "data lmms-task": "mini --task cause",
    "data stats": "mini",
    "export": "r.jsonl --to csv",
    "gate": "r.jsonl --against r.jsonl",
    "import": "a.json --data mini --task cause",
    "judge-audit": "r.jsonl --judge m",
    "leaderboard": "r.jsonl",
    "merge": "r.jsonl",
    "meta-eval": "rankings.jsonl --scorers gpt --judge m",
    "models check": "vila",
    "plan": "--model motion",
    "report": "r.jsonl",
    "run": "--model motion --task cause --limit 1 --out x.jsonl",
    "score": "r.jsonl",
    "submit": "r.jsonl",
    "summary": "r.jsonl",
    "train": "anomshield/paper/1 --data mini --plan",
    "view": "r.jsonl --no-serve",
}

_ANY = "any text will do"
_FINDING = "doctor tells what it finds, and refuses nothing"
EXEMPT = {
    "annotate adjudicate --third": _ANY,
    "annotate export --videos": "label-studio alone looks at files of videos",
    "annotate import --annotator": _ANY,
    "annotate import --saw": _ANY,
    "annotate queue --annotators": _ANY,
    "annotate rankings --annotator": _ANY,
    "annotate triples --criteria": _ANY,
    "audit --read-with": "any name may be a model of the endpoint",
    "check-fast --out": "the model is refused first",
    "data curves --judge": "any name may be a model of the endpoint",
    "data curves --moments": "it is written when the curves are, which are kept",
    "data fetch --to": "the hub is asked first, for the size",
    "doctor --data": _FINDING,
    "doctor --model": _FINDING,
    "doctor --model-path": _FINDING,
    "doctor --videos": _FINDING,
    "import --name": _ANY,
    "judge-audit --judge": "any name may be a model of the endpoint",
    "meta-eval --judge": "any name may be a model of the endpoint",
    "plan --out": "a file that is not there holds no answers yet",
    "plan --videos": "a folder that is not there has no videos: the plan says so",
    "repair --manifest": "it is read where the first line was changed",
    "run --name": _ANY,
    "score --judge": "any name may be a model of the endpoint",
    "score --read-with": "any name may be a model of the endpoint",
    "submit --hardware": _ANY,
    "train --cache": "a plan keeps no frames",
}


def options() -> list[tuple[str, str]]:
    """Each command with each of its options that take a value."""
    found, waiting = [], [("", get_command(cli.app))]
    while waiting:
        name, command = waiting.pop()
        waiting += [(f"{name} {each}".strip(), one) for each, one in getattr(command, "commands", {}).items()]
        if name and not getattr(command, "commands", {}):
            found += [(name, p.opts[0]) for p in command.params if p.opts[0][0] == "-" and not p.is_flag]
    return sorted(found)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scored run, an answer file and rankings."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("ECVA_CACHE", str(folder / "cache"))
        for words in ("run --model prompt-echo --task cause --limit 2 --out r.jsonl", "score r.jsonl"):
            patch.setattr("sys.argv", ["ecva-bench", *words.split()])
            with pytest.raises(SystemExit) as end:
                cli.main()
            assert not end.value.code
    (folder / "clip").mkdir()  # a model that is named and never loaded
    (folder / "clip/open_clip_config.json").write_text('{"model_cfg": {"vision_cfg": {}, "text_cfg": {}}}')
    (folder / "clip/empty.safetensors").write_bytes(b"\2" + bytes(7) + b"{}")
    (folder / "a.json").write_text(json.dumps({"mini01": "A car."}))
    rows = [
        {
            "triple_id": f"t{n}",
            "video_id": f"v{n}",
            "task": "cause",
            "question": "why?",
            "reference": "a red car hits the wall",
            "answers": {"a": f"a red car hits the wall {n}", "b": f"a car hits a tree {n}", "c": f"birds sing {n}"},
            "human_ranks": [{"annotator": p, "ranks": {"a": 1, "b": 2, "c": 3}} for p in "xy"],
        }
        for n in range(6)
    ]
    for annotator in ("ann", "bob"):
        append_acts(folder / "acts.jsonl", [act("v", annotator, [(0, 1)], "5-1,4")])
    (folder / "export.json").write_text(write_for("via", [act("v", "ann", [(0, 1)], "5-1,4")], None)["project.json"])
    (folder / "videos.jsonl").write_text('{"video": "v"}\n')
    (folder / "rankings.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "triples.jsonl").write_text(json.dumps(rows[0]) + "\n")
    (folder / "ann.csv").write_text("triple,letter,rank\nt0,a,1\nt0,b,2\nt0,c,3\n")
    append_acts(folder / "texts.jsonl", [act(f"mini{n:02}", "ann", cause="A car.") for n in (1, 2)])
    return folder


@pytest.mark.parametrize(("name", "option"), [pair for pair in options() if " ".join(pair) not in EXEMPT])
def test_a_refused_value_is_told_with_its_option(
    name: str, option: str, place: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("ECVA_CACHE", str(place / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    needed = NEEDED.get(name, "").split()
    if option in needed:
        del needed[needed.index(option) : needed.index(option) + 2]
    code, _, shown = ecva_bench(*name.split(), *needed, option, IMPOSSIBLE)
    assert code == 2, shown
    assert re.search(rf"{option}(?![\w-])", shown), shown


def test_a_value_that_only_the_remedy_shows_is_not_told(
    place: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    code, _, shown = ecva_bench("run", "--model", "motion", "--reuse", "r.jsonl", "--reuse", "gone.jsonl", "--out", "y")
    assert code == 2
    assert "r.jsonl" in shown.partition("did you mean")[2]
    assert "--reuse gone.jsonl" in shown
    assert "--reuse r.jsonl" not in shown


def test_what_is_exempt_exists() -> None:
    assert EXEMPT.keys() <= {" ".join(pair) for pair in options()}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("run --model motion --limit 0", "--limit"),
        ("run --model motion --subset -1", "--subset"),
        ("run --model motion --shard 5/4", "--shard"),
        ("run --model motion --shard 0/4", "--shard"),
        ("run --model motion --ids nowhere", "--ids"),
        ("run --model motion --model-arg frames", "--model-arg frames"),
        ("run --model motion --model-arg frames=x", "--model-arg frames=x"),
        ("run --model motion --model-arg max-frames=x", "--model-arg max-frames=x"),
        ("run --model motion --devices tpu", "--devices tpu"),
        ("run --model motion --edited cut,foo", "--edited"),
        ("run --model motion --task cause,foo", "--task foo"),
        ("run --model moton", "--model moton"),
        ("score r.jsonl --scorers rouge,rogue", "--scorers rogue"),
        ("score r.jsonl --anomeval-set s1", "--anomeval-set s1"),
        ("score r.jsonl --protocol foo", "--protocol foo"),
        ("score r.jsonl --votes 2", "--votes"),
        ("score r.jsonl --judge m --concurrency 0", "--concurrency"),
        ("gate r.jsonl --against r.jsonl --margin rougeL=x", "--margin rougeL=x"),
        ("compare r.jsonl r.jsonl --metric foo", "--metric foo"),
    ],
)
def test_of_several_values_the_one_refused_is_told(
    words: str, told: str, place: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    code, _, shown = ecva_bench(*words.split())
    assert code == 2, shown
    assert told in shown
