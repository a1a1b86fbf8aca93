"""What neural metrics share, with a network that adds up letters: batches, the score cache, checkpoints, settings."""

from __future__ import annotations

import random
import sqlite3
import stat
from contextlib import closing, contextmanager

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.checkpoints.finding import find_checkpoint
from ecva_bench.errors import CacheError, CheckpointError, ScoringError, UsageError
from ecva_bench.scoring import neural
from ecva_bench.scoring.neural import MetricModel, NeuralScorer, length_batches, model_settings
from ecva_bench.scoring.protocol import ModelSettings, Protocol
from ecva_bench.scoring.scorer import Column

from .build import item


class Letters(MetricModel):
    """Scores a pair by its letters, counts what it reads, and breaks where it is told to."""

    read: list[tuple[str, ...]]
    loads = 0
    breaks_after = 10**9
    breaks_with = KeyboardInterrupt

    def __init__(self, unit: float) -> None:
        self.unit = unit

    def scores(self, inputs, *, batch_tokens):
        for batch in length_batches([len(a) + len(b) for a, b in inputs], batch_tokens):
            for place in batch:
                if len(Letters.read) >= Letters.breaks_after:
                    raise Letters.breaks_with
                Letters.read.append(inputs[place])
                yield place, self.unit * sum(map(ord, inputs[place][1])) / 1e6


class Lettered(NeuralScorer):
    name = "lettered"
    columns = (Column("lettered", "letters"),)
    default_checkpoint = "some-one/letters"
    files = ("*.json", "*.safetensors")

    def inputs(self, item):
        return [(item.reference, word) for word in item.candidate.split()]

    def values(self, item, scores):
        return {"lettered": sum(scores)}

    @classmethod
    def load(cls, folder, device, dtype):
        Letters.loads += 1
        return Letters(float((folder / "model.safetensors").read_text()))


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder of weights, an empty cache, an empty hub cache and no network."""
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(Letters, "read", [], raising=False)
    monkeypatch.setattr(Letters, "loads", 0)
    monkeypatch.setattr(Letters, "breaks_after", 10**9)
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "model.safetensors").write_text("1.0")
    (folder / "README.md").write_text("no part of the weights")
    return folder


def lettered(checkpoint, **settings):
    return Lettered(Protocol(models={"lettered": ModelSettings(str(checkpoint), **settings)}))


ITEMS = [item(" ".join(f"{chr(97 + k)}{n}" for k in range(n)), "reference", video=f"v{n}") for n in range(6)]


@given(st.lists(st.integers(1, 600), max_size=60), st.integers(1, 2000))
def test_batches_hold_every_place_once_within_the_bound_and_waste_little(lengths, budget):
    batches = length_batches(lengths, budget)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[place] for place in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget
    ordered = [lengths[place] for batch in batches for place in batch]
    assert ordered == sorted(lengths, reverse=True)
    assert all((len(batch) + 1) * lengths[batch[0]] > budget for batch in batches[:-1])


def test_equal_texts_are_read_once_and_looked_up_from_then_on(place):
    twice = [*ITEMS, *ITEMS]
    values = lettered(place).score(twice)
    assert [value["lettered"] for value in values] == pytest.approx(
        [sum(ord(c) for c in one.candidate if c != " ") / 1e6 for one in twice]
    )
    assert len(Letters.read) == len(set(Letters.read)) == 15
    assert lettered(place).score(ITEMS) == values[:6]
    assert len(Letters.read) == 15
    assert Letters.loads == 1


def test_scores_that_are_all_there_load_no_weights(place):
    first = lettered(place).score(ITEMS)
    neural._loaded.cache_clear()
    assert lettered(place).score(ITEMS) == first
    assert Letters.loads == 1


def test_other_weights_or_another_dtype_are_other_scores(place):
    lettered(place).score(ITEMS)
    lettered(place, dtype="bfloat16").score(ITEMS)
    assert len(Letters.read) == 30
    signature = lettered(place).signature()
    (place / "README.md").write_text("another")
    lettered(place).score(ITEMS)
    assert len(Letters.read) == 30
    assert lettered(place).signature() == signature
    (place / "model.safetensors").write_text("20.0")
    assert lettered(place).score(ITEMS)[1]["lettered"] == pytest.approx(20 * (ord("a") + ord("1")) / 1e6)
    assert lettered(place).signature() != signature


def test_batches_do_not_depend_on_the_order_of_the_answers(place, tmp_path, monkeypatch):
    lettered(place).score(ITEMS)
    first = list(Letters.read)
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "other"))
    Letters.read.clear()
    lettered(place).score(random.Random(1).sample(ITEMS, 6))
    assert Letters.read == first


def test_what_was_scored_before_an_interruption_is_not_scored_again(place, monkeypatch):
    monkeypatch.setattr(Letters, "breaks_after", 4)
    with pytest.raises(KeyboardInterrupt):
        lettered(place).score(ITEMS)
    monkeypatch.setattr(Letters, "breaks_after", 10**9)
    lettered(place).score(ITEMS)
    assert len(Letters.read) == len(set(Letters.read)) == 15


def test_a_device_without_room_is_an_error_that_names_a_smaller_batch(place, monkeypatch):
    monkeypatch.setattr(Letters, "breaks_after", 4)
    monkeypatch.setattr(Letters, "breaks_with", torch.OutOfMemoryError)
    with pytest.raises(ScoringError, match=r"out of memory on cpu.*lettered\.batch_tokens=128"):
        lettered(place, device="cpu", batch_tokens=512).score(ITEMS)
    monkeypatch.setattr(Letters, "breaks_after", 10**9)
    lettered(place, device="cpu").score(ITEMS)
    assert len(Letters.read) == len(set(Letters.read)) == 15


def test_progress_tells_how_many_texts_are_read(place):
    seen = []

    @contextmanager
    def progress(what, unit):
        seen.append((what, unit))
        yield lambda done, total: seen.append((done, total))

    scorer = lettered(place)
    scorer.progress = progress
    scorer.score(ITEMS)
    assert seen == [("lettered", "texts"), *((n, 15) for n in range(1, 16))]
    scorer.score(ITEMS)
    assert len(seen) == 16


def test_surrogates_are_mended_before_the_network_sees_them(place):
    lettered(place).score([item("\ud83d\ude97 \ud800x", "r")])
    assert sorted(Letters.read) == [("r", "\ufffdx"), ("r", "\U0001f697")]


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_number_that_is_none_is_an_error_and_not_kept(place, number):
    (place / "model.safetensors").write_text(number)
    for _ in range(2):
        with pytest.raises(ScoringError, match=r"gave (nan|inf).*lettered\.dtype=float32"):
            lettered(place, dtype="float16").score(ITEMS)


def test_the_signature_names_weights_dtype_and_device(place):
    found = find_checkpoint(str(place), files=(), download=False, option="x")
    signature = lettered(place, dtype="bfloat16", device="cpu").signature()
    assert f"lettered|model:letters@{found.revision[:8]}|dtype:bfloat16|device:cpu|strip:specials|v:" in signature
    assert str(place) not in signature


def test_a_device_that_is_not_there_is_a_usage_error(place):
    with pytest.raises(UsageError, match="cannot use the device"):
        lettered(place, device="cuda:99").signature()


@pytest.fixture
def in_the_hub(tmp_path, place):
    """The weights as the hub's client keeps them."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    base = tmp_path / "hub" / "models--some-one--letters"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text(commit)
    (base / "snapshots").mkdir()
    place.rename(base / "snapshots" / commit)
    return commit


@pytest.mark.parametrize("revision", ["", "@main", "@0123456789abcdef0123456789abcdef01234567"])
def test_what_the_hubs_cache_holds_is_used_with_its_commit(in_the_hub, revision):
    scorer = lettered(f"some-one/letters{revision}")
    assert scorer.unavailable() is None
    assert scorer.score([item("a", "r")])[0]["lettered"] == pytest.approx(ord("a") / 1e6)
    assert "|model:some-one/letters@01234567|" in scorer.signature()
    assert Lettered(Protocol()).signature() == scorer.signature()


def test_absent_weights_are_an_error_with_the_command_that_gets_them():
    scorer = Lettered(Protocol())
    message = r"no weights .*: some-one/letters: run `hf download some-one/letters`.*--metric-arg lettered\.checkpoint="
    with pytest.raises(CheckpointError, match=message):
        scorer.score(ITEMS)
    assert "not in the hub's cache" in scorer.unavailable()
    with pytest.raises(CheckpointError, match="hf download some-one/letters --revision v2`"):
        lettered("some-one/letters@v2").score(ITEMS)


def test_weights_are_downloaded_only_where_a_score_is_asked_for(place, monkeypatch):
    asked = []

    def hub(repo, *, revision, allow_patterns, local_files_only):
        asked.append((repo, revision, tuple(allow_patterns), local_files_only))
        if local_files_only:
            raise FileNotFoundError
        return str(place)

    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)
    scorer = lettered("some-one/letters@v2")
    assert "not in the hub's cache" in scorer.unavailable()
    request = ("some-one/letters", "v2", Lettered.files)
    assert asked == [(*request, True)]
    scorer.score([item("a", "r")])
    assert set(asked[1:]) == {(*request, True), (*request, False)}


def test_a_cache_entry_without_weights_is_absent(in_the_hub, tmp_path):
    next((tmp_path / "hub").rglob("model.safetensors")).unlink()
    with pytest.raises(CheckpointError, match="hf download"):
        Lettered(Protocol()).score(ITEMS)


def test_a_folder_without_weights_or_that_is_not_there_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"holds no weights.*empty.*\*\.safetensors"):
        lettered(tmp_path / "empty").score(ITEMS)
    with pytest.raises(CheckpointError, match=r"no such checkpoint.*/nowhere.*lettered\.checkpoint"):
        lettered(tmp_path / "nowhere").score(ITEMS)


def test_missing_packages_are_named_with_the_extra(place, monkeypatch):
    monkeypatch.setattr(neural, "find_spec", lambda name: None if name == "torch" else object())
    assert lettered(place).unavailable() == "the metric needs torch: lettered: run pip install 'ecva-bench[metrics]'"


def test_a_score_cache_that_cannot_be_used_is_named(place, tmp_path):
    kept = tmp_path / "cache" / "scores" / "scores.sqlite"
    kept.parent.mkdir(parents=True)
    kept.write_text("no data base, but long enough to be read as one" * 100)
    with pytest.raises(ScoringError, match=r"cannot be stored.*scores\.sqlite.*ECVA_CACHE"):
        lettered(place).score(ITEMS)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE numbers SET value = value + 0.5",
        "UPDATE numbers SET seal = ''",
        "UPDATE numbers SET (value, seal) = (SELECT value, seal FROM numbers ORDER BY value LIMIT 1)",
    ],
    ids=["value", "seal", "another's"],
)
def test_a_number_that_was_changed_in_the_cache_is_computed_again(change, place, tmp_path):
    first = lettered(place).score(ITEMS)
    read = len(Letters.read)
    with closing(sqlite3.connect(tmp_path / "cache/scores/scores.sqlite")) as base, base:
        base.execute(change)
    assert lettered(place).score(ITEMS) == first
    assert len(Letters.read) > read


def test_the_score_cache_is_ours_alone_and_refused_where_others_may_write(place, tmp_path):
    first = lettered(place).score(ITEMS)
    folder = tmp_path / "cache/scores"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (stat.S_IMODE(folder.stat().st_mode), modes) == (0o700, {0o600})
    for path, loose in ((folder, 0o770), (folder / "scores.sqlite", 0o602)):
        path.chmod(loose)
        with pytest.raises(CacheError, match=r"written to by others.*ECVA_CACHE"):
            lettered(place).score(ITEMS)
        path.chmod(0o744)  # others may have read it, and can no more
        assert lettered(place).score(ITEMS) == first
        assert not path.stat().st_mode & 0o077


def test_settings_are_read_by_scorer_and_name():
    given = {
        "bleurt.checkpoint": "a/b=c",
        "bleurt.device": "cuda:1",
        "bleurt.batch_tokens": "512",
        "unieval.dtype": "bfloat16",
        "unieval.strip_list_numbers": "false",
        "unieval-sum.strip_list_numbers": "true",
    }
    found = model_settings(given)
    assert found["bleurt"] == ModelSettings(checkpoint="a/b=c", device="cuda:1", batch_tokens=512)
    assert (found["unieval"].dtype, found["unieval"].strip_list_numbers) == ("bfloat16", False)
    assert found["unieval-sum"].strip_list_numbers is True
    assert model_settings({}) == {}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("bleurt.dtype", "float8", "choose from float32, bfloat16, float16"),
        ("bleurt.batch_tokens", "0", "no number above 0"),
        ("bleurt.batch_tokens", "many", "no number above 0"),
        ("bleurt.chekpoint", "x", "did you mean 'checkpoint'"),
        ("bleurt", "x", "no setting of bleurt is called ''"),
        ("bleu.device", "cpu", "'bleu' runs no model"),
        ("bleurd.device", "cpu", "did you mean 'bleurt'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(name, value, message):
    with pytest.raises(UsageError, match=message):
        model_settings({name: value})
