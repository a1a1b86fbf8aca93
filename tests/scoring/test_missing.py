"""A missing answer counts as the worst in those columns alone that its sample has a value in, for whoever answers."""

from __future__ import annotations

import pytest

import ecva_bench as eb
from ecva_bench.journal.results import read_results
from ecva_bench.leaderboard.values import sample_values
from ecva_bench.records.answers import SampleAnnotation
from ecva_bench.scoring.score import score_results

from .build import answer, failure, moments, results
from .judges import RuleJudge

PLACED, PLAIN = "A man falls in the street.", "A dog runs."


def knows_claims(name, payload):
    if name == "claims-told-ours":
        return [int(not claim.startswith("where") or "street" in claim) for claim in payload["claims"]]
    return [2] * len(payload["claims"])


def scored(there, missing, scorer, judge=None, **told):
    """Scores by column of a run that has `there`, and owes `missing` besides, of which `told` is annotated."""
    known = {one: SampleAnnotation(**fields) for one, fields in told.pop("annotated", {}).items()}
    run = results(there, expects={"full": (*(one.id for one in there), *missing)}, annotated=known, **told)
    scores = score_results(run, scorers=[scorer], judge=judge and RuleJudge(judge), draws=10)
    for one in scores.summaries:
        sample_values(scores, one)  # boards take the same mean of the same samples, or say so
    return {one.column: one for one in scores.summaries}


def test_of_claims_a_missing_answer_owes_the_kinds_that_its_reference_tells_of():
    there = [answer("v", "yes", reference=PLACED), answer("w", "yes", reference=PLAIN)]
    told = {"x/cause": {"reference": PLAIN}, "y/cause": {"reference": PLACED}}
    found = scored(there, told, "claims", knows_claims, annotated=told)
    assert {name: one.zero_filled for name, one in found.items()} == {
        "claims": 2 / 4,
        "claims_what": 2 / 4,
        "claims_who": 2 / 4,
        "claims_where": 1 / 2,  # of v and y
        "claims_false": 2 / 4,
    }
    assert found["claims_where"].exempt == ("x/cause",)
    assert [(one.n, one.expected) for one in (found["claims_where"], found["claims"])] == [(1, 2), (2, 4)]
    assert not found["claims_who"].exempt


def test_a_missing_answer_of_which_nothing_is_known_counts_everywhere():
    found = scored([answer("v", "yes", reference=PLACED)], ["x/cause"], "claims", knows_claims)
    assert {one.zero_filled for one in found.values()} == {1 / 2}


def test_where_the_judge_cannot_be_reached_for_a_missing_answer_it_counts_everywhere():
    def silent(name, payload):
        return None if any(PLAIN in claim for claim in payload["claims"]) else knows_claims(name, payload)

    told = {"x/cause": {"reference": PLAIN}}
    there = [answer("v", "yes", reference=PLACED)]
    assert scored(there, told, "claims", silent, annotated=told)["claims"].exempt == ("x/cause",)  # unreadable: for all

    class Down(RuleJudge):
        def ask(self, calls):
            lost = eb.Verdict(None, reason="connection failed", passing=True)
            return [
                lost if any(PLAIN in c for c in call.payload["claims"]) else super(Down, self).ask([call])[0]
                for call in calls
            ]

    run = results(
        there, expects={"full": ("v/cause", "x/cause")}, annotated={"x/cause": SampleAnnotation(reference=PLAIN)}
    )
    found = score_results(run, scorers=["claims"], judge=Down(knows_claims), draws=10)
    assert {(one.exempt, one.zero_filled) for one in found.summaries} == {((), 1 / 2)}


def test_without_an_annotated_key_sentence_only_what_needs_one_is_not_owed():
    there = [answer("v", "said", reference="said", key_sentences=("said",))]
    told = {"x/cause": {"reference": "a text"}}

    def agrees(name, payload):
        return [1] * len(payload["key_sentences"]) if name == "coverage" else [5 if name == "logic" else 1]

    found = scored(there, told, "anomeval", agrees, annotated=told)
    assert {name: found[name].zero_filled for name in ("coverage", "s1", "s2", "logic")} == {
        "coverage": 1,
        "s1": 1,
        "s2": 1 / 2,
        "logic": 2.5,
    }


def test_of_severities_a_missing_answer_owes_what_its_annotation_has():
    curve = ((0.0, 0.0), (5.0, 1.0), (10.0, 0.0))
    text = "0 5 2\n5 10 9"
    both = {"task": "severity", "reference": "r", "duration": 10.0, "curve": curve, "moments": moments((5, 10))}
    there = [answer("v", text, **both)]
    told = {
        "spans/severity": {"reference": "[2, 4]", "moments": moments((2, 4))},
        "curve/severity": {"reference": "0:0 5:1", "curve": curve},
        "normal/severity": {"reference": "none"},
    }
    alone = scored(there, [], "severity")
    found = scored(there, told, "severity", annotated=told)
    share = {name: one.zero_filled / alone[name].zero_filled for name, one in found.items() if alone[name].zero_filled}
    owed = {"v/severity", *told}
    assert found["parsed"].zero_filled == 1 / 4
    assert share["highlight_ap"] == share["hit1"] == share["closeness"] == 1 / 2
    assert share["frame_ap"] == share["iou_half"] == 1 / 2
    assert set(found["spearman"].exempt) == owed - {"v/severity", "curve/severity"}
    assert set(found["frame_auc"].exempt) == owed - {"v/severity", "spans/severity"}


@pytest.mark.parametrize(("known", "counted"), [((0.0, 10.0), 1 / 2), (None, 1)])
def test_a_video_without_a_moment_is_owed_no_span(known, counted):
    there = [answer("v", "2 to 4 seconds", task="timestamp", reference="[2, 4]", moments=moments((2, 4)))]
    told = {"x/timestamp": {"reference": "r", "moments": moments(known) if known else ()}}
    assert scored(there, told, "timestamp", annotated=told)["iou"].zero_filled == counted


def test_another_view_of_the_question_tells_what_is_annotated():
    there = [
        answer("v", "yes", reference=PLACED),
        answer("x", "yes", reference=PLAIN, view="blank"),
    ]
    run = results(there, expects={"full": ("v/cause", "x/cause"), "blank": ("x/cause",)})
    scores = score_results(run, scorers=["claims"], judge=RuleJudge(knows_claims), draws=10)
    found = {(one.view, one.column): one.zero_filled for one in scores.summaries}
    assert (found["full", "claims_where"], found["full", "claims"]) == (1, 1 / 2)


def test_errors_of_a_run_say_what_is_annotated_and_scoring_reads_it(tmp_path):
    out = tmp_path / "run.jsonl"
    eb.run(Failing, tasks="cause", limit=3, out=out)
    read = read_results(out)
    (annotation,) = [one for one in eb.load_dataset("mini").annotations if one.video == "mini02"]
    told = read.annotated["mini02/cause"]
    assert (told.reference, told.key_sentences) == (annotation.cause, annotation.key_sentences)
    assert failure("v").annotated is None  # and older files, which do not say it, are read


class Failing(eb.Adapter):
    def answer(self, video, question):
        if "mini02" in str(video.path):
            raise ValueError("broken")
        return "A car."

    def describe(self):
        return {"version": 1}
