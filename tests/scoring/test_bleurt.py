"""BLEURT against the original programs' scores, and against an implementation in numpy that shares no code with it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import CheckpointError, ScoringError
from ecva_bench.scoring import get_protocol
from ecva_bench.scoring.bleurt import Bleurt, BleurtModel
from ecva_bench.scoring.protocol import ModelSettings, Protocol

from .build import item
from .tiny_bleurt import random_state, save_bert, save_rembert, slow_score, slow_word_pieces

TEXTS = [
    "",
    " \n\t ",
    "A white van runs a red light and hits a motorcycle.",
    "The crowd runs away!",
    "the fire, firing the car [SEP] hits </s>",
    "车祸发生在路口 Café naïve",
    "a" * 150 + " " + "b" * 201,
    "the car hits a car. " * 200,
]
PAIRS = [(reference, candidate) for reference in TEXTS for candidate in TEXTS]


def pop_to_fit(first, second, room):
    """As the original does it: from the longer, from the candidate where both are equal."""
    first, second = list(first), list(second)
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


@pytest.fixture(scope="module", params=[save_rembert, save_bert], ids=["rembert", "bert"])
def own(request, tmp_path_factory):
    """A checkpoint of each form, its slow tokenizer, and the ids of its marks."""
    folder = request.param(tmp_path_factory.mktemp("bleurt") / "tiny")
    if (folder / "vocab.txt").is_file():
        words = {word: n for n, word in enumerate((folder / "vocab.txt").read_text().split("\n")[:-1])}
        return folder, lambda text: slow_word_pieces(text, words), (words["[CLS]"], words["[SEP]"])
    from sentencepiece import SentencePieceProcessor

    pieces = SentencePieceProcessor(model_file=str(folder / "spm.model"))
    assert pieces.id_to_piece([2, 3]) == ["[CLS]", "[SEP]"]
    return folder, lambda text: [pieces.piece_to_id(piece) for piece in pieces.encode(text, out_type=str)], (2, 3)


@pytest.mark.parametrize("form", ["bert_tiny", "rembert_tiny"])
def test_equals_the_original_programs(shared_golden, form):
    folder = shared_golden / "bleurt" / form
    golden = json.loads((folder / "golden.json").read_text())
    pairs = list(zip(golden["references"], golden["candidates"], strict=True))
    model = BleurtModel(folder, "cpu", "float32")
    for batch_tokens in (1, 150, 8192):
        scores = dict(model.scores(pairs, batch_tokens=batch_tokens))
        assert [scores[n] for n in range(len(pairs))] == pytest.approx(golden["scores"], abs=1e-6)


@pytest.mark.parametrize("form", ["bert_tiny", "rembert_tiny"])
def test_reads_the_token_ids_of_the_originals(shared_golden, form):
    folder = shared_golden / "bleurt" / form
    golden = json.loads((folder / "golden.json").read_text())
    model = BleurtModel(folder, "cpu", "float32")
    for n, pair in enumerate(zip(golden["references"], golden["candidates"], strict=True)):
        ids, segments = model._encode(*map(model._tokenize, pair))
        expected = golden["input_ids"][n]
        assert ids + [0] * (len(expected) - len(ids)) == expected
        if "segment_ids" in golden:
            assert segments == golden["segment_ids"][n][: golden["lengths"][n]]


def test_a_rembert_may_name_its_embedding_as_transformers_does(tmp_path):
    folder = save_rembert(tmp_path / "tiny")
    model = BleurtModel(folder, "cpu", "float32")
    expected = list(model.scores([("a car", "a red car")], batch_tokens=100))
    config = json.loads((folder / "config.json").read_text())
    config["input_embedding_size"] = config.pop("embedding_size")
    (folder / "config.json").write_text(json.dumps(config))
    assert list(BleurtModel(folder, "cpu", "float32").scores([("a car", "a red car")], batch_tokens=100)) == expected


@pytest.mark.parametrize("name", ["tokenizer_config.json", "bert_config.json", "bleurt_config.json"])
def test_settings_may_stand_beside_the_config(name, tmp_path):
    folder = save_bert(tmp_path / "tiny")
    longest = BleurtModel(folder, "cpu", "float32")._limit
    (folder / name).write_text(json.dumps({"max_seq_length": longest - 3}))
    assert BleurtModel(folder, "cpu", "float32")._limit == longest - 3


def test_equals_a_slow_implementation_pair_by_pair(own):
    folder, tokenize, (start, end) = own
    config = json.loads((folder / "config.json").read_text())
    state = random_state(config)
    scores = dict(BleurtModel(folder, "cpu", "float32").scores(PAIRS, batch_tokens=300))
    expected = []
    for reference, candidate in PAIRS:
        room = config["max_position_embeddings"] - 3
        first, second = pop_to_fit(tokenize(reference), tokenize(candidate), room)
        expected.append(slow_score(config, state, [start, *first, end], [*second, end]))
    assert [scores[n] for n in range(len(PAIRS))] == pytest.approx(expected, abs=5e-6)
    assert np.std(expected) > 0.05  # random weights that tell texts apart


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 30))
def test_the_longer_text_is_cut_as_the_original_cuts_it(a, b, room):
    model = BleurtModel.__new__(BleurtModel)
    model._start, model._end, model._limit = -1, -2, room + 3
    first, second = list(range(a)), list(range(100, 100 + b))
    ids, segments = model._encode(first, second)
    kept, others = pop_to_fit(first, second, room)
    assert ids == [-1, *kept, -2, *others, -2]
    assert segments == [0] * (len(kept) + 2) + [1] * (len(others) + 1)


def scorer(folder, name="standard"):
    settings = {"bleurt": ModelSettings(checkpoint=str(folder), device="cpu")}
    swap = get_protocol(name).swap_arguments
    return Bleurt(Protocol(name=name, swap_arguments=swap, models=settings))


def test_the_published_protocol_swaps_the_arguments(own, tmp_path, monkeypatch):
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path))
    one = item("the car hits a car", "a fire")
    standard, swapped = scorer(own[0]), scorer(own[0], "ecva-2024")
    turned = item(one.reference, one.candidate)
    assert swapped.score([one]) == standard.score([turned])
    assert swapped.score([one])[0]["bleurt"] != pytest.approx(standard.score([one])[0]["bleurt"], abs=1e-3)
    assert "args:swapped" in swapped.signature()
    assert "args" not in standard.signature()


def test_weights_must_be_the_ones_of_the_network(own, tmp_path):
    import torch
    from safetensors.torch import save_file

    folder = own[0]
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        if file.suffix in (".json", ".txt", ".model"):
            (copy / file.name).write_bytes(file.read_bytes())
    with pytest.raises(CheckpointError, match="holds no whole model"):
        BleurtModel(copy, "cpu", "float32")
    config = json.loads((folder / "config.json").read_text())
    state = {name: torch.from_numpy(array) for name, array in random_state(config).items()}
    state["bleurt.extra.weight"] = state.pop("bleurt.pooler.dense.bias")
    state["classifier.weight"] = torch.zeros(2, config["hidden_size"])
    save_file(state, copy / "model.safetensors")
    with pytest.raises(CheckpointError) as error:
        BleurtModel(copy, "cpu", "float32")
    assert "missing" in str(error.value)
    assert "bert.pooler.dense.bias" in str(error.value)
    assert "unexpected" in str(error.value)
    assert "bert.extra.weight" in str(error.value)
    state["bleurt.pooler.dense.bias"] = state.pop("bleurt.extra.weight")
    save_file(state, copy / "model.safetensors")
    with pytest.raises(CheckpointError, match=rf"classifier\.weight 2x{config['hidden_size']} for 1x"):
        BleurtModel(copy, "cpu", "float32")


def test_what_a_folder_lacks_is_named(tmp_path):
    (tmp_path / "config.json").write_text('{"vocab_size": 5}')
    with pytest.raises(ScoringError, match=r"lacks hidden_size, num_hidden_layers"):
        BleurtModel(tmp_path, "cpu", "float32")
    config = {**json.loads((save_bert(tmp_path / "bert") / "config.json").read_text())}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ScoringError, match=r"no vocabulary.*vocab\.txt"):
        BleurtModel(tmp_path, "cpu", "float32")


def test_half_precision_is_near(own):
    pairs = PAIRS[:20]
    full = dict(BleurtModel(own[0], "cpu", "float32").scores(pairs, batch_tokens=8192))
    half = dict(BleurtModel(own[0], "cpu", "bfloat16").scores(pairs, batch_tokens=8192))
    assert half != full
    assert [half[n] for n in range(20)] == pytest.approx([full[n] for n in range(20)], abs=0.1)


def test_the_published_scores_of_bleurt_20():
    """Needs the weights (2.3 GB) in the hub's cache; the figures are those of the conversion's model card."""
    found = Bleurt(get_protocol("standard"))
    if reason := found.unavailable():
        pytest.skip(reason)
    model = found.load(found._checkpoint(download=False).folder, "cpu", "float32")
    pairs = [
        ("a bird chirps by the window", "a bird chirps by the window"),
        ("this is a random sentence", "this looks like a random sentence"),
    ]
    scores = dict(model.scores(pairs, batch_tokens=8192))
    assert [scores[0], scores[1]] == pytest.approx([0.999, 0.793], abs=1e-3)
