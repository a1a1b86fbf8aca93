"""MoverScore against the original program's scores, and against numpy and a linear programme on another network."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from ecva_bench.errors import CheckpointError, UsageError
from ecva_bench.scoring.moverscore import MoverModel, MoverScore, mover_score
from ecva_bench.scoring.protocol import ModelSettings, Protocol

from . import references
from .build import item
from .tiny_moverscore import save_distilbert, slow_distance
from .tiny_unieval import save_t5

TEXTS = [
    "the car hits a wall",
    "firing cars, the wall's fire!",
    "... ,;",
    "</s>",
    "车祸 Café naïve",
    "the car hits a wall. " * 40,
]
IDENTICAL = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_distilbert(tmp_path_factory.mktemp("moverscore") / "tiny")


@pytest.fixture(scope="module")
def model(folder):
    return MoverModel(folder, "cpu", "float32")


@pytest.fixture(scope="module")
def golden(shared_golden):
    folder = shared_golden / "moverscore"
    return json.loads((folder / "golden.json").read_text()), MoverModel(folder / "tiny_distilbert", "cpu", "float32")


def test_equals_the_original_program(golden):
    expected, original = golden
    scores = original.similarities(references=expected["refs"], candidates=expected["hyps"])
    for place, (own, upstream) in enumerate(zip(scores, expected["scores"]["idf_ones"], strict=True)):
        assert own == pytest.approx(upstream, abs=2e-4 if place == IDENTICAL else 5e-8)
    assert scores[IDENTICAL] == pytest.approx(1, abs=1e-7)
    assert original.similarities(references=expected["refs"][:1], candidates=[""]) == pytest.approx(
        expected["scores"]["empty_hyp"], abs=5e-8
    )


def test_a_reference_given_as_bare_text_is_refused_and_would_have_been_taken_apart(golden):
    expected, original = golden
    reference, candidate = expected["refs"][0], expected["hyps"][0]
    with pytest.raises(UsageError, match=r"one text per character.*43\.4 %.*list of texts"):
        original.similarities(references=reference, candidates=[candidate])
    with pytest.raises(UsageError, match="the candidates of MoverScore are one text"):
        original.similarities(references=[reference], candidates=candidate)
    apart = original.similarities(references=list(reference), candidates=[candidate] * len(reference))
    assert apart == pytest.approx(expected["scores"]["string_as_list_pair0"], abs=5e-8)
    # What was published: hardly anything is left of the answers.
    assert np.ptp(apart) < 0.03 < 0.1 < np.ptp(expected["scores"]["idf_ones"])


@pytest.mark.parametrize("batch_tokens", [1, 100, 8192])
def test_equals_a_slow_implementation_whatever_the_batch(folder, model, batch_tokens):
    pairs = [(reference, candidate) for reference in TEXTS for candidate in TEXTS]
    found = dict(model.scores(pairs, batch_tokens=batch_tokens))
    for place, (reference, candidate) in enumerate(pairs):
        expected = references.moverscore(item(candidate, reference), folder)["moverscore"]
        assert found[place] == pytest.approx(expected, abs=2e-7)


def on_sphere(points):
    return torch.from_numpy(points / np.linalg.norm(points, axis=1)[:, None])


def test_transport_is_the_best_assignment_where_both_have_as_many_points():
    chance = np.random.default_rng(0)
    for size in (1, 2, 7, 40, 512):
        a, b = chance.normal(size=(2, size, 30))
        cost = np.linalg.norm(on_sphere(a)[:, None] - on_sphere(b)[None], axis=2)
        best = cost[linear_sum_assignment(cost)].mean()
        assert mover_score(reference=on_sphere(a), candidate=on_sphere(b)) == pytest.approx(1 / (1 + best), abs=1e-12)


def test_points_without_mass_change_nothing():
    chance = np.random.default_rng(1)
    a, b = chance.normal(size=(6, 4)), chance.normal(size=(9, 4))
    padded = [np.vstack([points, chance.normal(size=(3, 4))]) for points in (a, b)]
    masses = [np.array([1 / len(points)] * len(points) + [0] * 3) for points in (a, b)]
    whole = slow_distance(*padded, mass_a=masses[0], mass_b=masses[1])
    assert mover_score(reference=on_sphere(a), candidate=on_sphere(b)) == pytest.approx(1 / (1 + whole), abs=1e-9)


def test_is_symmetric_so_that_the_published_order_of_arguments_changes_nothing(model):
    forth = model.similarities(references=TEXTS, candidates=TEXTS[::-1])
    back = model.similarities(references=TEXTS[::-1], candidates=TEXTS)
    assert forth == pytest.approx(back, abs=1e-9)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_answer_without_text_is_0_and_not_what_the_marks_around_it_are_worth(
    folder, model, text, tmp_path, monkeypatch
):
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path))
    scorer = MoverScore(Protocol(models={"moverscore": ModelSettings(checkpoint=str(folder), device="cpu")}))
    assert scorer.score([item(text, "the car hits a wall")]) == [{"moverscore": 0.0}]
    assert model.similarities(references=["the car hits a wall"], candidates=[text])[0] > 0.3
    assert "|layer:last|idf:1|stop:none|empty:0|" in scorer.signature()


def test_scores_do_not_depend_on_the_other_answers(model):
    pairs = [(reference, candidate) for reference in TEXTS for candidate in TEXTS] * 3
    random.Random(0).shuffle(pairs)
    together = dict(model.scores(pairs, batch_tokens=8192))
    for place, pair in enumerate(pairs[:10]):
        assert dict(model.scores([pair], batch_tokens=8192))[0] == pytest.approx(together[place], abs=1e-6)


def test_another_network_is_refused(tmp_path):
    folder = save_t5(tmp_path / "t5")
    with pytest.raises(CheckpointError, match="the checkpoint is a t5, not a distilbert"):
        MoverModel(folder, "cpu", "float32")
    (folder / "config.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
        MoverModel(folder, "cpu", "float32")


def test_a_missing_weight_is_an_error_and_not_drawn_at_random(tmp_path):
    name = "transformer.layer.1.ffn.lin1.weight"
    with pytest.raises(CheckpointError, match=name):
        MoverModel(save_distilbert(tmp_path / "tiny", leave_out=name), "cpu", "float32")
