"""The audit: nothing is found in sets made by chance, and every planted fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.data_audit.audit import audit_datasets
from ecva_bench.data_audit.findings import DATA_RULES
from ecva_bench.data_audit.times import find_in_times
from ecva_bench.records import Moment
from ecva_bench.records.annotations import Finding, Query
from ecva_bench.statistics.binomial import binomial_tail
from tests import golden
from tests.data_audit.build import asked, changed, clean, of_rule, read_vau_bench

LONG = "the same long text stands beside several videos of the set"


@pytest.mark.parametrize(("count", "seed"), [(40, 0), (120, 1), (120, 2), (300, 3), (300, 4), (700, 5)])
def test_nothing_is_found_in_a_clean_set(count: int, seed: int) -> None:
    audit = audit_datasets([clean(count, seed), clean(count, seed, "other")])
    assert audit.findings == ()
    assert audit.ok


def test_nothing_is_found_in_mini() -> None:
    assert audit_datasets([load_dataset("mini")]).findings == ()


def _mmss(n: int, one: object) -> dict[str, object]:
    minutes, seconds = divmod(60 + 7 * n % 400, 60)
    return {"moments": (Moment(start=0, end=100 * minutes + seconds),)}


def _plain(change: Callable[..., dict[str, object]]) -> Callable[[Dataset], Dataset]:
    return lambda dataset: changed(dataset, change)


def _query(change: Callable[..., dict[str, object]]) -> Callable[[Dataset], Dataset]:
    return lambda dataset: asked(dataset, change)


def _with_answer(n: int, query: Query, right: str) -> tuple[str, ...]:
    place = query.answer or 0
    return (*query.options[:place], right, *query.options[place + 1 :])


def _twice(n: int, one: object) -> dict[str, object]:
    first, sentence = one.queries  # type: ignore[attr-defined]
    again = first.model_copy(update={"name": "again", "options": first.options[::-1], "answer": 3 - first.answer})
    return {"queries": (first, again, sentence)} if n < 3 else {}


PLANTED: dict[str, tuple[str, int, Callable[[Dataset], Dataset]]] = {
    "the key is mostly A": ("blind-rule", 0, _query(lambda n, q: {"answer": 0 if n % 2 else q.answer})),
    "the key is the longest": (
        "blind-rule",
        0,
        _query(lambda n, q: {"options": _with_answer(n, q, "w" * 200 + f" {n}")}),
    ),
    "the key has a word of its own": (
        "blind-rule",
        0,
        _query(lambda n, q: {"options": _with_answer(n, q, q.options[q.answer or 0] + " presumably")}),
    ),
    "one class is frequent": (
        "blind-rule",
        0,
        _plain(lambda n, one: {"label": one.label.model_copy(update={"major": 1}) if n % 2 else one.label}),
    ),
    "all spans are alike": ("blind-rule", 0, _plain(lambda n, one: {"moments": (Moment(start=3 + n % 2, end=30.0),)})),
    "names tell the class": ("name-tells", 0, _plain(lambda n, one: {"video": f"{'abcd'[one.label.major - 1]}{n}"})),
    "no key": ("key-missing", 3, _query(lambda n, q: {"answer": None} if n < 3 else {})),
    "key beyond": ("key-beyond", 1, _query(lambda n, q: {"answer": 4} if n == 5 else {})),
    "empty option": ("options-empty", 2, _query(lambda n, q: {"options": (" ", *q.options[1:])} if n < 2 else {})),
    "equal options": (
        "options-equal",
        2,
        _query(lambda n, q: {"options": (q.options[1].upper() + " ", *q.options[1:])} if n < 2 else {}),
    ),
    "key in question": (
        "key-in-question",
        5,
        _query(lambda n, q: {"text": f"is it: {q.options[q.answer or 0].upper()}, then?"} if n < 5 else {}),
    ),
    "question twice": ("question-repeated", 3, _plain(_twice)),
    "minutes as seconds": ("times-mmss", 240, _plain(_mmss)),
    "instant": ("times-instant", 9, _plain(lambda n, one: {"moments": (Moment(start=n, end=n),)} if n < 9 else {})),
    "equal texts": ("text-repeated", 6, _plain(lambda n, one: {"cause": LONG.title() + "!"} if n < 6 else {})),
    "near texts": (
        "text-near",
        6,
        _plain(
            lambda n, one: {"description": f"{LONG} {LONG[::-1]} for a reason that nobody knows {n}"} if n < 6 else {}
        ),
    ),
    "a message of a program": (
        "error-text",
        2,
        _plain(lambda n, one: {"cause": "Error: 429 Rate limit exceeded, try again"} if n < 2 else {}),
    ),
    "a refusal": (
        "error-text",
        1,
        _plain(lambda n, one: {"cause": "I'm sorry, but I cannot view the video."} if n < 1 else {}),
    ),
    "a placeholder": ("placeholder", 2, _plain(lambda n, one: {"cause": ("-1", "N/A")[n]} if n < 2 else {})),
    "another language": (
        "language",
        4,
        _plain(lambda n, one: {"cause": "一名男子在路上被汽车撞倒"} if n < 4 else {}),
    ),
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Error code: 400 - invalid_request_error", True),
        ("Traceback (most recent call last): KeyError", True),
        ("Traceback (most recent call last):\n  File x", True),
        ("KeyError", True),
        ("[ERROR] no answer", True),
        ("HTTP 429 Too Many Requests", True),
        ("overloaded_error: try again", True),
        ("CUDA out of memory. Tried to allocate 2 GiB", True),
        ("503 Service Unavailable", True),
        ("You exceeded your current quota (insufficient_quota)", True),
        ("The driver makes an error and hits a man.", False),
        ("The man failed to stop at the limit line.", False),
        ("An exception: the bus stops.", False),
        ("A code is typed at the door, 400 people wait.", False),
    ],
)
def test_messages_of_programs_are_told_from_annotations(text: str, message: bool) -> None:
    planted = _plain(lambda n, one: {"cause": text} if n < 1 else {})
    assert bool(of_rule(audit_datasets([planted(clean(20, 11))]), "error-text")) is message


@pytest.mark.parametrize("fault", PLANTED)
def test_every_planted_fault_is_found_and_no_other(fault: str) -> None:
    rule, count, plant = PLANTED[fault]
    audit = audit_datasets([plant(clean(240, 11))])
    found = of_rule(audit, rule)
    assert found, fault
    assert all(finding.above and finding.share is not None for finding in found)
    assert count in (0, sum(finding.n for finding in found))
    assert {finding.rule for finding in audit.findings} <= {rule, *ALSO.get(fault, ())}
    assert not audit.ok


# A fault may be one by another rule too.
ALSO = {
    "instant": {"times-mmss"},
    "minutes as seconds": {"blind-rule"},
    "another language": {"text-repeated"},
}


def test_what_the_reader_repaired_and_left_out_is_named_by_its_rules() -> None:
    def finding(video: str, rule: str, action: str) -> Finding:
        return Finding.model_validate({"video": video, "field": "f", "rule": rule, "action": action, "before": "x"})

    told = (finding("clean00001", "moment-digits", "repaired"), finding("gone", "row-broken", "excluded"))
    kept = (finding("clean00002", "class-missing", "kept"),)
    audit = audit_datasets([replace(clean(30, 0), findings=told + kept)])
    assert [(one.rule, one.n, one.of, one.text.partition(":")[0]) for one in audit.findings] == [
        ("repaired", 1, 30, "moment-digits"),
        ("excluded", 1, 31, "row-broken"),
    ]


def test_two_sets_that_share_videos_and_texts_are_told() -> None:
    one = clean(100, 0, "one")
    other = clean(100, 0, "other")
    shared = changed(other, lambda n, a: {"video": one.annotations[n].video} if n < 7 else {})
    shared = changed(shared, lambda n, a: {"cause": one.annotations[n + 50].cause} if n < 4 else {})
    shared = changed(shared, lambda n, a: {"description": f"{one.annotations[n].description} more"} if n > 97 else {})
    audit = audit_datasets([one, shared])
    assert [(found.rule, found.dataset, found.other, found.n) for found in audit.findings] == [
        ("video-shared", "one", "other", 7),
        ("text-shared", "one", "other", 6),
    ]


def test_bare_numbers_of_two_data_sets_are_no_shared_videos_and_of_two_splits_they_are() -> None:
    numbered = [changed(clean(20, n, name), lambda k, a: {"video": f"{k:05}"}) for n, name in enumerate(["one", "two"])]
    assert of_rule(audit_datasets(numbered), "video-shared") == []
    splits = [replace(one, name="set", source=f"{n}.csv") for n, one in enumerate(numbered)]
    (found,) = of_rule(audit_datasets(splits), "video-shared")
    assert (found.dataset, found.other, found.n) == ("set (0.csv)", "set (1.csv)", 20)


def test_files_that_are_equal_are_told_in_a_set_and_between_two(tmp_path: Path) -> None:
    for name, content in {"a": b"one", "b": b"one", "c": b"two", "d": b"three"}.items():
        (tmp_path / f"{name}.mp4").write_bytes(content)

    def named(names: str, title: str) -> Dataset:
        dataset = clean(len(names), 0, title)
        return replace(
            changed(dataset, lambda n, a: {"video": names[n], "media": f"{names[n]}.mp4"}), videos=tmp_path, name=title
        )

    audit = audit_datasets([named("abc", "one"), named("bd", "two")])
    within, between = of_rule(audit, "file-repeated"), of_rule(audit, "file-shared")
    assert [(found.dataset, found.n, found.of) for found in within] == [("one", 2, 3)]
    assert [(found.dataset, found.other, found.n) for found in between] == [("one", "two", 2)]


def test_moments_beyond_the_end_need_the_length_of_the_video() -> None:
    dataset = changed(clean(50, 0), lambda n, one: {"moments": (Moment(start=0, end=10 + n),), "queries": ()})
    durations = {one.video: 40.0 for one in dataset.annotations}
    (found,) = [one for one in find_in_times(dataset, durations) if one.rule == "times-beyond-video"]
    assert (found.n, found.of) == (18, 50)  # ends of 42 s and more: one second is tolerated
    assert not any(one.rule == "times-beyond-video" for one in find_in_times(dataset, {}))


def test_seconds_that_are_seconds_are_no_minutes() -> None:
    seconds = changed(clean(200, 0), lambda n, one: {"moments": (Moment(start=0, end=5 * n),), "queries": ()})
    assert not any(found.rule == "times-mmss" for found in find_in_times(seconds, {}))
    short = changed(clean(200, 0), lambda n, one: {"moments": (Moment(start=0, end=n % 50 + 1),), "queries": ()})
    assert not any(found.rule == "times-mmss" for found in find_in_times(short, {}))


def test_whole_video_and_order_of_sentences_are_scored_where_lengths_are_known(shared_data: Path) -> None:
    from ecva_bench.data_audit.spans import blind_spans

    def sentences(n: int, one: object) -> dict[str, object]:
        spans = [Moment(start=10 * k, end=10 * k + 10) for k in range(4)]
        queries = [Query(task="grounding", name=str(k), text=f"s{k}", moments=(span,)) for k, span in enumerate(spans)]
        return {"moments": (Moment(start=0, end=40),), "queries": tuple(queries)}

    dataset = changed(clean(60, 0), sentences)
    scores = {(s.task, s.rule): s for s in blind_spans(dataset, {one.video: 40.0 for one in dataset.annotations})}
    assert scores["timestamp", "whole video"].value == 1
    assert scores["timestamp", "middle half"].value == 0.5
    assert scores["grounding", "order of sentences"].value == 1
    assert scores["grounding", "median of the place"].value == 1
    assert scores["grounding", "whole video"].value == 0.25
    assert {rule for _, rule in scores} - {
        rule for _, rule in [(s.task, s.rule) for s in blind_spans(dataset, {})]
    } == {
        "whole video",
        "middle half",
        "median shares",
        "order of sentences",
    }


def test_the_audit_of_a_set_in_another_order_is_the_same() -> None:
    dataset = clean(80, 3)
    turned = replace(dataset, annotations=dataset.annotations[::-1])
    one, other = audit_datasets([dataset]), audit_datasets([turned])
    assert one.datasets[0].blind == other.datasets[0].blind
    assert one.findings == other.findings


def test_every_rule_that_finds_is_explained() -> None:
    used = {rule for rule, _, _ in PLANTED.values()}
    others = {
        "repaired",
        "excluded",
        "times-beyond-video",
        "video-shared",
        "text-shared",
        "file-shared",
        "file-repeated",
    }
    assert used | others == set(DATA_RULES)


def test_the_tail_of_the_binomial_is_the_sum_over_all_outcomes() -> None:
    assert binomial_tail(0, 10, 0.4) == pytest.approx(0.6**10)
    assert binomial_tail(10, 10, 0.4) == pytest.approx(1)
    weights = [0.3 ** bin(n).count("1") * 0.7 ** (12 - bin(n).count("1")) for n in range(2**12)]
    brute = sum(weight for n, weight in enumerate(weights) if bin(n).count("1") <= 4)
    assert binomial_tail(4, 12, 0.3) == pytest.approx(brute)


# Rows with a key, always A, longest, longer of A and B, key is A or B, in percent (specs/field.md, 0.3).
PUBLISHED = {
    "test_ecva": (438, 52.3, 76.9, 82.6, 94.3),
    "test_msad": (240, 68.3, 43.8, 53.3, 87.5),
    "test_ucf_crime": (251, 59.0, 75.7, 81.3, 91.2),
}


@pytest.mark.parametrize("part", PUBLISHED)
def test_the_figures_of_the_whole_public_files_come_out(part: str) -> None:
    folder = golden.find("field", "ECVA_FIELD") / "vau-bench"
    audit = audit_datasets([read_vau_bench(folder / f"{part}.csv")])
    (one,) = audit.datasets
    scores = {score.rule: score for score in one.blind if score.task == "choice"}
    (keys,) = [balance.counts for balance in one.balances if balance.what == "key of choice"]
    n = scores["longest"].n
    percents = [100 * scores[rule].value for rule in ("always A", "longest", "longer of A and B")]
    percents.append(100 * (keys["A"] + keys["B"]) / n)
    assert (n, *(round(value, 1) for value in percents)) == PUBLISHED[part]
    best = max(scores.values(), key=lambda score: score.value)
    assert best.above
    assert any(found.task == "choice" for found in of_rule(audit, "blind-rule"))
    assert bool(of_rule(audit, "times-mmss")) == (part == "test_ecva")


def test_samples_of_public_files_are_audited(shared_data: Path) -> None:
    """Eighteen questions prove nothing, so no rule is a finding; the figures are there all the same."""
    audit = audit_datasets([read_vau_bench(shared_data / "field/vau_bench_test_ecva.csv")])
    scores = {score.rule: score for score in audit.datasets[0].blind}
    assert scores["longer of A and B"].n == 18
    assert of_rule(audit, "blind-rule") == []


def test_the_workbook_has_classes_of_unequal_size_and_rows_that_are_there_twice(shared_data: Path) -> None:
    audit = audit_datasets([load_dataset(str(shared_data / "ecva/annotations.xlsx"))])
    (majority,) = of_rule(audit, "blind-rule")
    assert (majority.task, majority.n, majority.of) == ("classification", 208, 924)
    repeated = {found.task: found.n for found in of_rule(audit, "text-repeated")}
    assert repeated == {"description": 135, "cause": 143, "effect": 146}
    constant = next(score for score in audit.datasets[0].blind if score.rule == "constant span")
    assert 0.39 < constant.value < 0.43  # learnt on other videos; the best in hindsight is 41 %
