"""The composition carries models of every make: what is seen once, what reads the question, who is asked how."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import sentencepiece
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from ecva_bench.adapters.parts.families.composed import Composed, Seen
from ecva_bench.adapters.parts.language import loading as language_part
from ecva_bench.adapters.parts.language.generation import NOTHING, config_of
from ecva_bench.adapters.parts.language.loading import load_language
from ecva_bench.adapters.parts.language.networks import Networks
from ecva_bench.adapters.parts.language.policy import Policy
from ecva_bench.adapters.parts.language.tokens import SentencePieces, open_tokenizer
from ecva_bench.adapters.parts.placement import Placement, place
from ecva_bench.adapters.parts.prompts import Piece, Template, Text, TokenIds, Visual, encode
from ecva_bench.answering import ModelOutput, Question
from ecva_bench.errors import AdapterError, CheckpointError
from ecva_bench.video import Frames, Video
from ecva_bench.video.pictures import PictureView
from tests.adapters import tiny_llava as tiny
from tests.adapters.greedy import greedy
from tests.adapters.tiny_llava import write_shards
from tests.video.make import write

GREEDY = Policy(max_new_tokens=8, eos=(2,), pad=2)
QUESTIONS = ["Why?", "What does the accident lead to, and when does it end?", "A man pushes a cart."]


class Reader(Composed):
    """Sees eight numbers a frame; its connector reads the question, and each frame has a place of its own."""

    policies: ClassVar = {"greedy": GREEDY, "upstream": replace(GREEDY, do_sample=True, temperature=3.0, top_k=40)}
    template = Template("test", 1, "Watch {video} and explain: {question}")
    asked: list[torch.Tensor]
    encoded = 0

    def frame_rule(self) -> dict[str, Any]:
        return {"rule": "linspace", "count": 3}

    def build(self) -> Networks:
        folder = self.checkpoint.folder
        torch.manual_seed(4)
        connector = torch.nn.Linear(8, tiny.HIDDEN)
        language = load_language(folder, "Mistral", self.placement)
        self.asked = []
        return Networks(open_tokenizer(folder), self._tower, connector, language)

    def _tower(self, pixels: np.ndarray) -> torch.Tensor:
        self.encoded += 1
        return torch.from_numpy(pixels[:, :8, :1, 0].reshape(len(pixels), 1, 8) / 100).float()

    def see(self, frames: Frames) -> torch.Tensor:
        return self.networks.tower(frames.pixels)

    def visual(self, seen: Seen, question: str) -> torch.Tensor:
        return self.networks.connector(seen.features).flatten(0, 1) * (1 + len(question) % 5)

    def prompt(self, question: str, seen: Seen) -> Sequence[Piece]:
        frames = [p for n, t in enumerate(seen.positions) for p in (Text(f"{t:.1f}"), Visual(n, n + 1))]
        return [TokenIds((self.networks.tokenizer.bos,)), *frames, Text(question)]

    @contextmanager
    def attending(self, visuals: Sequence[torch.Tensor], ids: torch.Tensor) -> Iterator[None]:
        self.asked.append(ids)
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_base(tmp_path_factory.mktemp("base") / "language")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return Video(write(tmp_path_factory.mktemp("clip") / "a.mp4", count=20))


def reader(base: Path, **options: str) -> Reader:
    return Reader(model_path=str(base), device="cpu", **options)


@pytest.fixture(scope="module")
def loaded(base: Path) -> Reader:
    return reader(base)


def by_hand(adapter: Reader, video: Video, question: str, new: int = 8) -> list[int]:
    """The greedy ids of one question: every token from the whole sequence, nothing kept from the one before."""
    language, frames = adapter.networks.language, video.frames_at([0, 9, 19])
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(adapter.checkpoint.folder / "tokenizer.model"))
    embed, row = language.get_input_embeddings(), []
    with torch.no_grad():
        row.append(embed(torch.tensor([1])))
        for pixels, seconds in zip(frames.pixels, frames.positions, strict=True):
            row.append(embed(torch.tensor(pieces.encode(f"{seconds:.1f}"))))
            numbers = torch.from_numpy(pixels[:8, 0, 0] / 100).float()
            row.append(adapter.networks.connector(numbers)[None] * (1 + len(question) % 5))
        row.append(embed(torch.tensor(pieces.encode(question))))
    return greedy(language, torch.cat(row), new=new)


def test_a_connector_that_reads_the_question_is_asked_for_each_and_the_tower_once(base: Path, video: Video) -> None:
    adapter = reader(base)
    texts = adapter.answer_many(video, QUESTIONS)
    tokenizer = adapter.networks.tokenizer
    expected = [by_hand(adapter, video, question) for question in QUESTIONS]
    assert texts == [tokenizer.decode(ids).strip() for ids in expected]
    assert adapter.encoded == 1
    assert [adapter.answer(video, question) for question in QUESTIONS] == texts
    assert adapter.encoded == 1


def test_a_language_model_with_cross_attention_is_told_which_ids_stand_where(base: Path, video: Video) -> None:
    adapter = reader(base)
    adapter.answer_many(video, QUESTIONS)
    ids, seen = adapter.asked[0], adapter.look(video)
    for row, question in zip(ids.tolist(), QUESTIONS, strict=True):
        sequence = encode(adapter.prompt(question, seen), adapter.networks.tokenizer)
        plain = [NOTHING if isinstance(part, Visual) else part for part in sequence]
        assert row == [NOTHING] * (len(row) - len(plain)) + plain


@settings(max_examples=10)
@given(lengths=st.lists(st.integers(1, 60), min_size=2, max_size=11))
def test_no_question_changes_the_answer_to_another(lengths: list[int], loaded: Reader, video: Video) -> None:
    questions = [("why " * length)[:length] for length in lengths]
    alone = {question: loaded.answer(video, question) for question in set(questions)}
    assert loaded.answer_many(video, questions) == [alone[question] for question in questions]


def test_what_was_seen_is_kept_for_the_last_video_and_these_frames_only(
    base: Path, video: Video, tmp_path: Path
) -> None:
    adapter, other = reader(base), Video(write(tmp_path / "b.mp4", count=12))
    first = adapter.look(video)
    assert adapter.look(video) is first
    few = adapter.look(video, np.array([0, 5]))
    assert len(few.features) == 2
    assert adapter.look(video) is first
    assert adapter.encoded == 2
    assert len({first.identity, few.identity, adapter.look(other).identity}) == 3
    views = [adapter.look(PictureView(video, pictures)) for pictures in ("still", "shuffled", "blank")]
    assert len({first.identity, *(view.identity for view in views)}) == 4
    assert not any(torch.equal(view.features, first.features) for view in views)
    again = adapter.look(video)
    assert again is not first
    assert again.identity == first.identity
    assert torch.equal(again.features, first.features)


def test_sampled_answers_depend_on_video_question_and_seed_alone(base: Path, video: Video) -> None:
    adapter = reader(base, generation="upstream")
    adapter.load()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    texts = adapter.answer_many(video, QUESTIONS)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(100)
    assert reader(base, generation="upstream").answer_many(video, QUESTIONS[::-1]) == texts[::-1]
    assert texts != reader(base).answer_many(video, QUESTIONS)
    other = replace(adapter.policy, seed=1)
    seen = adapter.look(video)
    assert adapter.ask([(seen, question) for question in QUESTIONS], other) != texts
    again = [Question("Why?", repeat=number) for number in range(3)]
    drawn = adapter.answer_many(video, again)
    assert len(set(map(str, drawn))) == 3
    assert drawn[0] == texts[0]
    assert adapter.answer_many(video, again[::-1]) == drawn[::-1]
    assert not adapter.deterministic
    assert reader(base).deterministic


def test_an_answer_says_whether_it_was_cut_off(base: Path, video: Video) -> None:
    adapter = reader(base)
    said = by_hand(adapter, video, QUESTIONS[0])
    (cut,) = adapter.answer_many(video, QUESTIONS[:1])
    assert isinstance(cut, ModelOutput)
    assert cut.finish == "length"
    (ended,) = adapter.ask([(adapter.look(video), QUESTIONS[0])], replace(GREEDY, eos=(2, said[4])))
    assert ended.finish == "stop"


def test_every_number_of_a_policy_has_its_effect(base: Path, video: Video) -> None:
    adapter = reader(base)
    seen, said = adapter.look(video), by_hand(adapter, video, QUESTIONS[0])
    decode = adapter.networks.tokenizer.decode

    def ask(**changes: Any) -> str:
        return adapter.ask([(seen, QUESTIONS[0])], replace(GREEDY, **changes))[0]

    assert ask() == decode(said).strip()
    assert ask(max_new_tokens=3) == decode(said[:3]).strip()
    assert ask(eos=(2, said[4])) == decode(said[: said.index(said[4])]).strip()
    assert ask(suppressed=(said[0],)) != decode(said).strip()
    first = decode(said).strip()[2]
    assert ask(stop=("never", first)) == decode(said).strip().partition(first)[0].strip()
    for change in ({"num_beams": 4}, {"repetition_penalty": 3.0}, {"no_repeat_ngram_size": 1}):
        assert ask(max_new_tokens=24, **change) != ask(max_new_tokens=24), change


def test_generation_ends_at_a_stop_string_and_not_at_the_limit(base: Path, video: Video) -> None:
    adapter = reader(base)
    said = by_hand(adapter, video, QUESTIONS[0])
    text, steps = adapter.networks.tokenizer.decode(said), []
    adapter.networks.language.lm_head.register_forward_hook(lambda *_: steps.append(1))
    adapter.ask([(adapter.look(video), QUESTIONS[0])], replace(GREEDY, stop=(text[1:3],)))
    assert 0 < len(steps) < len(said)


def test_nothing_is_inherited_from_the_checkpoints_own_settings(base: Path) -> None:
    assert json.loads((base / "generation_config.json").read_text()) == tiny.TEMPTING
    language = load_language(base, "Mistral", place("cpu", "auto", ""))
    row = language.get_input_embeddings()(torch.tensor([[1, 300, 301, 302]]))
    mask = torch.ones(1, 4, dtype=torch.int64)
    said = language.generate(
        inputs_embeds=row, attention_mask=mask, generation_config=config_of(GREEDY, open_tokenizer(base))
    )
    assert said[0].tolist() == greedy(language, row[0], new=8)


def test_prompts_are_encoded_piece_by_piece(base: Path) -> None:
    pieces = SentencePieces(base)
    library = sentencepiece.SentencePieceProcessor(model_file=str(base / "tokenizer.model"))
    found = encode([TokenIds((1, 300)), Text("the man"), Visual(2, 4), Text(" the man\n"), Text("</s><s>")], pieces)
    apart = [library.encode(text) for text in ("the man", " the man\n", "</s><s>")]
    assert found == [1, 300, *apart[0], Visual(2, 4), *apart[1], *apart[2]]
    assert not {1, 2} & set(apart[2])
    assert pieces.decode(found[2 : 2 + len(apart[0])]) == "the man"


def test_added_tokens_are_known_by_name_and_have_no_text(base: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes((base / "tokenizer.model").read_bytes())
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<image>": 320, "<answer>": 321}))
    pieces = open_tokenizer(tmp_path)
    assert (pieces.id_of("<image>"), pieces.id_of("</s>"), pieces.bos, pieces.size) == (320, 2, 1, 322)
    assert pieces.decode([0, 1, 321, *pieces.encode("why"), 320, 0, 2]) == "why"  # as with `skip_special_tokens`
    assert 320 not in pieces.encode("<image>")
    with pytest.raises(CheckpointError, match=r"no token '<video>': "):
        pieces.id_of("<video>")


def test_a_tokenizer_file_is_read_where_there_is_no_sentencepiece_model(tmp_path: Path) -> None:
    library = Tokenizer(models.WordLevel({"<|begin|>": 0, "why": 1, "now": 2, "?": 3}, unk_token="?"))  # noqa: S106
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    library.add_special_tokens([AddedToken("<|begin|>", special=True)])
    library.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"bos_token": {"content": "<|begin|>"}}))
    tokenizer = open_tokenizer(tmp_path / "nothing", tmp_path)
    assert tokenizer.encode("why now") == [1, 2]
    assert 0 not in tokenizer.encode("<|begin|>why now")
    template = Template("test", 1, "<|begin|>{video}now{question}", special=("<|begin|>",))
    assert encode(template.pieces("<|begin|>why")[:2], tokenizer) == [0, Visual()]
    assert template.pieces("<|begin|>why")[2:] == [Text("now<|begin|>why")]
    assert (tokenizer.bos, tokenizer.size, tokenizer.decode([0, 1, 2])) == (0, 4, "why now")
    with pytest.raises(CheckpointError, match="no token 'then'"):
        tokenizer.id_of("then")
    with pytest.raises(CheckpointError, match=r"no tokenizer: .*nothing"):
        open_tokenizer(tmp_path / "nothing")


def test_the_text_ends_at_its_first_stop_string() -> None:
    policy = replace(GREEDY, stop=("###", "</s>"))
    assert policy.cut("a </s> b ### c") == "a "
    assert policy.cut("nothing ends") == "nothing ends"


def test_a_language_model_is_taken_out_of_other_names_by_a_key_map(base: Path, tmp_path: Path) -> None:
    state = load_file(base / "model.safetensors")
    inside = {f"lang.{name.replace('.self_attn.', '.decoder_layer.self_attn.')}": t for name, t in state.items()}
    write_shards(tmp_path, {**inside, "vision.x": torch.ones(1)}, "bin")
    (tmp_path / "config.json").write_text((base / "config.json").read_text())
    where = place("cpu", "auto", "")
    keys = {r"^lang\.": "", r"\.decoder_layer\.": "."}
    found = load_language(tmp_path, "Mistral", where, key_mapping=keys, beside=("vision.",)).state_dict()
    assert found.keys() == state.keys() | {"lm_head.weight"}
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    with pytest.raises(CheckpointError, match=r"1 unexpected: vision\.x"):
        load_language(tmp_path, "Mistral", where, key_mapping=keys)


def test_packages_that_are_missing_are_named(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    four = Placement(torch.device("cpu"), torch.float32, "4bit")
    monkeypatch.setattr(language_part, "find_spec", lambda name: None)
    with pytest.raises(AdapterError, match="bitsandbytes: run pip install bitsandbytes"):
        load_language(base, "Mistral", four)
    with pytest.raises(AdapterError, match=r"needs the package peft: .*: run pip install 'ecva-bench\[models\]'"):
        load_language(base, "Mistral", place("cpu", "auto", ""), adapter=tmp_path)
    monkeypatch.setattr(language_part, "find_spec", lambda name: object())
    with pytest.raises(AdapterError, match="cannot be merged into quantised weights"):
        load_language(base, "Mistral", four, adapter=tmp_path)


@pytest.mark.parametrize("content", ["{", "[1]", "\xff"])
def test_a_config_that_is_none_is_named(content: str, base: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(content, encoding="latin-1")
    (tmp_path / "model.safetensors").write_bytes(b"")
    message = r"the file .* JSON.*: .*config\.json: download it again"
    with pytest.raises(CheckpointError, match=message):
        _ = reader(tmp_path).config
    with pytest.raises(CheckpointError, match=message):
        load_language(tmp_path, "Mistral", place("cpu", "auto", ""))
