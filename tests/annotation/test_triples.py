"""Triples for people to rank: blind, without the reference, and back with ranks, as the meta-evaluation reads them."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.annotation.formats.ranks import read_ranks, write_ranker, write_table
from ecva_bench.annotation.triples import build_triples, join_ranks, rankings_text, read_triples, write_triples
from ecva_bench.errors import DataError, UsageError
from ecva_bench.records.answers import Answer, Results
from ecva_bench.scoring.rankings import Triple, read_rankings
from tests.annotation.acts import act

REFERENCE = "A lorry braked too late."


def run(name: str, answers: dict[str, str], task: str = "cause", **more: Any) -> Results:
    given = {"reference": REFERENCE, "duration": 12.0} | more
    return Results(
        name=name,
        source=f"{name}.jsonl",
        sha256="",
        model=name,
        expects={},
        answers=tuple(
            Answer(key=f"{name}{video}", id=f"{video}/{task}", video=video, task=task, answer=text, **given)
            for video, text in answers.items()
        ),
    )


def built(count: int = 12, **more: Any) -> dict[str, Triple]:
    videos = [f"{number:05}" for number in range(count)]
    runs = [run(name, {video: f"{name}: a car, {video}" for video in videos}) for name in ("one", "two", "three")]
    return {one.triple_id: one for one in build_triples(runs, "cause", **{"seed": 0} | more).triples}


def filled(content: str, ranks: dict[tuple[str, str], dict[str, str]]) -> str:
    """The table with ranks in it, as a spreadsheet that takes semicolons saves it, and a column of somebody's own."""
    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline="")))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [*rows[0], "remarks"], delimiter=";")
    writer.writeheader()
    writer.writerows({**row, "remarks": "hm", **ranks.get((row["triple"], row["letter"]), {})} for row in rows)
    return out.getvalue()


def test_letters_say_nothing_of_the_model_and_come_of_the_seed() -> None:
    found = built(60)
    kinds = Counter((letter, kind) for one in found.values() for letter, kind in one.kinds.items())
    assert set(kinds) == {(letter, f"model:{name}") for letter in "ABC" for name in ("one", "two", "three")}
    assert max(kinds.values()) < 40  # of 60: one of three letters each
    assert all(one.answers[letter].startswith(kind[6:]) for one in found.values() for letter, kind in one.kinds.items())
    assert [*found] != sorted(found)
    assert built(60) == found
    assert built(60, seed=1) != found
    assert {*built(60, subset=5, seed=3)} != {*built(60, subset=5, seed=4)}


def test_what_people_see_names_nobody_and_holds_no_reference() -> None:
    triples = [*built().values()]
    for content in (*write_table(triples, []).values(), *write_ranker(triples, []).values()):
        assert "model" not in content
        assert REFERENCE not in content


def test_people_s_texts_are_answers_and_the_reference_is_none() -> None:
    runs = [run("one", {"00001": "<think>no</think> Fog.", "00002": "", "00003": "x", "00004": "y"})]
    acts = [
        act("1", "ann", cause="a LORRY braked  too late."),
        act("1", "ben", cause="Somebody slept."),
        act("1", "cleo", cause="Nobody looked.", round=2, blind=False),
        act("00002", "ann", cause="Rain."),
        act("00003", "ann", cause="Snow."),
    ]
    found = build_triples(runs, "cause", acts, seed=0)
    one, other = sorted(found.triples, key=lambda triple: triple.video_id)
    texts = {one.kinds[letter]: text for letter, text in one.answers.items()}
    assert texts == {"model:one": "Fog.", "first_round": "Somebody slept.", "second_round": "Nobody looked."}
    assert other.video_id == "00003"
    assert found.left_out == {
        "first_round says what the reference does": 1,
        "empty answer": 1,
        "less than two answers to a question": 2,
    }


def test_questions_without_one_reference_are_left_out() -> None:
    runs = [run("one", {"1": "a"}), run("two", {"1": "b"}, reference="another")]
    assert build_triples(runs, "cause", seed=0).left_out == {"the reference is not the same in all files": 1}
    runs = [run(name, {"1": name}, reference="") for name in ("one", "two")]
    found = build_triples(runs, "cause", seed=0)
    assert found.left_out == {"no reference": 1}
    with pytest.raises(DataError, match="no question has two answers"):
        write_triples(Path("nowhere"), found.triples)


def test_what_cannot_be_ranked_is_refused() -> None:
    runs = [run("one", {"1": "a"})]
    with pytest.raises(UsageError, match="asks several"):
        build_triples(runs, "choice", seed=0)
    with pytest.raises(UsageError, match="two runs are called 'one'"):
        build_triples(runs * 2, "cause", seed=0)
    with pytest.raises(DataError, match="no answer about effect"):
        build_triples(runs, "effect", seed=0)
    severities = [run("one", {"1": "0 5 1"}, "severity")]
    with pytest.raises(UsageError, match="leave --annotations out"):
        build_triples(severities, "severity", [act("1", "ann", cause="a")], seed=0)


def test_curves_are_shown_as_bars_and_formulas_as_texts() -> None:
    runs = [
        run("one", {"1": "0 6 0\n6 12 10"}, "severity", reference="0:0 12:1"),
        run("two", {"1": "=1+1"}, "severity", reference="0:0 12:1"),
    ]
    content = write_table(build_triples(runs, "severity", seed=0).triples, [])["ranks.csv"]
    assert f"{'▁' * 30}{'█' * 30} (0 to 12 s)" in content
    assert "'=1+1" in content
    assert ",=1+1" not in content


@pytest.mark.parametrize(
    ("prompt", "shown"), [("ours/severity", f"{'▁' * 30}{'█' * 30} (0 to 12 s)"), ("theirs", "0-6: 0")]
)
def test_a_curve_is_shown_as_bars_where_scorers_can_read_it_too(prompt: str, shown: str) -> None:
    """In times of no known unit they cannot, and people would rank what no scorer sees."""
    runs = [
        run(name, {"1": f"0-6: 0\n6-12: {end}"}, "severity", reference="0:0 12:1")
        for name, end in (("one", 10), ("two", 5))
    ]
    asked = [one.model_copy(update={"spec": {"prompts": {"severity": {"id": prompt}}}}) for one in runs]
    [triple] = build_triples(asked, "severity", seed=0).triples
    assert shown in write_table([triple], [])["ranks.csv"]


def test_ranks_of_tables_and_of_label_studio_come_back_as_rankings(tmp_path: Path) -> None:
    triples = built(4)
    write_triples(tmp_path / "out", [*triples.values()])
    there = read_triples(tmp_path / "out/triples.jsonl")
    assert there == triples
    with pytest.raises(UsageError, match="which people may be ranking"):
        write_triples(tmp_path / "out", [*triples.values()])
    first, second, third, _ = triples

    content = write_table([*triples.values()], ["correctness"])["ranks.csv"]
    table = tmp_path / "ann.csv"
    given = {
        **{(first, letter): {"rank": rank, "rank_correctness": "1"} for letter, rank in zip("ABC", "122", strict=True)},
        **{(second, letter): {"rank": rank} for letter, rank in (("A", "1"), ("B", "2"))},
        **{(third, letter): {"rank": rank} for letter, rank in zip("ABC", ("1", "best", "3"), strict=True)},
    }
    table.write_text(filled(content, given), "utf-8")

    export = json.loads(write_ranker([*triples.values()], [])["tasks.json"])
    for task in export:
        region = {"from_name": "rank", "type": "ranker", "value": {"ranker": {"_": [], "1": ["C"], "2": ["B", "A"]}}}
        task["annotations"] = [{"result": [region], "completed_by": {"email": "ben@x.org"}}]
    export[2]["annotations"][0]["result"][0]["value"]["ranker"] = {"_": ["A", "B", "C"]}  # nobody touched it
    project = tmp_path / "export.json"
    project.write_text(json.dumps(export), "utf-8")

    files = {path: read_ranks(path, None) for path in (table, project)}
    assert [problem.split(": ")[1] for problem in files[table].problems] == [
        "rank of answer C is empty",
        "rank of answer B is 'best', and is to be a rank from 1",
    ]
    ranks = join_ranks(there, files)
    path = tmp_path / "rankings.jsonl"
    path.write_text(rankings_text(there, ranks), "utf-8")
    found = read_rankings(path)
    assert found.problems == ()
    assert [one.triple_id for one in found.triples] == [first, second, [*triples][3]]
    assert found.triples[0].ranks() == {"ann": [1, 2.5, 2.5], "ben@x.org": [2.5, 2.5, 1]}
    assert found.triples[0].human_ranks[0].ranks_by == {"correctness": {"A": 1, "B": 1, "C": 1}}
    assert found.triples[0].kinds == triples[first].kinds


def test_ranks_of_other_triples_are_refused(tmp_path: Path) -> None:
    """With other letters, ranks would say something else of the same answers."""
    triples, others = built(4), built(4, seed=5)
    path = tmp_path / "ann.csv"
    ranks = {(name, letter): {"rank": "1"} for name in others for letter in "ABC"}
    path.write_text(filled(write_table([*others.values()], [])["ranks.csv"], ranks), "utf-8")
    with pytest.raises(DataError, match="which is none of the triples"):
        join_ranks(triples, {path: read_ranks(path, None)})


def test_one_who_ranks_twice_and_not_alike_is_refused(tmp_path: Path) -> None:
    triples, files = built(1), {}
    for name, order in (("ann.csv", "123"), ("ben.csv", "321")):
        path = tmp_path / name
        ranks = {(one, letter): {"rank": rank} for one in triples for letter, rank in zip("ABC", order, strict=True)}
        path.write_text(filled(write_table([*triples.values()], [])["ranks.csv"], ranks), "utf-8")
        files[path] = read_ranks(path, "ann")
    with pytest.raises(DataError, match="twice, and not alike"):
        join_ranks(triples, files)


@pytest.mark.parametrize(("people", "annotator"), [(("ann", "ann"), None), (("ann", "ben"), "ann")])
def test_of_two_annotations_of_a_task_by_one_none_is_taken_in_silence(
    people: tuple[str, str], annotator: str | None, tmp_path: Path
) -> None:
    [task] = json.loads(write_ranker([*built(1).values()], [])["tasks.json"])
    task["annotations"] = [
        {
            "result": [{"from_name": "rank", "type": "ranker", "value": {"ranker": {"1": best, "2": rest}}}],
            "completed_by": {"email": name},
        }
        for name, best, rest in zip(people, ("A", "B"), ("BC", "AC"), strict=True)
    ]
    path = tmp_path / "export.json"
    path.write_text(json.dumps([task]), "utf-8")
    with pytest.raises(DataError, match=r"task 1: ann ranks .* twice, and not alike"):
        read_ranks(path, annotator)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "no column"),
        (b"\xff\xfe\x00", "no CSV in UTF-8"),
        (b'triple,letter,rank\n"a', "no CSV"),
        (b"triple,letter,rank\nt,A,1\nt,A,2\n", "is there twice"),
        (b"[{}]", "task 1 is no task"),
        (b'[{"data": {"triple": "t", "answers": [3]}}]', "task 1 is no task"),
        (b"[", "it is no JSON"),
        (b"", "the file is empty"),
    ],
)
def test_a_file_without_ranks_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "ann.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_ranks(path, None)


@pytest.mark.parametrize("line", ["3", "{", "{}"])
def test_a_line_that_is_no_triple_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "triples.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(DataError, match="line 2"):
        read_triples(path)
