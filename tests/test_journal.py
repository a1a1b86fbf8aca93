"""The results file survives whatever happens to its writer, and never mixes two runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import ResultsBusy, ResultsError, SpecMismatch
from ecva_bench.journal.merging import merge_results
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal, end_of, writer
from ecva_bench.records.answers import Answer, Failure, Manifest
from tests.sealing import reseal, unseal


def manifest(ids: tuple[str, ...] = ("1/cause", "2/cause"), **spec: object) -> Manifest:
    return Manifest(run="r", spec={"model": "m", "selection": {"shard": None}, **spec}, expects={"full": ids})


def answer(sample: str, text: str = "text", key: str | None = None) -> Answer:
    video, task = sample.split("/")
    return Answer(key=key or f"key {sample}", id=sample, video=video, task=task, answer=text, reference="reference")


def failure(sample: str, retryable: bool = False) -> Failure:
    video, task = sample.split("/")
    return Failure(
        key=f"key {sample}",
        id=sample,
        video=video,
        task=task,
        stage="decode",
        error="e",
        message="m",
        retryable=retryable,
    )


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause", "née “quoted”\n</s>"))
        journal.append(failure("2/cause"))
        journal.append(end_of(journal))
    results = read_results(path)
    assert [a.answer for a in results.answers] == ["née “quoted”\n</s>"]
    assert [f.id for f in results.failures] == ["2/cause"]
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["type"] for line in lines] == ["run", "answer", "error", "end"]
    assert lines[0]["schema"] == "ecva.results/1"
    assert lines[-1] | {"t": "", "seal": ""} == {
        "type": "end", "status": "incomplete", "answers": 1, "errors": 1, "missing": 0, "t": "", "seal": "",
    }  # fmt: skip


def test_half_a_character_that_another_program_wrote_costs_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause", "[5] HALF"))
    unseal(path)
    path.write_bytes(path.read_bytes().replace(b"HALF", rb"\ud83d"))
    assert [a.answer for a in read_results(path).answers] == ["[5] \ufffd"]
    with Journal(path, manifest()) as journal:
        assert list(journal.answered) == ["key 1/cause"]


def test_the_end_counts_answers_that_are_empty_or_were_cut_off(tmp_path: Path) -> None:
    said = [("", "length"), ("A car", "length"), (" </s>", "stop"), ("<think>Is it", "stop"), ("b", "stop")]
    ids = tuple(f"{number}/cause" for number in range(len(said)))
    with Journal(tmp_path / "r.jsonl", manifest(ids)) as journal:
        for sample, (text, finish) in zip(ids, said, strict=True):
            journal.append(answer(sample, text).model_copy(update={"finish": finish}))
        end = end_of(journal)
        assert (end.answers, end.empty, end.cut_off) == (5, 3, 2)
        journal.append(answer(ids[0], "newer", key="another"))
        journal.append(answer("9/cause", ""))  # not owed
        end = end_of(journal)
        assert (end.answers, end.empty, end.cut_off) == (5, 2, 1)
    with Journal(tmp_path / "r.jsonl", manifest(ids)) as again:
        assert end_of(again).model_copy(update={"t": ""}) == end.model_copy(update={"t": ""})


@given(cut=st.integers(min_value=1, max_value=200))
def test_a_file_cut_anywhere_keeps_every_whole_line(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "results.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause"))
        journal.append(answer("2/cause"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    kept = whole[:-cut].count(b'"type":"answer"') if whole[:-cut].endswith(b"\n") else None
    with Journal(path, manifest()) as journal:
        present = whole[:-cut].rfind(b"\n") + 1
        assert len(journal.answered) == whole[:present].count(b'"type":"answer"')
        assert kept is None or kept == len(journal.answered)
        for sample in ("1/cause", "2/cause"):
            if f"key {sample}" not in journal.answered:
                journal.append(answer(sample))
    torn = path.with_name("results.jsonl.torn")
    assert (torn.read_bytes()[:-1] if torn.exists() else b"") == whole[present:-cut]
    assert sorted(a.id for a in read_results(path).answers) == ["1/cause", "2/cause"]


@pytest.mark.parametrize("kept", [0, 1, 9, 40])
def test_a_file_torn_within_its_first_line_starts_over(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "results.jsonl"
    with Journal(path, manifest()):
        pass
    path.write_bytes(path.read_bytes()[:kept])
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause"))
    assert len(read_results(path).answers) == 1


@pytest.mark.parametrize("content", ["my thesis, in one line", "two\nlines and a tail", '{"type":"answer"}\n{"tail'])
def test_a_file_that_is_not_ours_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text(content)
    with pytest.raises(ResultsError, match=r"thesis\.txt"):
        Journal(path, manifest())
    assert path.read_text() == content
    assert list(tmp_path.iterdir()) == [path]


def test_the_torn_tail_of_another_run_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Journal(path, manifest(mode="exact")):
        pass
    with path.open("a") as tail:
        tail.write('{"answer":"half')
    before = path.read_bytes()
    with pytest.raises(SpecMismatch):
        Journal(path, manifest(mode="fast"))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with Journal(tmp_path / "results.jsonl", manifest()) as journal:
        monkeypatch.setattr("os.write", lambda file, content: write(file, content[:10]))
        with pytest.raises(ResultsError, match=r"written in part.*make room"):
            journal.append(answer("1/cause"))
        monkeypatch.undo()
        assert not journal.answered
    with Journal(tmp_path / "results.jsonl", manifest()) as journal:
        journal.append(answer("1/cause"))
    assert len(read_results(tmp_path / "results.jsonl").answers) == 1


def test_a_second_writer_is_told_who_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    first = manifest().model_copy(update={"environment": writer()})
    with (
        Journal(path, first),
        pytest.raises(ResultsBusy, match=rf"process {os.getpid()} on .*results\.jsonl"),
    ):
        Journal(path, first)
    with Journal(path, first) as journal:  # free again once it is closed
        assert not journal.answered


def test_the_lock_is_seen_by_other_processes(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    program = (
        "import sys; from pathlib import Path; from ecva_bench.errors import ResultsBusy; "
        "from ecva_bench.journal.writer import Journal; from ecva_bench.records.answers import Manifest\n"
        "m = Manifest(run='r', spec={'model': 'm', 'selection': {'shard': None}}, expects={})\n"
        "try: Journal(Path(sys.argv[1]), m)\n"
        "except ResultsBusy: print('busy')\n"
    )
    with Journal(path, manifest()):
        done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "busy"


def test_a_run_with_other_settings_is_refused_with_the_differing_fields(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Journal(path, manifest(mode="exact", frames={"n": 8})):
        pass
    before = path.read_bytes()
    with pytest.raises(
        SpecMismatch, match=r"run: frames\.n 8 there, 16 here; mode exact there, fast here: .*: use --out"
    ):
        Journal(path, manifest(mode="fast", frames={"n": 16}))
    assert path.read_bytes() == before


def test_a_data_set_may_be_renamed_where_its_hash_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Journal(path, manifest(dataset={"name": "ecva", "sha256": "a"})):
        pass
    with Journal(path, manifest(dataset={"name": "cuva", "sha256": "a"})) as journal:
        assert journal.manifest.spec["dataset"]["name"] == "ecva"
    with pytest.raises(SpecMismatch, match="run: ecva there, cuva here: "):
        Journal(path, manifest(dataset={"name": "cuva", "sha256": "b"}))


def test_the_first_answer_of_a_key_counts_and_the_newest_of_a_sample(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause", "first", key="a"))
        journal.append(answer("1/cause", "repeated", key="a"))
        journal.append(answer("1/cause", "of the new file", key="b"))
        journal.append(answer("9/cause", "never asked"))
    results = read_results(path)
    assert [a.answer for a in results.answers] == ["of the new file"]
    assert sorted(a.answer for a in results.extra) == ["first", "never asked"]


def test_an_answer_settles_an_earlier_failure(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(failure("1/cause", retryable=True))
        journal.append(answer("1/cause"))
        assert not journal.failed
    assert read_results(path).failures == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no run manifest"),
        ('{"type":"answer"}\n', "line 1 is no record"),
        ('{"no":"type"}\n', "line 1 is no record .it has no 'type'."),
        (
            '{"type":"answer","key":"k","id":"v1/cause","video":"v1","task":"cause","reference":"","answer":null}\n',
            "line 1 is no record .v1/cause: answer: input should be a valid string: null.",
        ),
        ("[1]\n", "line 1 is no record"),
        (
            '{"type":"run","schema":"ecva.results/2","run":"r","spec":{},"expects":{}}\n',
            "schema 'ecva.results/2'",
        ),
    ],
)
def test_what_is_no_results_file_is_said_to_be_none(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(content)
    with pytest.raises(ResultsError, match=message):
        read_results(path)


def test_records_and_fields_of_a_newer_minor_version_are_tolerated(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with Journal(path, manifest()) as journal:
        journal.append(answer("1/cause"))
    with path.open("a") as lines:
        lines.write('{"type":"thought","text":"from the future"}\n')
        lines.write(json.dumps(answer("2/cause").model_dump() | {"mood": "good"}) + "\n")
    reseal(path)
    results = read_results(path)
    assert len(results.answers) == 2
    assert results.answers[1].model_extra == {"mood": "good"}


def test_shards_merge_by_key_into_what_one_run_would_hold(tmp_path: Path) -> None:
    samples = [f"{video}/{task}" for video in range(5) for task in ("cause", "effect")]
    for part in (1, 2):
        mine = tuple(samples[part - 1 :: 2])
        shard = Manifest(
            run="r", spec={"model": "m", "selection": {"seed": 0, "shard": [part, 2]}}, expects={"full": mine}
        )
        with Journal(tmp_path / f"{part}.jsonl", shard) as journal:
            for sample in mine:
                journal.append(answer(sample) if sample != "3/cause" else failure(sample))
    manifest_ = merge_results([tmp_path / "1.jsonl", tmp_path / "2.jsonl"], tmp_path / "all.jsonl")
    results = read_results(tmp_path / "all.jsonl")
    assert manifest_.spec == {"model": "m", "selection": {"seed": 0, "shard": None}}
    assert results.expects["full"] == tuple(samples)
    assert [a.id for a in results.answers] == [s for s in samples if s != "3/cause"]
    assert [f.id for f in results.failures] == ["3/cause"]
    with pytest.raises(ResultsError, match="exists"):
        merge_results([tmp_path / "1.jsonl"], tmp_path / "all.jsonl")


def test_files_of_different_runs_do_not_merge(tmp_path: Path) -> None:
    for name, model in (("a", "m"), ("b", "n")):
        with Journal(tmp_path / f"{name}.jsonl", manifest(model=model)):
            pass
    with pytest.raises(SpecMismatch, match=r"run: n there, m here: .*b\.jsonl: merge files of one run"):
        merge_results([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], tmp_path / "all.jsonl")
    assert not (tmp_path / "all.jsonl").exists()


def test_keys_of_the_environment_are_never_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {
        "OPENAI_API_KEY": "sk-12345678",
        "HF_TOKEN": 'q"uo\\té9',
        "OTHER_SECRET": "sk-1234567890",
        "A_KEY": "20261129",
    }
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SHORT_TOKEN", "cause")
    path = tmp_path / "results.jsonl"
    said = " ".join(["my cause is", *keys.values()])
    with Journal(path, manifest(model_args={"header": keys["HF_TOKEN"]})) as journal:
        journal.append(answer("1/cause", said).model_copy(update={"steps": {said: [said]}, "duration": 20261129.0}))
        journal.extend([failure("2/cause").model_copy(update={"message": said})])
        journal.event("said", text=said)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    texts = json.dumps(lines, ensure_ascii=False)
    assert not [
        key
        for key in keys.values()
        if f"{json.dumps(key, ensure_ascii=False)[1:-1]}" in texts.replace("20261129.0", "")
    ]
    scrubbed = "my cause is [OPENAI_API_KEY] [HF_TOKEN] [OTHER_SECRET] [A_KEY]"
    assert lines[1]["answer"] == scrubbed
    assert lines[1]["steps"] == {scrubbed: [scrubbed]}
    assert lines[1]["duration"] == 20261129.0  # a number is no text
    assert lines[2]["message"] == scrubbed
