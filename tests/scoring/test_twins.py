"""What is counted over twins, by hand; ROUGE-L by its own package; intervals by drawing clips."""

from __future__ import annotations

import pytest
from rouge_score.rouge_scorer import RougeScorer

from ecva_bench.errors import UsageError
from ecva_bench.leaderboard.values import sample_values
from ecva_bench.records.twins import kind_of, original_of, twins_of
from ecva_bench.scoring.score import score_results
from ecva_bench.statistics.intervals import bootstrap_interval

from .build import answer, failure, results
from .judges import RuleJudge

TRUTH = {"": "yes", "-normal": "no", "-context": "no"}


def detected(*said: str, clip: str = "v", truth: dict[str, str] = TRUTH):
    """Answers about a clip and its twins, in the order of `truth`; an empty one is not given."""
    return [
        answer(f"{clip}{kind}", text, task="detection", reference=right)
        for text, (kind, right) in zip(said, truth.items(), strict=True)
        if text
    ]


def told(video: str, text: str, reference: str):
    return answer(video, text, task="cause", reference=reference)


def column(scores, name):
    return next(one for one in scores.summaries if one.column == name)


def twins(run, **options):
    return score_results(run, scorers=["twins"], **options)


@pytest.mark.parametrize(
    ("video", "kind", "original"),
    [
        ("mini01", "", "mini01"),
        ("mini01-normal", "normal", "mini01"),
        ("day/cam-1-context", "context", "day/cam-1"),
        ("normal", "", "normal"),
        ("-normal", "", "-normal"),
        ("v-Normal", "", "v-Normal"),
        ("19-1", "", "19-1"),
    ],
)
def test_an_id_tells_which_twin_a_video_is(video: str, kind: str, original: str) -> None:
    assert (kind_of(video), original_of(video)) == (kind, original)
    assert {original_of(one) for one in twins_of(original)} == {original}


@pytest.mark.parametrize(
    ("said", "right", "alarm"),
    [
        (("Yes", "No", "No"), 1, 0),
        (("Yes.", "No, nothing abnormal.", "Yes"), 0, 0),
        (("Yes", "Yes", "Yes"), 0, 1),
        (("No", "No", "No"), 0, 0),
        (("Yes", "I cannot say", "No"), 0, 0),
    ],
)
def test_a_clip_is_right_where_all_its_videos_are(said: tuple[str, ...], right: int, alarm: int) -> None:
    scores = twins(results([*detected(*said), *detected("Yes", "No", "No", clip="w")]))
    assert (column(scores, "pairs_right").hits, column(scores, "pairs_right").n) == (right + 1, 2)
    assert column(scores, "normal_alarm").mean == alarm / 2
    assert {score.video for score in scores.scores} == {"v-normal", "w-normal"}
    assert column(scores, "pairs_right").floor is None


def test_a_missing_answer_makes_its_clip_wrong_and_is_counted_once() -> None:
    owed = {"full": tuple(f"{clip}{kind}/detection" for clip in "vwxy" for kind in TRUTH)}
    given = [
        *detected("Yes", "No", "No"),
        *detected("Yes", "No", "", clip="w"),
        *detected("Yes", "", "No", clip="x"),
        *detected("", "No", "", clip="y"),
    ]
    failed = [failure("w-context", task="detection"), failure("x-normal", task="detection")]
    scores = twins(results(given, expects=owed, failures=tuple(failed)))
    pairs = column(scores, "pairs_right")
    assert (pairs.n, pairs.expected, pairs.mean, pairs.zero_filled) == (1, 4, 1.0, 0.25)
    assert pairs.gaps == {"no answer about w-context": 1, "no answer about y": 1}
    alarm = column(scores, "normal_alarm")
    assert alarm.zero_filled == 0.25  # of x nothing is known, which counts as an alarm
    assert sample_values(scores, alarm) == {f"{clip}-normal/detection": float(clip == "x") for clip in "vwxy"}


def test_a_set_with_normal_twins_alone_has_pairs_of_two() -> None:
    scores = twins(results(detected("Yes", "No", truth={"": "yes", "-normal": "no"})))
    assert column(scores, "pairs_right").hits == 1
    alone = twins(results(detected("No", truth={"-normal": "no"})))
    assert {one.column for one in alone.summaries} == {"normal_alarm"}


def test_free_text_is_the_same_or_tells_the_clips_text() -> None:
    texts = {
        "v": "a red car hits a wall",
        "v-normal": "a red car stops before the wall",
        "v-context": "a toy car hits foam",
    }
    said = {"v": "a red car hits  a wall", "v-normal": "a red car hits a wall", "v-context": "a toy car on foam"}
    scores = twins(results([told(video, said[video], texts[video]) for video in texts]))
    rouge = RougeScorer(["rougeL"], use_stemmer=True)

    def similarity(of: str, reference: str) -> float:
        return float(rouge.score(texts[reference], said[of])["rougeL"].fmeasure)

    assert column(scores, "same_answer_normal").mean == 1
    assert column(scores, "same_answer_context").mean == 0
    for kind in ("normal", "context"):
        twin = f"v-{kind}"
        claims = similarity(twin, "v") - similarity(twin, twin)
        assert column(scores, f"claims_{kind}").mean == pytest.approx(claims, abs=1e-12)
    assert column(scores, "claims_normal").mean > 0 > column(scores, "claims_context").mean


def test_an_answer_in_another_script_makes_no_claim_that_words_could_show() -> None:
    scores = twins(results([told("v", "a car", "a car hits"), told("v-normal", "汽车停下", "a car stops")]))
    assert column(scores, "same_answer_normal").mean == 0
    assert "claims_normal" not in {one.column for one in scores.summaries}
    (score,) = scores.scores
    assert "no Latin letter" in score.gaps["claims_normal"]


def test_without_twins_there_is_nothing_to_score() -> None:
    run = results([told("v", "a car", "a car"), told("w", "a car", "a dog")])
    assert {score.scorer for score in score_results(run).scores} == {"bleu", "rouge"}
    assert "twins" not in {one.scorer for one in score_results(run, scorers=["all"]).summaries}
    with pytest.raises(UsageError, match="nothing to score"):
        twins(run)


def test_intervals_of_every_metric_draw_a_clip_together_with_its_twins() -> None:
    given = [
        told(f"{clip}{kind}", text, "a car hits a wall")
        for clip, text in zip("vwxy", ("a car", "a wall hits", "nothing", "a car hits a wall"), strict=True)
        for kind in TRUTH
    ]
    scores = score_results(results(given), scorers=["rouge"], seed=3)
    values = {score.video: score.values["rougeL"] for score in scores.scores}
    drawn = bootstrap_interval(list(values.values()), [video[0] for video in values], seed=3)
    apart = bootstrap_interval(list(values.values()), list(values), seed=3)
    assert column(scores, "rougeL").interval == drawn != apart


def test_a_judge_says_of_normal_twins_whether_the_clips_anomaly_is_claimed() -> None:
    texts = {"v": "a car hits a wall", "v-normal": "a car stops", "w": "a dog bites", "w-normal": "a dog sleeps"}
    said = {"v": "it hits", "v-normal": "the car hits a wall", "w": "it bites", "w-normal": " "}
    judge = RuleJudge(lambda name, payload: [int("hits" in payload["candidate"])])
    run = results([told(video, said[video], texts[video]) for video in texts])
    scores = score_results(run, scorers=["twins-judge"], judge=judge)
    claimed = column(scores, "claimed_normal")
    assert (claimed.n, claimed.mean, claimed.higher_is_better) == (2, 0.5, False)
    sent = {"event": "a car hits a wall", "candidate": "the car hits a wall"}
    assert judge.calls == [("claims-anomaly", sent)]  # an empty answer claims nothing, and nobody is asked
    silent = score_results(run, scorers=["twins-judge"], judge=RuleJudge(lambda name, payload: None))
    silence = f"judge: {RuleJudge.SILENCE}; no answer to this question can be scored"
    assert column(silent, "claimed_normal").gaps == {silence: 1}


def test_a_judge_is_asked_where_there_are_twins_and_the_clips_text_is_known() -> None:
    judge = RuleJudge(lambda name, payload: [0] * len(payload.get("key_sentences", [0])))
    run = results([told("v", "it hits", "a car hits"), told("v-normal", "it stops", "a car stops")])
    assert "twins-judge" in {score.scorer for score in score_results(run, judge=judge).scores}
    plain = results([told("v", "it hits", "a car hits")])
    assert "twins-judge" not in {score.scorer for score in score_results(plain, judge=judge).scores}
    alone = score_results(results([told("v-normal", "x", "y")]), scorers=["twins-judge"], judge=judge)
    (summary,) = alone.summaries
    assert (summary.n, summary.reasons) == (0, {"the clip is not among the videos asked about": 1})
    owed = {"full": ("v/cause", "v-normal/cause")}
    missing = score_results(results([told("v-normal", "x", "y")], expects=owed), scorers=["twins-judge"], judge=judge)
    assert column(missing, "claimed_normal").zero_filled == 1
