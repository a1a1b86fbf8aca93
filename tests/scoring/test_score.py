"""Counting and averaging, against counts made by hand; and what a scores file must be."""

from __future__ import annotations

import math
import random
from importlib.metadata import EntryPoint

import pytest

from ecva_bench import registry
from ecva_bench.errors import ResultsError, ScoringError, UsageError
from ecva_bench.scoring.files import read_scores, scores_path, write_scores
from ecva_bench.scoring.floor import rotate_references
from ecva_bench.scoring.score import score_results
from ecva_bench.scoring.scorer import Column, Scorer
from tests.sealing import reseal

from .build import answer, failure, item, label, moments, results

RIGHT = {"task": "classification", "label": label(5), "reference": "5-1"}


def classified(*texts, **fields):
    return results([answer(f"v{n}", text, **RIGHT) for n, text in enumerate(texts)], **fields)


def summary(scores, column):
    return next(one for one in scores.summaries if one.column == column)


def test_every_sample_is_counted_before_any_mean():
    owed = tuple(f"v{n}/cause" for n in range(8))
    given = [answer("v0", "a text"), answer("v1", " </s> "), answer("v2", "b"), answer("v2", "c"), answer("x", "d")]
    run = results(given, expects={"full": owed}, failures=(failure("v3"), failure("v4"), failure("v0")))
    (coverage,) = score_results(run).coverage
    assert coverage.owed == coverage.samples == 8
    assert (coverage.answered, coverage.failed, coverage.missing) == (3, 2, 3)
    assert (coverage.empty, coverage.extra, coverage.duplicates) == (1, 1, 1)
    assert "cut_off" not in coverage.model_dump()  # so that a file without such answers is what it was


def test_answers_that_were_cut_off_are_counted_as_answers():
    given = [answer("v0", "", finish="length"), answer("v1", "a car", finish="max_tokens"), answer("v2", "a car")]
    (coverage,) = score_results(results(given)).coverage
    assert (coverage.answered, coverage.cut_off, coverage.empty) == (3, 2, 1)


def test_a_thought_is_scored_by_nobody_but_the_published_arithmetic():
    spoken = classified("[5]", "[5]")
    thinking = classified("<think>[1] or [2]?</think>[5]", "[THINK]Not [3].[/THINK]\n\n[5]</s>")
    found, truth = score_results(thinking), score_results(spoken)
    assert [score.values for score in found.scores] == [score.values for score in truth.scores]
    assert summary(found, "accuracy").mean == 1
    assert summary(score_results(thinking, protocol="ecva-2024"), "accuracy").mean == 0
    told = results([answer("v0", "<reasoning>A red dog?</reasoning>a car hits a wall", reference="a car hits a wall")])
    assert summary(score_results(told), "rougeL").mean == 1


def test_the_mean_is_over_the_answered_and_zero_filled_over_the_owed():
    run = classified("[5]", "[5]", "[4]", expects={"full": tuple(f"v{n}/classification" for n in range(6))})
    accuracy = summary(score_results(run), "accuracy")
    assert (accuracy.n, accuracy.expected, accuracy.hits) == (3, 6, 2)
    assert accuracy.mean == pytest.approx(2 / 3)
    assert accuracy.zero_filled == pytest.approx(2 / 6)
    assert accuracy.zero_filled_interval[1] < accuracy.interval[1]


def test_the_first_of_two_answers_counts():
    run = classified("[5]", "[5]")
    both = run.model_copy(update={"extra": (answer("v0", "[1]", **RIGHT),)})
    scores = score_results(both)
    assert summary(scores, "accuracy").mean == 1
    assert scores.coverage[0].duplicates == 1
    assert scores.coverage[0].extra == 0


def test_what_the_annotation_lacks_is_unscored_for_everyone():
    run = results([answer("a", "[5]", **RIGHT), answer("b", "[5]", task="classification", reference="shooting")])
    scores = score_results(run)
    accuracy = summary(scores, "accuracy")
    assert (accuracy.n, accuracy.expected, accuracy.unscorable) == (1, 1, 1)
    assert accuracy.reasons == {"no class annotated": 1}
    unscored = next(score for score in scores.scores if score.video == "b")
    assert (unscored.status, unscored.reason, unscored.values) == ("unscored", "no class annotated", {})


def test_an_empty_answer_scores_zero_and_nothing_answered_has_no_mean():
    scores = score_results(results([answer("a", "</s>")]))
    assert summary(scores, "bleu").mean == 0
    nothing = score_results(results([], expects={"full": ("a/cause", "b/cause")}))
    assert (summary(nothing, "bleu").mean, summary(nothing, "bleu").zero_filled) == (None, 0)


def test_views_and_tasks_are_never_mixed():
    given = [
        answer("a", "x", reference="x"),
        answer("a", "y", view="anomaly", reference="x"),
        answer("a", "[5]", **RIGHT),
    ]
    scores = score_results(results(given))
    assert [(one.task, one.view) for one in scores.coverage] == [
        ("cause", "anomaly"),
        ("cause", "full"),
        ("classification", "full"),
    ]
    assert {one.view: one.mean for one in scores.summaries if one.column == "rouge1"} == {"anomaly": 0, "full": 1}
    only = score_results(results(given), tasks=["reason"])
    assert {one.task for one in only.coverage} == {"cause"}


def test_extra_answers_count_only_where_the_protocol_says_so():
    run = classified("[5]").model_copy(update={"extra": (answer("x", "[4]", **RIGHT),)})
    assert summary(score_results(run), "accuracy").n == 1
    published = score_results(run, protocol="ecva-2024")
    assert summary(published, "accuracy").mean == 0.5
    assert published.coverage[0].samples_sha256 == score_results(run).coverage[0].samples_sha256


def test_order_does_not_matter(released):
    run = released["video_llama_reason"]
    few = run.model_copy(update={"answers": run.answers[:120]})
    mixed = few.model_copy(update={"answers": tuple(random.Random(1).sample(few.answers, 120))})
    assert score_results(few, draws=100) == score_results(mixed, draws=100)


def test_the_floor_gives_every_answer_another_reference():
    batch = [item(f"text {n}", f"reference {n}", video=f"v{n}") for n in range(20)]
    rotated = rotate_references(batch, seed=0)
    assert [one.candidate for one in rotated] == [one.candidate for one in batch]
    assert sorted(one.reference for one in rotated) == sorted(one.reference for one in batch)
    assert all(one.reference != other.reference for one, other in zip(batch, rotated, strict=True))
    assert rotate_references(batch, seed=1) != rotated


def test_the_floor_of_answers_that_fit_only_their_own_reference_is_zero():
    given = [answer(f"v{n}", f"word{n}", reference=f"word{n}") for n in range(5)]
    rouge1 = summary(score_results(results(given)), "rouge1")
    assert (rouge1.mean, rouge1.floor) == (1, 0)


@pytest.mark.parametrize(
    ("prompt", "n"), [("ours/timestamp.v1", 1), ("ours/timestamp.v7", 1), ("authors/timestamp.v1", 0)]
)
def test_bare_numbers_are_seconds_where_our_prompt_asked_for_them(prompt, n):
    given = [answer("a", "[1, 2]", task="timestamp", moments=moments((1, 2)), reference="[1, 2]")]
    spec = {"prompts": {"timestamp": {"id": prompt, "sha256": "0"}}}
    scores = score_results(results(given, spec=spec))
    assert summary(scores, "parsed").hits == n
    assert next(one for one in scores.aggregates if one.column == "no_unit").value == 1 - n
    assert summary(score_results(results(given, spec=spec), timestamp_unit="minutes"), "parsed").hits == 1


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"protocol": "ecva-2023"}, "did you mean 'ecva-2024'"),
        ({"scorers": ["blue"]}, "did you mean 'bleu'"),
        ({"scorers": ["timestamp"]}, "nothing to score"),
        ({"tasks": ["effect"]}, "nothing to score"),
        ({"tasks": ["efect"]}, "did you mean 'effect'"),
    ],
)
def test_what_cannot_be_met_is_refused_with_a_remedy(request_, message):
    with pytest.raises(UsageError, match=message):
        score_results(results([answer("a", "x")]), **request_)


class Faulty(Scorer):
    name = "faulty"
    tasks = ("cause",)
    columns = (Column("x", "a column"),)
    gives: tuple[dict[str, float], ...] = ()

    def score(self, batch):
        return list(self.gives)


@pytest.mark.parametrize(("gives", "message"), [((), "0 scores for 1 item"), (({"x": float("nan")},), "nan")])
def test_a_faulty_scorer_is_named_and_not_averaged(monkeypatch, gives, message):
    monkeypatch.setattr(Faulty, "gives", gives)
    with pytest.raises(ScoringError, match=message) as caught:
        score_results(results([answer("a", "x")]), scorers=[Faulty])
    assert "faulty" in str(caught.value)


def test_a_value_the_scorer_leaves_out_is_unscored_and_never_zero(monkeypatch):
    monkeypatch.setattr(Faulty, "gives", ({"x": 1.0}, {}))
    run = results([answer("a", "x"), answer("b", "y")], expects={"full": ("a/cause", "b/cause", "c/cause")})
    x = summary(score_results(run, scorers=[Faulty]), "x")
    assert (x.n, x.unscored, x.expected, x.mean, x.zero_filled) == (1, 1, 3, 1.0, 0.5)
    # Where it gives no value at all, the missing alone are no mean: a metric that was not to be had is not 0.
    monkeypatch.setattr(Faulty, "gives", ({}, {}))
    x = summary(score_results(run, scorers=[Faulty]), "x")
    assert (x.n, x.unscored, x.expected, x.mean, x.zero_filled, x.zero_filled_interval) == (0, 2, 3, None, None, None)


def test_an_entry_point_that_is_no_scorer_is_refused(monkeypatch):
    other = EntryPoint("other", "builtins:dict", "ecva_bench.scorers")
    monkeypatch.setattr(registry, "entry_points", lambda group: [other])
    with pytest.raises(UsageError, match=r"other \(dict in builtins\) is no scorer: it has no score\(batch\)"):
        score_results(results([answer("a", "x")]), scorers=["other"])


def as_written(scores, path):
    return scores.model_copy(update={"source": str(path), "header": scores.header.model_copy(update={"sealed": True})})


def test_a_scores_file_holds_all_of_the_scores_and_is_the_same_each_time(tmp_path):
    scores = score_results(classified("[5]", "[4]", "none"))
    path = tmp_path / "deep" / "run.scores.jsonl"
    write_scores(scores, path)
    first = path.read_bytes()
    assert read_scores(path) == as_written(scores, path)
    write_scores(scores, path)
    assert path.read_bytes() == first
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_no_character_of_a_text_ends_a_line_of_the_file(tmp_path):
    said = "".join(map(chr, [0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x85, 0x2028, 0x2029]))
    scores = score_results(results([answer("v", f"a{said}car"), answer("w", "a car", reference=said)], model=said))
    write_scores(scores, tmp_path / "run.scores.jsonl")
    assert read_scores(tmp_path / "run.scores.jsonl").scores == scores.scores


def test_a_scores_file_cut_at_any_line_is_refused(tmp_path):
    whole, cut = tmp_path / "run.scores.jsonl", tmp_path / "cut.scores.jsonl"
    write_scores(score_results(results([answer("a", "a car"), answer("b", "a car", reference="")])), whole)
    lines = whole.read_bytes().splitlines(keepends=True)
    for end in range(1, len(lines)):
        cut.write_bytes(b"".join(lines[:end]))
        with pytest.raises(ResultsError, match="the scores are not whole"):
            read_scores(cut)


def test_scores_of_another_protocol_go_to_another_file(tmp_path):
    assert scores_path(tmp_path / "run.jsonl", "standard").name == "run.scores.jsonl"
    assert scores_path(tmp_path / "run.jsonl", "ecva-2024").name == "run.ecva-2024.scores.jsonl"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no scores file"),
        ("not json\n", "no scores file"),
        ("[1]\n", "no scores file"),
        ('{"type":"run","schema":"ecva.results/1"}\n', "no scores file"),
        ('{"type":"scores"}\n', "no scores file"),
    ],
)
def test_another_file_is_refused_as_scores(tmp_path, text, message):
    path = tmp_path / "other.jsonl"
    path.write_text(text)
    with pytest.raises(ResultsError, match=message):
        read_scores(path)


def test_a_newer_record_type_is_passed_over_and_a_newer_major_version_refused(tmp_path):
    scores = score_results(classified("[5]", "[4]"))
    path = tmp_path / "run.scores.jsonl"
    write_scores(scores, path)
    text = path.read_text()
    path.write_text(text + '{"type":"novelty","x":1}\n')
    reseal(path)
    assert read_scores(path) == as_written(scores, path)
    path.write_text(text.replace("ecva.scores/1", "ecva.scores/2"))
    reseal(path)
    with pytest.raises(ResultsError, match=r"ecva\.scores/2"):
        read_scores(path)


def test_a_folder_that_cannot_be_written_to_is_an_error_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="--out"):
        write_scores(score_results(classified("[5]")), tmp_path / "file" / "run.scores.jsonl")


def test_descriptions_of_several_moments_are_one_text_but_for_the_published_arithmetic():
    """CUVA parts them by `][`, which no model says; a text without is what the annotator wrote."""
    written, said = "a car skids on ice,][ it hits a wall of bricks", "a car skids on ice, it hits a wall of bricks"
    given = results([answer("v", said, task="description", reference=written)])
    means = {
        protocol: score_results(given, scorers=["bleu"], protocol=protocol).summaries[0].mean
        for protocol in ("standard", "ecva-2024")
    }
    # Of 11 words one differs: n-grams shared are 10, 8, 6 and 4 of 11, 10, 9 and 8.
    raw = math.prod((10 / 11, 8 / 10, 6 / 9, 4 / 8)) ** 0.25
    assert means == {"standard": pytest.approx(1.0), "ecva-2024": pytest.approx(raw)}
    cause = results([answer("v", said, task="cause", reference=written)])
    assert score_results(cause, scorers=["bleu"]).summaries[0].mean == pytest.approx(raw)
