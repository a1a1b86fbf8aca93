"""Blind rules on questions whose answers are known: by place, by length, by words, and learnt on other videos only."""

from __future__ import annotations

import random

import pytest

from ecva_bench.blind.bag_of_words import best_options, likeliest
from ecva_bench.blind.choice import CHOICE_RULES, ChoiceItem, choice_chance, choice_hits
from ecva_bench.blind.folds import FOLDS, another, drawn, folds_of


def item(video: str, answer: int, *options: str, text: str = "") -> ChoiceItem:
    return ChoiceItem(video, text, options, answer)


QUESTIONS = (
    item("a", 0, "a long option", "short", "mid one", text="is it mid?"),
    item("b", 1, "no", "the longest of all", "the other", text="is it other?"),
    item("c", 2, "equal", "equal", "xy", text="?"),
)


def test_rules_by_place_and_length_choose_as_they_say() -> None:
    hits = choice_hits(QUESTIONS)
    assert hits["always A"] == [1, 0, 0]
    assert hits["always C"] == [0, 0, 1]
    assert hits["longest"] == [1, 1, 0]
    assert hits["shortest"] == [0, 0, 1]
    assert hits["longer of A and B"] == [1, 1, 0]
    assert "always D" not in hits  # no question has so many options
    assert hits.keys() <= CHOICE_RULES.keys()


def test_a_rule_of_the_question_needs_its_words() -> None:
    many = [item(f"{one.video}{n}", one.answer, *one.options, text=one.text) for n in range(20) for one in QUESTIONS]
    bare = [item(one.video, one.answer, *one.options) for one in many]
    assert choice_hits(many).keys() - choice_hits(bare).keys() == {"like the question", "question words"}
    likes = choice_hits([item("a", 1, "a red bus", "the old dog", text="who sees the old dog?")])
    assert likes["like the question"] == [1]


def test_nothing_is_learnt_of_few_questions() -> None:
    assert not any(CHOICE_RULES[name].learnt for name in choice_hits(QUESTIONS))


def test_chance_is_that_of_questions_with_as_many_options() -> None:
    assert choice_chance([item("a", 0, "x", "y"), item("b", 0, "x", "y", "z", "w")]) == pytest.approx(3 / 8)


def test_the_most_frequent_answer_guesses_where_it_has_seen_none_of_the_options() -> None:
    hits = choice_hits([item(f"v{n}", 0, f"new {n}", f"other {n}") for n in range(60)])
    assert hits["most frequent answer"] == [0.5] * 60


def test_a_word_that_marks_right_options_is_learnt() -> None:
    draw = random.Random(0)
    items = []
    for n in range(200):
        answer = draw.randrange(4)
        options = [f"word{draw.randrange(50)}" + (" indeed" if place == answer else "") for place in range(4)]
        items.append(item(f"v{n}", answer, *options))
    hits = choice_hits(items)
    assert sum(hits["option words"]) == 200
    assert sum(hits["most frequent place"]) < 100


def test_a_place_that_follows_from_the_question_is_learnt() -> None:
    draw = random.Random(1)
    answers = [draw.randrange(3) for _ in range(200)]
    items = [item(f"v{n}", a, "x", "y", "z", text=f"{('why', 'how', 'who')[a]} {n}") for n, a in enumerate(answers)]
    assert sum(choice_hits(items)["question words"]) == 200


def test_nothing_is_learnt_from_the_video_that_is_asked_about() -> None:
    """Each video has a word of its own, by which its key could be known had it been seen."""
    draw = random.Random(2)
    items = []
    for n in range(400):
        answer = draw.randrange(4)
        options = [f"own{n}" if place == answer else f"filler{draw.randrange(9)}" for place in range(4)]
        items += [item(f"v{n}", answer, *options)] * 2
    folds = folds_of(one.video for one in items)
    bags = [
        [[f"own{n // 2}"] if place == one.answer else ["filler"] for place in range(4)] for n, one in enumerate(items)
    ]
    unseen = [[words if "filler" not in words else ["filler"] for words in question] for question in bags]
    known = best_options(unseen, [one.answer for one in items], folds)
    # `filler` marks wrong options in the other folds, the unknown own word marks nothing: it is still the better one.
    assert (known == [one.answer for one in items]).all()
    alone = [
        [[word] if (word := f"own{n // 2}") and place == one.answer else [] for place in range(4)]
        for n, one in enumerate(items)
    ]
    blind = best_options(alone, [one.answer for one in items], folds)
    assert (blind == 0).all()  # no evidence at all: the first option


def test_labels_that_follow_from_words_are_learnt_and_others_are_not() -> None:
    videos = [f"v{n}" for n in range(300)]
    labels = [n % 3 for n in range(300)]
    told = likeliest([[f"word{label}"] for label in labels], labels, folds_of(videos))
    assert (told == labels).all()
    untold = likeliest([["same"]] * 300, [0] * 200 + [1] * 100, folds_of(videos))
    assert (untold == 0).all()


def test_folds_depend_on_the_video_alone_and_are_about_equal() -> None:
    folds = folds_of([f"v{n}" for n in range(5000)])
    assert set(folds) == set(range(FOLDS))
    assert min((folds == fold).mean() for fold in range(FOLDS)) > 0.17
    assert folds_of(["v7"])[0] == folds[7]


def test_a_drawn_part_is_the_same_whatever_else_is_drawn() -> None:
    names = [f"v{n}" for n in range(100)]
    some = drawn(names, names, 10)
    assert len(some) == 10
    assert set(drawn(names, names, 20)) >= set(some)
    assert drawn(names[:5], names[:5], 10) == names[:5]


def test_another_is_never_oneself() -> None:
    names = [f"v{n}" for n in range(30)]
    others = another(names, names)
    assert sorted(others) == sorted(names)
    assert all(one != other for one, other in zip(names, others, strict=True))
