"""The folder of a page: what it holds, what it leaves alone, and that a large run stays small to look at."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import UsageError
from ecva_bench.leaderboard.board import board
from ecva_bench.leaderboard.groups import group_submissions
from ecva_bench.leaderboard.sheet import VIEWS as VIEW_NAMES
from ecva_bench.leaderboard.submission import submission
from ecva_bench.records.base import VIEWS
from ecva_bench.records.readings import Reading
from ecva_bench.records.verdicts import Qualification
from ecva_bench.report.page import chunks, write_page
from ecva_bench.report.run import Run
from ecva_bench.report.videos import Videos
from ecva_bench.report.words import shared_words
from ecva_bench.scoring.rouge import rouge
from tests.imports import ROOT
from tests.scoring.build import answer, results

from .build import HOSTILE, KEYS, REASON, STEPS, annotations, small_run, story, taken

STATIC = ROOT / "ecva_bench/report/static"


@given(st.lists(st.text(max_size=30)), st.integers(1, 60))
def test_chunks_hold_everything_once_in_order_and_are_no_larger_than_need_be(texts: list[str], limit: int) -> None:
    pairs = [(str(number), text) for number, text in enumerate(texts)]
    groups = list(chunks(pairs, limit))
    assert [pair for group in groups for pair in group] == pairs
    assert all(groups)
    sizes = [sum(len(text) for _, text in group) for group in groups]
    assert all(size <= limit or len(group) == 1 for size, group in zip(sizes, groups, strict=True))
    # A group ends only where the next text did not fit.
    for size, following in zip(sizes, groups[1:], strict=False):
        assert size + len(following[0][1]) > limit


def test_the_index_lists_every_sample_with_the_runs_that_lack_an_answer(folder: Path) -> None:
    index = taken(folder, "index")
    assert [(run["model"], run["answered"], run["owed"]) for run in index["runs"]] == [
        ("honest", 4, 6),
        ("hostile", 4, 6),
    ]
    samples = [(index["videos"][video][0], index["tasks"][task], lacking) for video, task, *lacking in index["samples"]]
    assert samples == [
        ("v0", "cause", []),
        ("v0", "timestamp", []),
        ("v1", "cause", []),
        ("v1", "timestamp", []),
        ("v2", "cause", [0, 1]),
        ("v2", "timestamp", [0, 1]),
    ]
    assert index["classes"] == ["", "5-1"]


def test_a_video_is_where_the_index_says_with_its_tracks_and_answers(folder: Path) -> None:
    index = taken(folder, "index")
    for video, _, chunk, place in index["videos"]:
        assert taken(folder, f"chunk-{chunk}")[place]["video"] == video
    v0, v1, v2 = taken(folder, "chunk-0")
    assert v0["moments"] == [[1.0, 1.6], [2.8, 3.2]]
    assert v0["curve"] == [[0.0, 0.0], [1.0, 1.0], [4.0, 0.2]]
    assert (v0["end"], v1["curve"]) == (4.0, [])
    honest, hostile = v0["runs"]["0"], v0["runs"]["1"]
    assert (honest["said"], hostile["said"]) == ([[1.0, 2.0]], [[0.0, 4.0]])
    assert [(track["view"], track["cut"]) for track in honest["tracks"]] == [
        ("full", []),
        ("anomaly", [[1.0, 1.6], [2.8, 3.2]]),
    ]
    assert "".join(hostile["answers"]["cause"]["full"]["text"]) == HOSTILE
    assert v2["runs"]["0"]["answers"]["cause"]["full"]["error"]["stage"] == "decode"


def test_key_sentences_are_found_by_the_judge_else_by_shared_words(folder: Path) -> None:
    v0 = taken(folder, "chunk-0")[0]
    judged, unjudged = (v0["runs"][run]["answers"]["cause"]["full"] for run in "01")
    assert (judged["by"], unjudged["by"]) == ("judge", "words")
    # The scripted judge takes "late," for another word than "late"; by shared words the third sentence is found.
    assert judged["found"] == [1, 1, 0]
    assert shared_words(KEYS, "".join(judged["text"])) == [True, True, True]
    assert unjudged["found"] == [0, 0, 0]
    assert judged["judge"]["anomeval/coverage"] == {"values": [1, 1, 0], "why": REASON}
    assert "judge" not in unjudged
    assert v0["tasks"]["cause"]["keys"] == list(KEYS)
    assert v0["tasks"]["timestamp"]["keys"] == []


def test_the_edited_answer_is_stored_as_its_difference(folder: Path) -> None:
    answers = taken(folder, "chunk-0")[0]["runs"]["0"]["answers"]["cause"]
    assert answers["anomaly"]["difference"] == ["=" + "".join(answers["full"]["text"]), "+ or not"]
    assert "text" not in answers["anomaly"]


def test_the_steps_of_an_answer_are_handed_over_as_recorded(folder: Path) -> None:
    honest, hostile = (taken(folder, "chunk-0")[0]["runs"][run]["answers"]["cause"] for run in "01")
    assert hostile["full"]["steps"] == hostile["anomaly"]["steps"] == STEPS
    assert "steps" not in honest["full"]


def test_an_answer_about_a_video_of_the_training_says_so(tmp_path: Path) -> None:
    run = small_run("m", text="a car", spans="[1, 2]")
    first, *others = run.results.answers
    answers = (first.model_copy(update={"trained_on": True}), *others)
    write_page([replace(run, results=run.results.model_copy(update={"answers": answers}))], tmp_path / "page")
    shown = taken(tmp_path / "page", "chunk-0")[0]["runs"]["0"]["answers"]
    noted = {(question, view): one.get("trained", False) for question in shown for view, one in shown[question].items()}
    assert [place for place, mark in noted.items() if mark] == [(first.id.partition("/")[2], first.view)]


def test_a_thought_in_an_answer_is_shown_among_its_steps(tmp_path: Path) -> None:
    run = small_run(
        "m", text="<think>A bus?</think>a car turns late", spans="[THINK]0 to 1?[/THINK][1, 2]", steps=STEPS
    )
    write_page([run], tmp_path / "page")
    shown = taken(tmp_path / "page", "chunk-0")[0]["runs"]["0"]
    assert "".join(shown["answers"]["cause"]["full"]["text"]) == "a car turns late"
    assert shown["answers"]["cause"]["full"]["steps"] == {**STEPS, "thought": "A bus?"}
    assert shown["said"] == [[1.0, 2.0]]


def test_the_spans_on_the_axis_are_those_that_were_scored(tmp_path: Path) -> None:
    """A judge read what the rules could not: the axis shows what counted."""
    run = small_run("m", text="a car", spans="soon after the beginning")
    judged = Reading(spans=((0.5, 1.5),), by="a-judge")
    scored = tuple(
        one.model_copy(update={"reading": judged}) if one.task == "timestamp" else one for one in run.scores[0].scores
    )
    write_page([replace(run, scores=(run.scores[0].model_copy(update={"scores": scored}),))], tmp_path / "page")
    assert taken(tmp_path / "page", "chunk-0")[0]["runs"]["0"]["said"] == [[0.5, 1.5]]


def test_answers_that_are_empty_or_were_cut_off_are_counted_with_the_run(tmp_path: Path) -> None:
    run = small_run("cut", text="<think>A bus", spans="[1, 2]")
    answers = [one.model_copy(update={"finish": "length"}) for one in run.results.answers]
    write_page([replace(run, results=run.results.model_copy(update={"answers": tuple(answers)}))], tmp_path / "page")
    (counted,) = taken(tmp_path / "page", "index")["runs"]
    assert (counted["answered"], counted["empty"], counted["cut_off"]) == (4, 2, 4)


def test_the_page_says_of_judges_what_boards_say(folder: Path, tmp_path: Path) -> None:
    asked_none, unjudged = taken(folder, "index")["runs"]
    not_known = "the judge was asked no controls, so how well it tells right answers from wrong ones is not known"
    assert asked_none["notes"] == [f"cause: anomeval: {not_known}", f"cause: gpt: {not_known}"]
    assert unjudged["notes"] == []
    failed = disqualified(story()[0])
    write_page([failed], tmp_path / "page")
    (shown,) = taken(tmp_path / "page", "index")["runs"]
    on_board = board(group_submissions([submission(failed.scores[0])], task="cause")[0]).notes
    assert len(shown["notes"]) == 2
    for note in shown["notes"]:
        assert "is not qualified, and takes no rank" in note
        assert any(note.removeprefix("cause: ") in text for text in on_board)


def disqualified(run: Run) -> Run:
    """A run as if its judge had failed its controls."""
    failed = Qualification(n=8, floor=1.0, ceiling=1.0, auc=0.5, interval=(0.5, 0.5))
    scores = run.scores[0]
    summaries = (
        one.model_copy(update={"signature": f"{one.signature}|qualified:no", "qualification": failed})
        if one.judged
        else one
        for one in scores.summaries
    )
    return replace(run, scores=(scores.model_copy(update={"summaries": tuple(summaries)}),))


def test_scores_are_those_of_the_metric(folder: Path) -> None:
    index = taken(folder, "index")
    place = next(i for i, m in enumerate(index["metrics"]) if (m["task"], m["column"]) == ("cause", "rouge2"))
    truth = rouge(
        reference="a car turns late and nobody gives way", candidate="a car turns late, so nobody gives way"
    ).rouge2
    stored = taken(folder, "chunk-0")[0]["runs"]["0"]["answers"]["cause"]["full"]["scores"][str(place)]
    assert stored == pytest.approx(truth, abs=1e-6)
    assert taken(folder, f"metric-{place}")[0][0] == round(10_000 * truth)
    assert taken(folder, f"metric-{place}")[2] == [0, 0]  # v2 has no answer, which counts as on boards
    assert index["metrics"][index["main"]["cause"]]["column"] == "rouge2"  # the judge has read one of the runs alone
    assert index["metrics"][index["main"]["timestamp"]]["column"] == "iou"


def test_no_markup_stands_in_the_data(folder: Path) -> None:
    for path in (folder / "data").iterdir():
        assert "<" not in path.read_text(encoding="utf-8")
        assert "\u2028" not in path.read_text(encoding="utf-8")


def test_an_answer_cut_within_a_character_can_be_looked_at(tmp_path: Path) -> None:
    run = small_run("cut", text="a car", spans="[1, 2]")
    answers = [one.model_copy(update={"answer": "a car \ud83d"}) for one in run.results.answers]
    cut = replace(run, results=run.results.model_copy(update={"answers": tuple(answers)}))
    write_page([cut], tmp_path / "page")
    assert "a car ?" in str(taken(tmp_path / "page", "chunk-0"))


def test_videos_are_linked_by_annotation_or_by_name(folder: Path) -> None:
    v0, v1, v2 = taken(folder, "chunk-0")
    assert (folder / v0["media"]).resolve().name == "v0.mp4"
    assert (folder / v1["media"]).resolve().name == "v1.mp4"
    assert v2["media"] is None


def test_a_page_is_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    page, other = tmp_path / "page", tmp_path / "other"
    write_page(story(), page)
    again = write_page([small_run("one", text="a car", spans="[1, 2]")], page)
    assert (len(again.videos), again.answers) == (3, 6)
    assert len(taken(page, "index")["runs"]) == 1
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="something else"):
        write_page(story(), other)
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]
    with pytest.raises(UsageError, match="nothing to look at"):
        write_page([], tmp_path / "empty")


def test_the_same_runs_give_the_same_bytes(tmp_path: Path) -> None:
    pages = [write_page(story(), tmp_path / name, Videos(annotations())).folder for name in ("one", "two")]
    one, two = ({p.relative_to(page): p.read_bytes() for p in page.rglob("*") if p.is_file()} for page in pages)
    assert one == two


def test_the_scripts_name_every_view() -> None:
    """Without a name, the answers about a view would not be shown at all."""
    named = {
        script: re.findall(r"^\s+(\w+): \"", (STATIC / script).read_text().partition(start)[2].partition("};")[0], re.M)
        for script, start in (("store.js", "Ecva.VIEWS = {"), ("answers.js", "const EDITED = {"))
    }
    assert named == {"store.js": list(VIEWS), "answers.js": [view for view in VIEWS if view != "full"]}
    assert tuple(VIEW_NAMES) == VIEWS


def test_a_description_is_shown_as_it_is_scored(tmp_path: Path) -> None:
    given = answer("v0", "a car", task="description", reference="a car skids,][it hits a wall")
    other = answer("v0", "a car", reference="a[0][1]")
    made = results([given, other], expects={"full": ("v0/description", "v0/cause")})
    folder = write_page([Run(made, ())], tmp_path / "page").folder
    tasks = taken(folder, "chunk-0")[0]["tasks"]
    assert [tasks[task]["reference"] for task in ("description", "cause")] == ["a car skids, it hits a wall", "a[0][1]"]
