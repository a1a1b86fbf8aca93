"""What every scorer must keep: one tester, all registered scorers, both protocols."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecva_bench.scoring import PROTOCOLS, available, get_scorer
from ecva_bench.scoring.text import SPECIAL_TOKENS, strip_special_tokens

from .build import item, label, moments
from .judges import RuleJudge

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
]


def batch(task):
    references = ["a car hits a wall", "fire", "a man falls", "车祸"]
    return [
        item(
            text,
            references[n % 4],
            video=f"v{n}",
            task=task,
            label=label(1 + n % 11),
            moments=moments((0, 10 + n), (30, 45)),
            key_sentences=("a car", "a wall"),
            others={"anomaly": CANDIDATES[n - 1], "control": "a car"},
        )
        for n, text in enumerate(CANDIDATES)
    ]


@pytest.fixture(params=[(name, protocol) for name in available() for protocol in PROTOCOLS], ids="-".join)
def scorer(request):
    name, protocol = request.param
    return get_scorer(name, PROTOCOLS[protocol], RuleJudge(expectations=True))


def test_values_are_finite_in_range_and_under_the_declared_names(scorer):
    for task in scorer.tasks:
        for value in scorer.score(batch(task)):
            assert value.keys() == {column.name for column in scorer.columns}
            for column in scorer.columns:
                assert column.low <= value[column.name] <= column.high
                assert not column.binary or value[column.name] in (0, 1)


def test_a_batch_scores_as_its_items_do_one_by_one_and_in_any_order(scorer):
    items = batch(scorer.tasks[0])
    together = scorer.score(items)
    assert scorer.score(items[::-1])[::-1] == together
    # Whether there is an optional column may depend on the batch, as what a judge's endpoint returns does.
    certain = [column.name for column in scorer.columns if not column.optional]
    for one, value in zip(items, together, strict=True):
        (alone,) = scorer.score([one])
        assert {name: alone[name] for name in certain} == {name: value[name] for name in certain}
    assert scorer.score([]) == []


def test_aggregates_are_those_declared(scorer):
    items = batch(scorer.tasks[0])
    summary = scorer.summary(items, scorer.score(items))
    assert summary.keys() == {column.name for column in scorer.aggregates}
    for column in scorer.aggregates:
        assert column.low <= summary[column.name] <= column.high


def test_the_signature_names_the_scorer_its_version_and_what_differs(scorer):
    parts = scorer.signature().split("|")
    assert parts[0] == scorer.name
    assert parts[-1].startswith("v:")
    signatures = {get_scorer(scorer.name, protocol, RuleJudge()).signature() for protocol in PROTOCOLS.values()}
    assert len(signatures) == len(PROTOCOLS)


def test_higher_is_better_in_every_column_but_the_control(scorer):
    assert all(column.higher_is_better or column.name == "s3_control" for column in scorer.columns)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
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
