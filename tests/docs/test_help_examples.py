"""The examples of every `--help` run as they stand, in a folder with the files that they name."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from ecva_bench import cli
from ecva_bench.annotation.acts import append_acts
from ecva_bench.annotation.exchange import write_for
from ecva_bench.annotation.formats.ranks import write_table
from ecva_bench.annotation.triples import build_triples, write_triples
from ecva_bench.api import run
from ecva_bench.journal.results import read_results
from ecva_bench.records.acts import AnnotationAct
from ecva_bench.scoring.files import scores_path
from tests.imports import ROOT

from .conftest import Shell
from .pages import blocks, commands

OWN_DATA = (ROOT / "docs/guides/own-data.md").read_text(encoding="utf-8")

# What needs weights or a hub is parsed alone: its command and its options exist. By a word of the example, the reason.
PARSED = {
    "FOLDER": "weights",
    "videollama2 ": "weights",
    "VideoLLaMA2": "weights",
    "videollama2": "weights",
    "Qwen/": "a hub",
    "checkpoints/my-model": "weights",
    "data curves": "weights",
    "data fetch ecva": "a hub",
    "gpt-5.4-mini --model-arg budget-usd=5 --batch": "an endpoint with batches",
    "leaderboards": "a folder of leaderboards",
    "--hub spaces/": "a hub",
    "cause.pdf": "plots",
}
# Gates and checks end with 1 where they find something; what is asked of the endpoint may be cut off.
MAY_END_WITH = {"audit": {0, 1}, "data": {0, 1}, "doctor": {0, 1}, "gate": {0, 1}, "run": {0, 3}, "score": {0, 3}}


def examples(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the examples of a command and of those below it."""
    command = command or typer.main.get_command(cli.app)
    for name, below in getattr(command, "commands", {}).items():
        yield from examples(below, (*path, name))
    _, example, text = (command.help or "").partition("Example")
    if example and path:
        found = re.findall(r"ecva-bench [^\n]*", text)
        assert found, path
        assert all(line.split()[1 : len(path) + 1] == [*path] for line in found), path
        yield from found


EXAMPLES = tuple(examples())


def written(name: str, *rows: dict[str, str]) -> None:
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def answer_files() -> None:
    """Write the answers made elsewhere that examples name."""
    said = {"1": "A car brakes late.", "2": "A wet road."}
    Path("answers.json").write_text(json.dumps({video: {"cause": text} for video, text in said.items()}))
    for name in ("cause", "effect", "cut", "one", "other"):
        one = {"one": "cause", "other": "cause"}.get(name, "answer")
        written(f"{name}.csv", *({"video": video, one: f"{text} {name}"} for video, text in said.items()))
    written("table.csv", *({"clip": video, "qwen": text} for video, text in said.items()))
    written("wide.csv", *({"video": video, "reasons": text, "ending": text} for video, text in said.items()))
    for model in ("video_llama", "video_llava"):
        rows = [{"video_file": f"{video}.mp4", "output": text} for video, text in said.items()]
        Path(f"{model}_description.json").write_text(json.dumps(rows))
    Path("videollama2_classification.json").write_text(json.dumps([{"video_file": "1.mp4", "output": "Fire"}]))


@pytest.fixture
def prepared(shell: Shell) -> Shell:
    """The folder of a user who followed the README: runs on both data sets, scored, and answers made elsewhere."""

    def done(line: str) -> None:
        for command in commands(line):
            assert shell(command) in (0, 3), line

    answer_files()
    shutil.copyfile("annotations.xlsx", "new.xlsx")
    judged = "--judge gpt-4o-mini --scorers rouge,anomeval,classification,timestamp"
    for model in ("motion", "constant"):
        for data in ("mini --limit 3", "annotations.xlsx --videos videos"):
            name = f"{model}-{'mini' if 'mini' in data else 'cuva'}.jsonl"
            done(f"ecva-bench run --model {model} --data {data} --edited anomaly,control --out {name}")
            done(f"ecva-bench score {name} {judged}")
    for part in ("1", "2"):
        done(f"ecva-bench run --model motion --limit 4 --task cause --shard {part}/2")
    return shell


def only_for(line: str) -> None:
    """Write what one example needs and others do not have beside them."""
    motion = Path("motion-mini.jsonl")
    if "gate" in line:
        for name in ("base", "base2", "base3", "new"):
            shutil.copyfile(motion, f"{name}.jsonl")
            shutil.copyfile(scores_path(motion, "standard"), f"{name}.scores.jsonl")
        shutil.copyfile("new.scores.jsonl", "frozen.scores.jsonl")
    if "annotate rankings" in line:
        runs = [read_results(Path(f"{model}-mini.jsonl")) for model in ("motion", "constant")]
        triples = build_triples(runs, "cause", seed=0).triples
        write_triples(Path("triples"), triples)
        Path("triples/ranks.csv").write_text(write_table(triples, [])["ranks.csv"], encoding="utf-8")
    elif "rankings.jsonl" in line:
        rankings()
    if "project.json" in line:
        [project] = write_for("via", [AnnotationAct(video="1", annotator="ann", cause="It is wet.")], None).values()
        Path("project.json").write_text(project, encoding="utf-8")
    if "annotate queue" in line:
        Path("videos.jsonl").write_text('{"video": "1"}\n{"video": "2"}\n', encoding="utf-8")
    if "annotate adjudicate" in line:
        append_acts(Path("annotations.jsonl"), [AnnotationAct(video="1", annotator="ann", cause="It is wet.")])
    if "my_data.py" in line:
        files = {block.file: block.text for block in blocks(OWN_DATA) if block.file}
        Path("my_data.py").write_text(files["my_data.py"], encoding="utf-8")
        for name in ("train.csv", "test.csv"):
            Path(name).write_text(files["porch.csv"], encoding="utf-8")
    if "trained.jsonl" in line:
        Path("training.json").write_text('{"stages": [{"videos": [{"dataset": "mini", "id": "mini01"}]}]}')
        run("constant", limit=3, out="trained.jsonl", training="training.json")
    if "merge" in line:
        motion.unlink()
    else:
        for part in Path().glob("*-part*.jsonl"):
            part.unlink()


def rankings() -> None:
    ranked = {
        "video_id": "v1",
        "task": "cause",
        "question": "why?",
        "reference": "a red car hits the wall",
        "answers": {"a": "a red car hits a wall", "b": "a car hits a tree"},
        "human_ranks": [{"annotator": "x", "ranks": {"a": 1, "b": 2}}],
    }
    lines = (json.dumps({**ranked, "triple_id": f"t{n}"}) + "\n" for n in range(3))
    Path("rankings.jsonl").write_text("".join(lines))


def parsed_only(line: str) -> bool:
    return any(word in line for word in PARSED)


def test_examples_run(
    prepared: Shell, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a folder of its own, so that none depends on another."""
    failed, place = {}, Path.cwd()
    capsys.readouterr()
    for number, line in enumerate(EXAMPLES):
        if parsed_only(line):
            continue
        monkeypatch.chdir(shutil.copytree(place, tmp_path / f"example{number}"))
        only_for(line)
        [command] = commands(line)
        code, shown = prepared(command), capsys.readouterr()
        if code not in MAY_END_WITH.get(command.words[1], {0}):
            failed[line] = f"{code}: {shown.err[-300:]}"
    assert not failed, "\n".join(f"{line}\n  {why}" for line, why in failed.items())


@pytest.mark.parametrize("line", [line for line in EXAMPLES if parsed_only(line)])
def test_what_is_not_run_is_parsed(line: str) -> None:
    [command] = commands(line.partition(" >")[0])
    program = typer.main.get_command(cli.app)
    name, *rest = command.words[1:]
    found = program.commands[name]  # type: ignore[attr-defined]
    while getattr(found, "commands", {}):
        found, rest = found.commands[rest[0]], rest[1:]
    assert found.make_context(name, list(rest)).params


def test_every_reason_not_to_run_one_is_still_there() -> None:
    assert [word for word in PARSED if not any(word in line for line in EXAMPLES)] == []
