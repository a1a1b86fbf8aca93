"""What every scorer must keep: one tester, all registered scorers, both protocols; networks on tiny random weights."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecva_bench.reading.text import SPECIAL_TOKENS, strip_special_tokens
from ecva_bench.scoring import get_scorer
from ecva_bench.scoring.factory import available
from ecva_bench.scoring.protocol import PROTOCOLS, ModelSettings
from ecva_bench.scoring.score import score_results

from .build import answer, item, label, moments, results
from .judges import RuleJudge
from .references import REFERENCES
from .tiny import SAVE

# Networks in float32 give digits beyond this to the batch and the order of sums.
EXACT = 1e-6
SYMMETRIC = ("rouge", "moverscore")
ASYMMETRIC = ("bleu", "bleurt", "unieval", "unieval-sum")
CANDIDATES = [
    "",
    " \n ",
    "a car hits a wall",
    "A CAR hits</s>",
    "[5]",
    "class 10",
    "[0, 12] [30, 40]",
    "00:10 to 00:20",
    "[12, 3]",
    "车祸发生在路口",
    "\x00\ud83d\ude97",
    "word " * 2000,
    "hits a wall a car",
]


def batch(task):
    references = ["a car hits a wall", "fire", "a man falls", "车祸"]
    return [
        item(
            text,
            references[n % 4],
            video=f"v{n}-normal",
            task=task,
            label=label(1 + n % 11),
            moments=moments((0, 10 + n), (30, 45)),
            key_sentences=("a car", "a wall"),
            others={"anomaly": CANDIDATES[n - 1], "control": "a car"},
            options=tuple(references) if task == "choice" else (),
            duration=60.0,
            twins={f"v{n}": item("a car hits a wall", "a car hits the wall", video=f"v{n}", task=task)},
        )
        for n, text in enumerate(CANDIDATES)
    ]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    return {name: save(folder / name) for name, save in SAVE.items()}


@pytest.fixture(autouse=True)
def empty_score_cache(tmp_path, monkeypatch):
    """A function that forgets what networks have said."""
    places = (str(tmp_path / str(number)) for number in range(10**6))
    monkeypatch.setenv("ECVA_CACHE", next(places))
    return lambda: monkeypatch.setenv("ECVA_CACHE", next(places))


@pytest.fixture(scope="module")
def models(checkpoints):
    return {name: ModelSettings(checkpoint=str(folder), device="cpu") for name, folder in checkpoints.items()}


# Of networks only BLEURT computes anything else under another protocol.
UNCHANGED = ("moverscore", "unieval", "unieval-sum")
PARAMS = [(n, p) for n in available() for p in PROTOCOLS if p == "standard" or n not in UNCHANGED]


@pytest.fixture(params=PARAMS, ids="-".join)
def scorer(request, models):
    name, protocol = request.param
    return get_scorer(name, replace(PROTOCOLS[protocol], models=models), RuleJudge(expectations=True))


@pytest.fixture(params=available())
def standard(request, models):
    """Every scorer, under the standard protocol."""
    return get_scorer(request.param, replace(PROTOCOLS["standard"], models=models), RuleJudge())


def near(value):
    return pytest.approx(value, abs=EXACT, rel=0)


def certain(scorer, value):
    """The columns that do not depend on the batch: what a judge's endpoint returns beside its verdicts may."""
    optional = {column.name for column in scorer.columns if column.optional}
    return {name: number for name, number in value.items() if name not in optional}


def test_values_are_finite_in_range_and_under_the_declared_names(scorer):
    for task in scorer.tasks:
        items = batch(task)
        for one, value in zip(items, scorer.score(items), strict=True):
            owed = {column.name for column in scorer.columns if not column.optional}
            known = value.keys() | scorer.gaps(one).keys()
            assert owed <= known <= {column.name for column in scorer.columns}
            assert not value.keys() & scorer.gaps(one).keys()
            for column in (column for column in scorer.columns if column.name in value):
                assert column.low <= value[column.name] <= column.high
                assert math.isfinite(value[column.name])
                assert not column.binary or value[column.name] in (0, 1)


def test_values_are_those_of_an_independent_reference(standard, checkpoints):
    items = [one for one in batch(standard.tasks[0]) if "\ud83d" not in one.candidate]
    compared = 0
    for one, value in zip(items, standard.score(items), strict=True):
        expected = REFERENCES[standard.name](one, checkpoints.get(standard.name))
        expected = {name: number for name, number in expected.items() if name not in standard.gaps(one)}
        assert {name: value[name] for name in expected} == pytest.approx(expected, abs=5e-6)
        compared += len(expected)
    assert compared >= 4


def test_a_batch_scores_as_its_items_do_one_by_one_and_in_any_order(scorer, empty_score_cache):
    items = batch(scorer.tasks[0])
    together = scorer.score(items)
    empty_score_cache()
    order = random.Random(0).sample(range(len(items)), len(items))
    mixed = scorer.score([items[place] for place in order])
    assert [mixed[order.index(place)] for place in range(len(items))] == together
    for one, value in zip(items, together, strict=True):
        empty_score_cache()
        (alone,) = scorer.score([one])
        assert certain(scorer, alone) == near(certain(scorer, value))
    assert scorer.score([]) == []


def test_an_item_that_comes_twice_gets_its_values_twice(scorer):
    one, other = batch(scorer.tasks[0])[2:4]
    (alone,) = scorer.score([other])
    first, second, third = scorer.score([one, other, one])
    assert first == third
    assert certain(scorer, second) == near(certain(scorer, alone))


@pytest.mark.parametrize("tail", ["</s>", " </s> ", "<|im_end|>\n"])
def test_what_a_decoder_leaves_behind_the_answer_changes_nothing(standard, models, tail):
    task = standard.tasks[0]
    fields = {"task": task, "label": label(5), "moments": moments((0, 10)), "key_sentences": ("a car",)}
    said = [
        ("a car hits a wall", "v0"),
        ("class 5: 00:02 to 00:08", "v0-normal"),
        ("[5]", "v1"),
        ("A car.", "v1-normal"),
    ]

    def values(ending):
        run = results([answer(video, text + ending, **fields) for text, video in said])
        scores = score_results(run, scorers=[standard.name], models=models, judge=RuleJudge(), draws=10)
        return [score.values for score in scores.scores]

    plain = values("")
    assert values(tail) == plain
    assert len(plain) == sum(standard.counts(video) for _, video in said) >= 2


def test_swapped_arguments_are_told_where_the_order_matters(models):
    for name in (*SYMMETRIC, *ASYMMETRIC):
        scorer = get_scorer(name, replace(PROTOCOLS["standard"], models=models))
        texts = "a car hits a wall. Fire.", "car hits the"
        forth, back = scorer.score([item(*texts, video="a"), item(*texts[::-1], video="b")])
        assert (forth == near(back)) is (name in SYMMETRIC), name


def test_empty_and_blank_answers_get_nothing(standard):
    if standard.name == "bleurt":
        pytest.skip("BLEURT's zero is not its worst: the network says what an empty answer is worth")
    task = standard.tasks[0]
    fields = {"task": task, "label": label(5), "moments": moments((0, 10)), "key_sentences": ("a car",)}
    empty = standard.score([item(text, "a car hits a wall", **fields) for text in ("", " \n ")])
    assert empty[0] == empty[1]
    assert all(value == 0 for value in empty[0].values())


def test_aggregates_are_those_declared(scorer):
    items = batch(scorer.tasks[0])
    summary = scorer.summary(items, scorer.score(items))
    # Where a second reader is, sub-classes are named, options are rotated, there are both classes, normal videos.
    at_times = {"read_by_judge", "accuracy_sub", "sub_named", "consistent", "constant_answer", "missed", "flagged"}
    at_times |= {"segments_unparsed"}  # where an answer names a segment
    at_times |= {column.name for column in scorer.aggregates if column.blind}  # some fit some options only
    assert summary.keys() | at_times == {column.name for column in scorer.aggregates} | at_times
    for column in (column for column in scorer.aggregates if column.name in summary):
        assert column.low <= summary[column.name] <= column.high


def test_the_signature_names_the_scorer_its_version_and_what_differs(scorer):
    parts = scorer.signature().split("|")
    assert parts[0] == scorer.name
    assert parts[-1].startswith("v:")
    models = scorer.protocol.models
    protocols = [replace(protocol, models=models) for protocol in PROTOCOLS.values()]
    signatures = {get_scorer(scorer.name, protocol, RuleJudge()).signature() for protocol in protocols}
    assert len(signatures) == len(PROTOCOLS)


def test_higher_is_better_in_every_column_but_the_control_and_those_of_false_claims(scorer):
    lower = {column.name for column in scorer.columns if not column.higher_is_better}
    assert lower <= {"s3_control", "claims_false"} or (scorer.name.startswith("twins") and "pairs_right" not in lower)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(text=st.text(max_size=60))
def test_any_text_has_a_finite_score(scorer, text):
    one = item(text, "a car hits a wall", task=scorer.tasks[0], label=label(5), moments=moments((0, 10)))
    assert all(math.isfinite(value) for value in scorer.score([one])[0].values())


@given(st.lists(st.sampled_from([*SPECIAL_TOKENS, "a", " ", "<b>", "</"]), max_size=12).map("".join))
def test_no_special_token_is_left_and_nothing_else_is_lost(text):
    cleaned = strip_special_tokens(text)
    without = text
    for token in SPECIAL_TOKENS:
        without = without.replace(token, " ")
    assert cleaned.split() == without.split()
    assert cleaned == cleaned.strip()
