"""The gate: its rules, its promises in simulation, what it refuses, and what CI services are told."""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import ResultsError, UsageError
from ecva_bench.leaderboard.gate import LEVEL, gate, noise_floors, read_margins, verdict_of
from ecva_bench.leaderboard.gate_report import _rounded_up, gate_cases, gate_tables
from ecva_bench.leaderboard.github import SUMMARY_BYTES, as_annotations, step_summary
from ecva_bench.leaderboard.history import remember, sparkline
from ecva_bench.leaderboard.junit import as_junit
from ecva_bench.leaderboard.table import Cell, Table
from ecva_bench.leaderboard.verdict import Case, exit_code, worst
from ecva_bench.records.answers import Lacking
from ecva_bench.statistics.paired import paired_bootstrap
from tests.leaderboard.scored import scored

VIDEOS = 200
TASKS = ("description", "cause", "effect")
NOISE = 0.08
DRAWS = 400


def verdicts(differences):
    """The gate's verdicts on differences [draws, videos, tasks], without a margin."""
    names = [f"v{number}" for number in range(differences.shape[1])]
    base = scored({task: dict.fromkeys(names, 0.33) for task in TASKS})
    for draw in 0.33 + differences:
        new = {task: dict(zip(names, draw[:, place].tolist(), strict=True)) for place, task in enumerate(TASKS)}
        yield gate(base=base, new=scored(new)).verdict


def noise(random, shape, *, shared=0.0):
    """Differences [draws, videos, questions] of deviation NOISE; `shared` of their variance is the video's."""
    own = random.normal(0, NOISE * math.sqrt(1 - shared), size=shape)
    return own + random.normal(0, NOISE * math.sqrt(shared), size=(*shape[:2], 1))


def failures(differences):
    """The share of draws [draws, videos, questions] in which one metric fails without a margin."""
    draws, videos, questions = differences.shape
    names = [f"v{number}" for number in range(videos) for _ in range(questions)]
    tests = (paired_bootstrap(draw.ravel().tolist(), names, seed=0).p_at_least(0.0) for draw in differences)
    return sum(p <= LEVEL for p in tests) / draws


@pytest.mark.slow
def test_a_drop_of_two_points_on_200_videos_is_found():
    """The whole gate, three tasks whose noise a video shares."""
    differences = noise(np.random.default_rng(1), (DRAWS, VIDEOS, len(TASKS)), shared=0.5) - 0.02
    assert list(verdicts(differences)).count("FAIL") / DRAWS >= 0.95


@pytest.mark.slow
def test_without_a_drop_the_gate_seldom_fails():
    """The same, and nothing is worse."""
    differences = noise(np.random.default_rng(2), (DRAWS, VIDEOS, len(TASKS)), shared=0.5)
    found = list(verdicts(differences))
    assert found.count("FAIL") / DRAWS <= 0.05
    assert "WARN" not in found


@pytest.mark.slow
def test_one_question_a_video_is_enough_to_find_the_drop():
    assert failures(noise(np.random.default_rng(3), (1000, VIDEOS, 1)) - 0.02) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize(("questions", "shared"), [(1, 0.0), (3, 0.5), (3, 0.9)])
def test_a_metric_seldom_fails_where_questions_of_a_video_share_noise(questions, shared):
    assert failures(noise(np.random.default_rng(4), (1000, VIDEOS, questions), shared=shared)) <= 0.05


@pytest.mark.slow
def test_tests_over_questions_as_if_independent_would_fail_far_too_often():
    """Why videos are drawn: with each question a cluster of its own, shared noise looks like a change."""
    differences = noise(np.random.default_rng(5), (500, VIDEOS, 3), shared=0.9)
    apart = differences.reshape(500, VIDEOS * 3, 1)
    assert failures(apart) > 0.1


def one(gains, *, margin=0.0, **options):
    """The gate's only check, on a run that differs by `gains` from a base of 0.5."""
    names = [f"v{number:03}" for number in range(len(gains))]
    base = scored({"cause": dict.fromkeys(names, 0.5)})
    new = scored({"cause": {name: 0.5 + gain for name, gain in zip(names, gains, strict=True)}})
    found = gate(base=base, new=new, margins={"gated": margin}, **options)
    (check,) = found.checks
    assert found.verdict == check.verdict
    return check


def spread(mean, n=100, deviation=0.02):
    """Values of exactly this mean and deviation."""
    values = np.random.default_rng(n).normal(size=n)
    return (mean + deviation * (values - values.mean()) / values.std()).tolist()


# The standard error is 0.002, so the one-sided bound at 4 % lies 0.0035 from the mean.
@pytest.mark.parametrize(
    ("mean", "margin", "expected"),
    [
        (-0.020, 0.000, "FAIL"),
        (-0.020, 0.010, "FAIL"),
        (-0.020, 0.018, "WARN"),
        (-0.020, 0.030, "WARN"),
        (-0.002, 0.010, "PASS"),
        (0.020, 0.000, "PASS"),
        (0.000, 0.002, "INCONCLUSIVE"),
        (-0.002, 0.000, "INCONCLUSIVE"),
    ],
)
def test_verdicts_follow_from_the_bounds(mean, margin, expected):
    check = one(spread(mean), margin=margin)
    assert check.verdict == expected
    upper, lower = mean + 1.75 * 0.002, mean - 1.75 * 0.002
    rule = {
        "FAIL": upper < -margin,
        "WARN": -margin <= upper < 0,
        "PASS": upper >= 0 and lower >= -margin,
        "INCONCLUSIVE": upper >= 0 and lower < -margin,
    }
    assert rule[check.verdict]
    assert check.gain == pytest.approx(mean)


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ((0.04, 0.04, 1), "FAIL"),
        ((0.041, 0.04, 0.001), "WARN"),
        ((1, 0.041, 0.04), "PASS"),
        ((1, 1, 0.041), "INCONCLUSIVE"),
    ],
)
def test_the_rules_in_their_order(p_values, expected):
    assert verdict_of(p_tolerated=p_values[0], p_no_loss=p_values[1], p_worse=p_values[2]) == expected


def test_equal_runs_pass_without_a_margin():
    check = one([0.0] * 40)
    assert check.verdict == "PASS"
    assert check.interval == (0, 0)


def test_a_column_that_is_better_when_lower_is_turned():
    names = [f"v{number}" for number in range(60)]
    base, new = (scored({"cause": dict(zip(names, spread(mean, 60), strict=True))}) for mean in (0.2, 0.3))
    lower = [
        run.model_copy(update={"summaries": (run.summaries[0].model_copy(update={"higher_is_better": False}),)})
        for run in (base, new)
    ]
    assert gate(base=base, new=new).verdict == "PASS"
    found = gate(base=lower[0], new=lower[1])
    assert found.verdict == "FAIL"
    assert found.checks[0].gain == pytest.approx(-0.1)


def test_holm_makes_each_of_many_checks_stricter():
    names = [f"v{number}" for number in range(100)]
    gains = spread(-0.0038)  # p is about 0.03
    base = {"cause": dict.fromkeys(names, 0.5)}
    new = {"cause": {name: 0.5 + gain for name, gain in zip(names, gains, strict=True)}}
    assert gate(base=scored(base), new=scored(new)).verdict == "FAIL"
    base["effect"] = dict.fromkeys(names, 0.5)
    new["effect"] = dict(zip(names, spread(0.5), strict=True))
    found = gate(base=scored(base), new=scored(new))
    assert [check.verdict for check in found.checks] == ["INCONCLUSIVE"] * 2


def test_the_videos_that_lost_are_named_and_no_others():
    assert one([-0.5, 0.0, -0.6, *[0.01] * 37]).worst == ("v002", "v000")


def test_of_several_checks_each_needs_more_videos_to_be_decided():
    """Two checks share the 4 %: 2.0537 + 0.8416 standard errors instead of 1.7507 + 0.8416."""
    names = [f"v{number:03}" for number in range(100)]
    moved = dict(zip(names, (0.5 + gain for gain in spread(0.0)), strict=True))
    both = dict.fromkeys(("cause", "effect"), moved)
    base = scored({task: dict.fromkeys(names, 0.5) for task in both})
    found = gate(base=base, new=scored(both), margins={"gated": 0.002})
    assert [check.needed for check in found.checks] == [pytest.approx(100 * 2.8953**2, rel=0.05)] * 2
    (table, *_) = gate_tables(found)
    assert [row[table.header.index("unit")].text for row in table.rows] == ["%", "%"]
    assert "one-sided at 4 %, corrected after Holm for 2 checks" in table.notes[0]


def test_an_undecided_check_says_what_would_decide_it():
    check = one(spread(0.0), margin=0.002)
    assert check.needed == pytest.approx(100 * ((1.75 + 0.84) * 0.002 / 0.002) ** 2, rel=0.05)
    again = one(spread(0.0, n=check.needed), margin=0.002)
    assert again.verdict == "PASS"
    told = one(spread(0.0))
    assert told.needed is None
    advice = re.search(r"--margin cause/gated=(\S+)", gate_cases(gate_of(spread(0.0)))[0].text)
    assert told.tolerable <= float(advice.group(1)) <= 1.1 * told.tolerable
    assert one(spread(0.0), margin=told.tolerable).verdict == "PASS"


def test_too_few_videos_are_inconclusive_whatever_they_show():
    check = one([-0.5, -0.6, -0.7])
    assert check.verdict == "INCONCLUSIVE"
    assert check.interval is None


def gate_of(gains, **options):
    names = [f"v{number:03}" for number in range(len(gains))]
    new = {name: 0.5 + gain for name, gain in zip(names, gains, strict=True)}
    return gate(base=scored({"cause": dict.fromkeys(names, 0.5)}), new=scored({"cause": new}), **options)


BASE = {"cause": {f"v{number}": 0.5 for number in range(10)}}


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (scored(BASE, dataset_sha256="b" * 64), "dataset"),
        (scored(BASE, videos={"v2": "a" * 16, "v3": "c" * 16}), "videos"),
        (scored(BASE, prompts={"cause": ("p2",)}), "prompts"),
        (scored(BASE, protocol="ecva-2024"), "protocol"),
        (scored(BASE, signature="anomeval|judge:y|v:1"), "scorer"),
        (scored({"cause": {**BASE["cause"], "v3": None}}), "coverage"),
        (scored({"cause": {**BASE["cause"], "v99": 0.5}}), "samples"),
        (scored(BASE, unscored=("v4",)), "unscored"),
        (scored({"effect": BASE["cause"]}), "metrics"),
    ],
)
def test_runs_that_do_not_compare_are_invalid_and_the_field_is_named(new, field):
    base = scored(BASE, prompts={"cause": ("p1",)}, videos={"v2": "a" * 16, "v3": "b" * 16, "v4": "b" * 16})
    if field != "prompts":
        new = new.model_copy(update={"header": new.header.model_copy(update={"prompts": {"cause": ("p1",)}})})
    found = gate(base=base, new=new)
    assert found.verdict == "INVALID"
    assert not found.checks
    assert field in {mismatch.field for mismatch in found.mismatches}
    assert {case.verdict for case in gate_cases(found)} == {"INVALID"}
    assert field in gate_tables(found)[0].rows[0][0].text
    if field == "videos":
        assert [one.where for one in found.mismatches] == ["the files (v3)"]
    on_what_both_have = gate(base=base, new=new, on="intersection") if field != "metrics" else None
    if field in ("coverage", "samples", "unscored"):
        assert on_what_both_have.verdict == "PASS"
        assert on_what_both_have.checks[0].n == (10 if field == "samples" else 9)
    elif on_what_both_have:
        assert on_what_both_have.verdict == "INVALID"


@pytest.mark.parametrize(
    ("base", "new", "named"),
    [
        ({}, {"cut_off": 1}, ["cut off answers of cause: 0 of 10 in the base, 1 of 10 in the new run"]),
        ({"cut_off": 9}, {"cut_off": 10}, ["cut off answers of cause: 9 of 10 in the base, 10 of 10 in the new run"]),
        ({"empty": 2}, {"empty": 3}, ["empty answers of cause: 2 of 10 in the base, 3 of 10 in the new run"]),
        ({"empty": 2, "cut_off": 3}, {"empty": 1}, []),
        ({"cut_off": 3}, {"cut_off": 3}, []),
    ],
)
def test_more_answers_that_are_empty_or_cut_off_are_a_reason_of_their_own(base, new, named):
    found = gate(base=scored(BASE, **base), new=scored(BASE, **new))
    assert (found.verdict, exit_code(found.verdict)) == ("WARN" if named else "PASS", 0)
    assert [f"{case.name}: {case.text}" for case in gate_cases(found) if case.verdict == "WARN"] == named
    notes = gate_tables(found)[0].notes
    assert [note for note in notes if note.startswith("WARN")] == [f"WARN: more {text}" for text in named]
    worse = gate(base=scored(BASE, **base), new=scored({"cause": dict.fromkeys(BASE["cause"], 0.1)}, **new))
    assert worse.verdict == "FAIL"
    assert len(gate_cases(worse)) == 1 + len(named)
    other = gate(base=scored(BASE, **base), new=scored(BASE, **new, dataset_sha256="b" * 64))
    assert other.verdict == "INVALID"
    assert len(gate_cases(other)) == 1 + len(named)


def test_the_judges_part_of_the_signature_is_named():
    found = gate(base=scored(BASE), new=scored(BASE, signature="anomeval|judge:y|v:1"))
    assert gate_tables(found)[0].notes == ("the two runs cannot be compared",)
    assert found.mismatches[0].text == "scorer of cause/anomeval: judge:x in the base, judge:y in the new run"


@given(margin=st.floats(1e-6, 1))
def test_an_advised_margin_has_two_digits_and_is_enough(margin):
    advised = _rounded_up(margin)
    assert margin <= float(advised) <= 1.101 * margin
    assert len(f"{float(advised):e}".split("e")[0].rstrip("0").replace(".", "")) <= 2


def test_calibration_raises_margins_to_what_equal_runs_differ_by():
    base, again, third = (scored({"cause": dict.fromkeys((f"v{n}" for n in range(20)), v)}) for v in (0.5, 0.52, 0.49))
    assert noise_floors([base, again, third], ["cause/gated"]) == {"cause/gated": pytest.approx(0.03)}
    assert noise_floors([base], ["cause/gated"]) == {}
    new = scored({"cause": {f"v{n}": 0.475 + 0.002 * (n % 2) for n in range(20)}})
    assert gate(base=base, new=new).verdict == "FAIL"
    found = gate(base=base, new=new, calibration=[again, third])
    assert found.verdict == "WARN"
    assert found.checks[0].tolerated == pytest.approx(0.03)
    assert gate(base=base, new=new, calibration=[again, third], margins={"gated": 0.05}).checks[0].tolerated == 0.05
    other = scored({"cause": {"v0": 0.5}})
    with pytest.raises(UsageError, match="cannot be compared"):
        gate(base=base, new=new, calibration=[other])


def test_what_is_asked_for_is_checked_before_anything_is_judged():
    run = scored(BASE)
    assert read_margins(["gated=0.005", "cause/s1=0"]) == {"gated": 0.005, "cause/s1": 0.0}
    for text in ("gated", "gated=much", ""):
        with pytest.raises(UsageError, match="is not a margin"):
            read_margins([text])
    for margins in ({"bleu": 0.1}, {"gated": -0.1}, {"gated": math.nan}):
        with pytest.raises(UsageError, match="margin"):
            gate(base=run, new=run, margins=margins)
    with pytest.raises(UsageError, match="available: gated"):
        gate(base=run, new=run, metrics=["bleu"])


def test_by_default_one_column_a_task_is_checked():
    run = scored(BASE)
    other = run.summaries[0].model_copy(update={"column": "s1"})
    values = tuple(score.model_copy(update={"values": {**score.values, "s1": 0.5}}) for score in run.scores)
    both = run.model_copy(update={"summaries": (other, *run.summaries), "scores": values})
    assert [check.name for check in gate(base=both, new=both).checks] == ["cause/gated"]
    assert [check.name for check in gate(base=both, new=both, metrics=["all"]).checks] == ["cause/s1", "cause/gated"]
    assert [check.name for check in gate(base=both, new=both, metrics=["s1"]).checks] == ["cause/s1"]


def test_the_sentence_of_a_failure_says_where_to_look():
    gains = [-0.3, -0.2, -0.1, *spread(-0.05, 57, 0.01)]
    classes = {"v000": "Fire", "v001": "Fire", **{f"v{n:03}": "Theft" for n in range(2, 60)}}
    found = gate_of(gains, classes=classes, margins={"gated": 0.005})
    (case,) = gate_cases(found)
    assert case.verdict == "FAIL"
    assert case.text.startswith("-5.75 pp [")
    assert "tolerated loss 0.50; n = 60 videos; worst class: Fire -25.00 (n = 2); see v000, v001, v002" in case.text
    assert [mover.video for mover in found.movers[:3]] == ["v000", "v001", "v002"]


VERDICTS = ("PASS", "INCONCLUSIVE", "WARN", "FAIL", "INVALID")


def test_exit_codes():
    assert [exit_code(verdict) for verdict in VERDICTS] == [0, 0, 0, 1, 2]
    assert [exit_code(verdict, strict=True) for verdict in VERDICTS] == [0, 3, 1, 1, 2]
    for size in (1, 2, 3):
        for some in itertools.permutations(VERDICTS, size):
            assert worst(some) == max(some, key=VERDICTS.index)


HOSTILE = '<b>&"]]>\x00\x1b[31m\ud800 50% ::error::\nsecond'


def cases():
    return [Case(name=f"cause/{verdict.lower()}", verdict=verdict, text=HOSTILE) for verdict in VERDICTS]


@pytest.mark.parametrize(("strict", "failures"), [(False, 1), (True, 3)])
def test_junit_has_a_test_case_per_check_and_survives_any_text(strict, failures):
    text = as_junit(cases(), suite="new against base", strict=strict)
    suite = ElementTree.fromstring(text.encode()).find("testsuite")  # noqa: S314 - our own text
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": str(failures), "errors": "1", "skipped": "0" if strict else "1"}
    found = {case.get("name"): [child.tag for child in case] for case in suite}
    assert found["pass"] == ["system-out"]
    assert found["warn"] == ["failure" if strict else "system-out"]
    assert found["fail"] == ["failure"]
    assert found["invalid"] == ["error"]
    assert {case.get("classname") for case in suite} == {"ecva-bench.cause"}
    assert "50% ::error::" in suite.find("testcase[@name='fail']/failure").text


def test_annotations_are_ten_at_most_the_worst_first_and_one_line_each():
    many = [Case(name=f"cause/{n}", verdict="WARN" if n % 2 else "FAIL", text=HOSTILE) for n in range(30)]
    lines = as_annotations([*many, Case(name="x", verdict="PASS", text="fine")])
    assert len(lines) == 10
    assert all(re.fullmatch(r"::(error|warning) title=[^:,]*::[^\n\r]*", line) for line in lines)
    assert all(line.startswith("::error") for line in lines[:9])
    assert "21 more cases" in lines[-1]
    assert "50%25 ::error::%0Asecond" in lines[0]
    assert as_annotations([Case(name="x", verdict="INCONCLUSIVE", text="few")]) == []


def test_a_summary_is_cut_where_github_would_refuse_it():
    row = (Cell("é" * 1000),)
    small, large = (Table(title="t", header=("a",), rows=(row,) * n) for n in (3, 1000))
    assert "Cut here" not in step_summary([small])
    text = step_summary([large])
    assert len(text.encode()) <= SUMMARY_BYTES
    assert text.endswith("verdict.json.\n")


def test_history_keeps_the_last_twenty_runs_and_draws_them(tmp_path):
    path = tmp_path / "kept" / "history.jsonl"
    for number in range(25):
        found = gate(base=scored(BASE), new=scored(BASE, results_sha256=f"{number:064}"))
        kept = remember(found, path)
        assert remember(found, path) == kept
    assert len(path.read_text().splitlines()) == 25
    assert {name: len(values) for name, values in kept.items()} == {"cause/gated": 20}
    assert gate_tables(found, kept)[0].rows[0][-1].text == "▅" * 20
    assert gate_tables(found)[0].header[-1] != "last runs"
    assert sparkline([0.0, 0.5, 1.0, 0.0]) == "▁▅█▁"
    assert sparkline([]) == ""
    for foreign in ("no json\n", '{"type":"run"}\n'):
        path.write_text(foreign)
        with pytest.raises(ResultsError, match="history"):
            remember(found, path)
        assert path.read_text() == foreign


def test_a_run_that_lacks_parts_passes_no_gate():
    base = scored({"cause": {f"v{number}": 0.5 for number in range(30)}})
    new = base.model_copy(update={"header": base.header.model_copy(update={"lacking": Lacking(parts=(2, 3), of=4)})})
    found = gate(base=base, new=new)
    assert found.verdict == "INVALID"
    assert [case.text for case in gate_cases(found)] == ["whole in the base, parts 2, 3 of 4 are absent in the new run"]
    shared = gate(base=base, new=new, on="intersection")
    assert shared.verdict == "PASS"
    assert any("not the whole run: parts 2, 3 of 4 are absent" in note for note in gate_tables(shared)[0].notes)
