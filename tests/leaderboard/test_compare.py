"""Comparisons of two scored runs: against planted differences, by hand, and on the authors' released answers."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ecva_bench.errors import ResultsError, UsageError
from ecva_bench.leaderboard.compare import compare_runs
from ecva_bench.leaderboard.comparison_tables import comparison_sentence, comparison_tables
from ecva_bench.leaderboard.forms import as_text
from ecva_bench.records.answers import Lacking
from ecva_bench.scoring.files import read_scores_of, write_scores
from ecva_bench.scoring.score import score_results
from ecva_bench.statistics.comparisons import holm
from tests.leaderboard.scored import compare_scores, scored
from tests.scoring.build import answer, label, results


def two(gains, **header):
    base = {f"v{number:03}": 0.5 for number in range(len(gains))}
    new = {name: 0.5 + gain for name, gain in zip(base, gains, strict=True)}
    return scored({"cause": base}), scored({"cause": new}, **header)


def compared(gains):
    base, new = two(gains)
    return compare_scores(base=base, new=new)


def test_a_planted_difference_is_found_with_its_interval():
    gains = np.random.default_rng(0).normal(0.03, 0.1, size=150)
    (effect,) = compared(gains.tolist()).effects
    error = gains.std(ddof=1) / np.sqrt(150)
    assert effect.difference == pytest.approx(gains.mean())
    assert effect.interval == pytest.approx((gains.mean() - 1.976 * error, gains.mean() + 1.976 * error), abs=1e-3)
    assert effect.detectable == pytest.approx((1.96 + 0.8416) * error, rel=0.03)
    assert (effect.base, effect.new) == (pytest.approx(0.5), pytest.approx(0.5 + gains.mean()))
    assert (effect.n, effect.videos, effect.p < 0.01) == (150, 150, True)


def test_the_table_says_what_could_have_been_seen():
    found = compared(np.random.default_rng(0).normal(0.03, 0.1, size=150).tolist())
    (table, *_) = comparison_tables([found])
    (row,) = table.rows
    assert row[table.header.index("detectable")].value == pytest.approx(100 * found.effects[0].detectable)
    assert comparison_tables([found])[1].header == ("video", "move", "most in", "base", "new")
    assert any("detectable" in note and "at 5 %, uncorrected" in note for note in table.notes)


def test_more_answers_that_were_cut_off_are_told_whichever_run_has_them():
    base, new = two([0.0] * 10)
    assert not compare_scores(base=base, new=new).shortfalls
    cut = scored({"cause": {f"v{number:03}": 0.5 for number in range(10)}}, cut_off=4, empty=1)
    notes = comparison_tables([compare_scores(base=cut, new=new)])[0].notes
    assert "beware: cut off answers of cause: 4 of 10 in the base, 0 of 10 in the new run" in notes
    assert "beware: empty answers of cause: 1 of 10 in the base, 0 of 10 in the new run" in notes
    assert len(compare_scores(base=base, new=cut).shortfalls) == 2


def test_the_other_way_round_every_sign_turns():
    gains = np.random.default_rng(1).normal(0.02, 0.1, size=60).tolist()
    base, new = two(gains)
    there, back = compare_scores(base=base, new=new).effects[0], compare_scores(base=new, new=base).effects[0]
    assert back.difference == pytest.approx(-there.difference)
    assert back.interval == pytest.approx((-there.interval[1], -there.interval[0]), abs=1e-3)
    assert back.p == pytest.approx(there.p, abs=2e-3)


def test_p_values_are_corrected_for_all_that_is_compared():
    random = np.random.default_rng(2)
    names = [f"v{number}" for number in range(80)]
    tasks = ("cause", "description", "effect")
    base = scored({task: dict.fromkeys(names, 0.5) for task in tasks})
    values = {task: dict(zip(names, (0.515 + random.normal(0, 0.08, 80)).tolist(), strict=True)) for task in tasks}
    found = compare_scores(base=base, new=scored(values))
    assert [effect.name for effect in found.effects] == ["description/gated", "cause/gated", "effect/gated"]
    assert [effect.p_holm for effect in found.effects] == holm([effect.p for effect in found.effects])
    (alone,) = compare_scores(base=base, new=scored(values), tasks=["cause"]).effects
    assert alone.p_holm == alone.p == found.effects[1].p


def test_runs_are_joined_by_id_whatever_their_order():
    base, new = two([0.1, 0.2, -0.3, 0.0, 0.05, 0.4])
    shuffled = new.model_copy(update={"scores": new.scores[::-1]})
    assert compare_scores(base=base, new=shuffled) == compare_scores(base=base, new=new)


def test_the_seed_is_recorded_and_moves_the_interval_a_little():
    base, new = two(np.random.default_rng(3).normal(size=30).tolist())
    one, other = compare_scores(base=base, new=new, seed=1), compare_scores(base=base, new=new, seed=2)
    assert (one.seed, other.seed, one.draws) == (1, 2, 10_000)
    assert one.effects[0].interval != other.effects[0].interval
    assert one.effects[0].interval == pytest.approx(other.effects[0].interval, abs=0.03)
    assert compare_scores(base=base, new=new, seed=1) == one


def test_ten_videos_that_moved_most_either_way():
    gains = [0.01] * 30
    gains[7], gains[21], gains[3] = -0.4, 0.3, 0.2
    found = compared(gains)
    assert [mover.video for mover in found.movers[:3]] == ["v007", "v021", "v003"]
    assert len(found.movers) == 10
    assert (found.movers[0].base, found.movers[0].new) == (0.5, pytest.approx(0.1))
    usual = np.sqrt(np.mean(np.square(gains)))
    assert found.movers[0].move == pytest.approx(0.4 / usual)
    assert compared([0.0] * 8).movers == ()


def test_a_move_counts_by_what_is_usual_for_the_metric():
    """A point of 20 is as much as a twentieth of 1: no unit drowns another."""
    names = [f"v{number}" for number in range(10)]
    small = {name: 0.5 + 0.01 * (name == "v4") for name in names}
    large = {name: 10 + 1.0 * (name == "v6") for name in names}
    base = scored({"cause": dict.fromkeys(names, 0.5), "effect": dict.fromkeys(names, 10.0)})
    found = compare_scores(base=base, new=scored({"cause": small, "effect": large}))
    moves = {mover.video: mover.move for mover in found.movers}
    assert moves == {"v4": pytest.approx(moves["v6"]), "v6": pytest.approx(np.sqrt(10) / 2)}


FULL = {f"v{number}": 0.5 for number in range(8)}


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (scored({"cause": {**FULL, "v3": None}}), "7 of 8 answered"),
        (scored({"cause": {**FULL, "v9": 0.1}}), "9 samples"),
        (scored({"cause": FULL}, unscored=("v1",)), "v1/cause"),
        (scored({"effect": FULL}), "not scored"),
    ],
)
def test_unequal_sets_are_refused_with_the_way_out(new, message):
    with pytest.raises(UsageError, match=message) as error:
        compare_scores(base=scored({"cause": FULL}), new=new, on="all")
    assert "--on owed" in str(error.value)


def test_what_both_owe_is_compared_and_a_missing_answer_is_at_its_worst():
    base = scored({"cause": {**FULL, "v1": None}, "effect": FULL})
    new = scored({"cause": {**FULL, "v2": None, "v3": 0.9, "v9": 1.0}})
    found = compare_scores(base=base, new=new)
    (effect,) = found.effects
    assert (effect.name, effect.n, found.apart) == ("cause/gated", 8, {"cause/gated": 1})
    assert effect.difference == pytest.approx((0.5 - 0.5 + 0.4) / 8)  # v1, v2, v3
    assert "cause/gated: 1 sample left out, for only one of the runs has them" in comparison_tables([found])[0].notes


def test_one_metric_of_each_task_is_compared_unless_others_are_named():
    def run(value):
        one, other = (scored({"cause": dict.fromkeys(FULL, value)}, column=name) for name in ("rouge1", "rouge2"))
        values = [{**score.values, "rouge1": value} for score in other.scores]
        both = [s.model_copy(update={"values": own}) for s, own in zip(other.scores, values, strict=True)]
        return other.model_copy(update={"summaries": (*one.summaries, *other.summaries), "scores": tuple(both)})

    base, new = run(0.25), run(0.5)
    assert [one.name for one in compare_scores(base=base, new=new).effects] == ["cause/rouge2"]
    found = compare_scores(base=base, new=new, metrics=["all"])
    assert [one.name for one in found.effects] == ["cause/rouge1", "cause/rouge2"]


def test_of_several_runs_each_pair_is_compared_and_p_values_are_corrected_for_all():
    random = np.random.default_rng(1)
    names = [f"v{number}" for number in range(40)]
    values = [dict(zip(names, random.normal(mean, 0.1, 40).tolist(), strict=True)) for mean in (0.4, 0.5, 0.51)]
    runs = [scored({"cause": one}, model=f"m{n}", name=f"r{n}") for n, one in enumerate(values)]
    found = compare_runs(runs)
    assert [(one.base.model, one.new.model) for one in found] == [("m0", "m1"), ("m0", "m2"), ("m1", "m2")]
    raw = [one.effects[0].p for one in found]
    assert raw == [compare_scores(base=runs[a], new=runs[b]).effects[0].p for a, b in ((0, 1), (0, 2), (1, 2))]
    assert [one.effects[0].p_holm for one in found] == holm(raw)
    (table,) = comparison_tables(found)
    assert [row[0].text for row in table.rows] == ["m1", "m2", "m2"]
    first, _, last = map(comparison_sentence, found)
    assert re.search(r"m1 is better than m0 in cause \(gated \d+\.\d+ against \d+\.\d+ %: \+\d+", first)
    assert "no difference between m2 and m1 is shown in cause" in last
    assert "3 comparisons" in first


def test_a_pair_that_shares_nothing_is_left_out_and_named_while_others_are_compared():
    both, cause, effect = (
        scored(dict.fromkeys(tasks, FULL), model=f"m{n}", name=f"r{n}", results_sha256=str(n) * 64)
        for n, tasks in enumerate((("cause", "effect"), ("cause",), ("effect",)))
    )
    for runs in ([both, cause, effect], [cause, effect, both]):
        found = compare_runs(runs)
        assert [one.effects[0].name for one in found] == ["cause/gated", "effect/gated"]
        told = [note for note in comparison_tables(found)[0].notes if note.startswith("not compared")]
        assert told == ["not compared, for they share no sample or metric: m2 (r2) against m1 (r1)"]
    assert not any("not compared" in note for note in comparison_tables(compare_runs([both, cause]))[0].notes)
    alone = scored({"timestamp": FULL}, name="alone")
    with pytest.raises(UsageError, match="no sample or metric with any other: alone"):
        compare_runs([both, alone, cause])


def test_runs_over_two_data_sets_are_said_to_share_no_sample_however_they_were_scored():
    other = {f"w{number}": 0.5 for number in range(8)}
    new = scored({"cause": other}, signature="anomeval|judge:y|v:1", dataset_sha256="2" * 64)
    with pytest.raises(UsageError, match="no sample was scored in both"):
        compare_scores(base=scored({"cause": FULL}), new=new)


def test_the_intersection_is_what_both_answered():
    base = scored({"cause": {**FULL, "v1": 0.9, "v2": None}})
    new = scored({"cause": {**FULL, "v3": None, "v9": 0.0}})
    (effect,) = compare_scores(base=base, new=new, on="intersection").effects
    assert effect.n == 6  # v0, v1, v4 to v7
    assert effect.difference == pytest.approx(-0.4 / 6)
    with pytest.raises(UsageError, match="share no metric"):
        compare_scores(base=base, new=scored({"effect": FULL}), on="intersection")


def test_an_answer_that_both_lack_counts_as_the_worst_in_both():
    base, new = (scored({"cause": {**FULL, "v0": None, "v1": value}}) for value in (0.5, 0.7))
    (effect,) = compare_scores(base=base, new=new).effects
    assert effect.n == 8
    assert effect.base == pytest.approx(0.5 * 7 / 8)


def test_other_arithmetic_is_refused_and_other_prompts_are_told():
    base, _ = two([0.0] * 6)
    with pytest.raises(UsageError, match="judge:x in the base, judge:y"):
        compare_scores(
            base=base,
            new=two([0.0] * 6)[1].model_copy(
                update={
                    "summaries": scored(
                        {"cause": {f"v{n:03}": 0.5 for n in range(6)}}, signature="anomeval|judge:y|v:1"
                    ).summaries
                }
            ),
        )
    found = compare_scores(
        base=base.model_copy(update={"header": base.header.model_copy(update={"prompts": {"cause": ("a" * 64,)}})}),
        new=two([0.0] * 6, prompts={"cause": ("b" * 64,)})[1],
    )
    assert [mismatch.field for mismatch in found.mismatches] == ["prompts"]
    told = "beware: prompts of cause: aaaaaaaaaaaa in the base, bbbbbbbbbbbb in the new run"
    assert told in as_text(comparison_tables([found])[0])


def test_runs_of_one_model_with_and_without_words_for_times_are_told():
    def told(model, **spec):
        """What is said of a run with words for times, of some model, beside one of `m` without."""
        answers = [answer(f"v{n}", "A car burns.", prompt_sha256="a" * 64) for n in range(4)]
        runs = [results(answers, model="m", spec={"prompts": {"cause": {}}}), results(answers, model=model, spec=spec)]
        base, new = (score_results(run, scorers=["rouge"], draws=10) for run in runs)
        return [mismatch.text for mismatch in compare_scores(base=base, new=new).mismatches]

    words = {"times": " Frames are at 0.0 s."}
    said = ["prompts of cause: alone in the base, with times: Frames are at 0.0 s. in the new run"]
    assert told("m", prompts={"cause": {"with": words}}) == said
    assert told("m", prompts={"cause": {}}, description=words) == said  # times=words: in the questions of every task
    assert told("m", prompts={"cause": {}, "timestamp": {"with": words}}) == []
    assert told("other", prompts={"cause": {"with": words}}) == []


def test_metrics_are_chosen_by_name_and_unknown_ones_named():
    base, new = two([0.0] * 6)
    assert len(compare_scores(base=base, new=new, metrics=["cause/gated"]).effects) == 1
    with pytest.raises(UsageError, match="available: gated"):
        compare_scores(base=base, new=new, metrics=["rougeL"])
    with pytest.raises(UsageError, match="leave out --task"):
        compare_scores(base=base, new=new, tasks=["timestamp"])


def test_scores_are_found_beside_the_answers_and_must_be_theirs(tmp_path):
    run, _ = two([0.0] * 6)
    results = tmp_path / "run.jsonl"
    results.write_text("answers\n")
    write_scores(run, tmp_path / "run.scores.jsonl")
    assert read_scores_of(tmp_path / "run.scores.jsonl").scores == run.scores
    with pytest.raises(ResultsError, match="of other answers"):
        read_scores_of(results)
    (tmp_path / "run.scores.jsonl").unlink()
    with pytest.raises(ResultsError, match="no scores file"):
        read_scores_of(results)


def test_a_clear_difference_on_few_videos_stays_clear_however_much_is_compared():
    """14 videos, 19 columns, a loss of half the scale: what the number of draws resolves must not hide it."""
    random = np.random.default_rng(8)
    names = [f"v{number}" for number in range(14)]
    columns = {f"task{place}": dict.fromkeys(names, 0.5) for place in range(19)}
    lost = {task: {name: random.normal(0.02, 0.01) for name in names} for task in columns}
    found = compare_scores(base=scored(columns), new=scored(lost))
    assert len(found.effects) == 19
    assert max(effect.p_holm for effect in found.effects) == pytest.approx(19 * 2 * 0.5**14)


def test_what_differs_is_one_sentence_however_many_columns_differ():
    both, one = scored({"cause": FULL, "effect": FULL}), scored({"timestamp": FULL})
    with pytest.raises(UsageError, match=r"cause/gated: [^;]*, and 2 more\)"):
        compare_scores(base=both, new=one, on="all")


def test_values_that_are_lost_are_named_by_the_file_that_lost_them(tmp_path):
    other, run = two([0.1, 0.2, 0.3])
    write_scores(run, tmp_path / "short.scores.jsonl")
    path = tmp_path / "short.scores.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ResultsError, match=r"short\.scores\.jsonl"):
        compare_scores(base=read_scores_of(path), new=other)
    with pytest.raises(ResultsError, match="there is no such scores file"):
        read_scores_of(tmp_path / "none.jsonl")


def test_answers_that_could_not_be_read_are_counted_by_why():
    annotated = {"task": "classification", "label": label(5)}
    runs = [
        score_results(results([answer(str(n), text, **annotated) for n, text in enumerate(texts)]))
        for texts in (["[5]", "[5] or [6]", "[12]"], ["[5]", "[6]", "It is [5]."])
    ]
    found = compare_scores(base=runs[0], new=runs[1])
    assert [(one.task, one.base, one.new, one.base_of) for one in found.unread] == [
        ("classification", {"ambiguous": 1, "out of range": 1}, {}, 3)
    ]
    shown = as_text(comparison_tables([found])[0])
    assert "classification answers not read: base 2 (1 ambiguous, 1 out of range) of 3, new 0 of 3" in shown


def lacking(*parts, of=4):
    return Lacking(parts=parts, of=of)


def test_a_run_that_lacks_parts_says_so():
    """Also where nobody knows what the absent part owed, so that both seem to be whole."""
    base, new = two([0.1, 0.2, -0.3, 0.0, 0.05, 0.4], lacking=lacking(2))
    with pytest.raises(UsageError, match=r"parts of the run: whole in the base, part 2 of 4 is absent in the new run"):
        compare_scores(base=base, new=new, on="all")
    found = compare_scores(base=base, new=new)
    assert "beware: run is not the whole run: part 2 of 4 is absent" in as_text(comparison_tables([found])[0])
    both = [one.model_copy(update={"header": new.header}) for one in (base, new)]
    assert (
        as_text(comparison_tables([compare_scores(base=both[0], new=both[1])])[0]).count("part 2 of 4 is absent") == 2
    )
    assert "absent" not in as_text(comparison_tables([compared([0.1, 0.2])])[0])
