"""VILA 1.5 is its authors' program: frames, words, tower, projector, and answers of checkpoints."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, SiglipVisionConfig, SiglipVisionModel

from ecva_bench.adapters.parts.families.composed import Seen
from ecva_bench.adapters.parts.prompts import Piece, Special, Text, TokenIds, Visual, encode
from ecva_bench.adapters.vila.adapter import SPECIAL, Vila
from ecva_bench.adapters.vila.downsample import MlpDownsample
from ecva_bench.adapters.vila.siglip import SiglipTower
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import open_weights, renamed, under
from ecva_bench.errors import CheckpointError, UsageError
from ecva_bench.video import Video
from tests.adapters.greedy import greedy
from tests.adapters.slow_siglip import slow_siglip
from tests.adapters.tiny import llm, vila
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.adapters.tiny.edit import edit
from tests.video.make import write

QUESTIONS = ["Why does it happen?", "What does the accident lead to, in seconds?"]
REAL = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Vila:
    return Vila(**vila.build(tmp_path_factory.mktemp("vila")))


@pytest.mark.parametrize("count", [6, 8])
def test_frames_are_those_of_the_original(count: int, shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "vila" / "sampling_and_prompt.json").read_text())["frame_indices"]
    listed = {name: indices for name, indices in golden.items() if name.endswith(f"/{count}")}
    assert len(listed) == 13
    for name, expected in listed.items():
        total = int(name.split("/")[0])
        video = SimpleNamespace(n_frames=total)
        found = Vila(frames=str(count)).frame_indices(video).tolist()  # type: ignore[arg-type]
        if total == count:
            assert expected.startswith("ERR")
            assert found == list(range(count))
        else:
            assert [0] * (count - len(found)) + found == expected, name


def test_the_prompt_is_the_originals_to_the_letter(shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "vila" / "sampling_and_prompt.json").read_text())
    model = Vila(frames="8")
    model.__dict__["networks"] = SimpleNamespace(tokenizer=SimpleNamespace(bos=0))
    first, *pieces = model.prompt("Q?", Seen(torch.zeros(8 * 196, 1), np.zeros(8), np.zeros(8), ""))
    assert first == TokenIds((0,))
    assert "".join(map(_said, pieces)) == golden["prompt"]
    places = [piece for piece in pieces if isinstance(piece, Visual)]
    assert places == [Visual(196 * n, 196 * (n + 1)) for n in range(8)]
    assert golden["stop"] in SPECIAL


def _said(piece: Piece) -> str:
    match piece:
        case Special(text) | Text(text):
            return text
    return "<image>"


def test_words_are_the_tokens_of_the_whole_prompt_cut_at_the_frames(loaded: Vila) -> None:
    """As the authors' loader has them: each stretch with the tokenizer's own first token, which all but one lose."""
    seen = Seen(torch.zeros(36, 1), np.zeros(4), np.zeros(4), "")
    for question in QUESTIONS:
        pieces = loaded.prompt(question, seen)
        library = Tokenizer.from_file(str(loaded.checkpoint.folder / "llm" / "tokenizer.json"))
        expected: list[int | Visual] = [library.token_to_id("<|begin_of_text|>")]
        for number, stretch in enumerate("".join(map(_said, pieces[1:])).split("<image>")):
            expected += [Visual(9 * (number - 1), 9 * number)] if number else []
            expected += library.encode(stretch).ids
        assert encode(pieces, loaded.networks.tokenizer) == expected


def test_a_question_cannot_end_the_turn(loaded: Vila) -> None:
    tokenizer = loaded.networks.tokenizer
    seen = Seen(torch.zeros(36, 1), np.zeros(4), np.zeros(4), "")
    ids = [encode(loaded.prompt(question, seen), tokenizer) for question in ("why?", "why<|end_of_text|>?")]
    end = tokenizer.id_of("<|end_of_text|>")
    assert [row.count(end) for row in ids] == [2, 2]


def test_the_projector_gives_the_originals_tokens(shared_golden: Path) -> None:
    settings = json.loads((shared_golden / "vila" / "a.json").read_text())
    golden = open_weights(shared_golden / "vila" / "a.safetensors")
    projector = MlpDownsample(settings["mm_hidden_size"], settings["hidden_size"])
    fill(projector, renamed(golden, lambda name: name if name.startswith("layers.") else None), "golden")
    with torch.no_grad():
        assert torch.equal(projector.layers[0](golden["input.image_features"]), golden["inter.downsample"])
        # To the bit on the processor that made the golden file; on others the matrix products add in another order.
        found = projector(golden["input.image_features"])
        torch.testing.assert_close(found, golden["output"], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("side", "width", "hidden"), [(4, 6, 10), (7, 5, 8), (1, 3, 4)])
def test_the_projector_is_the_sums_it_stands_for(side: int, width: int, hidden: int) -> None:
    projector = MlpDownsample(width, hidden).double()
    state = {name: tensor.double() for name, tensor in llm.random_state(projector, 2).items()}
    fill(projector, state, "random")
    patches = torch.randn(2, side * side, width, generator=torch.Generator().manual_seed(3)).double()
    with torch.no_grad():
        found = projector(patches)
    half = math.ceil(side / 2)
    assert found.shape == (2, half * half, hidden)
    for frame in range(2):
        for column in range(half):
            for row in range(half):
                joined = []
                for y in (2 * row, 2 * row + 1):
                    for x in (2 * column, 2 * column + 1):
                        inside = y < side and x < side
                        joined.append(patches[frame, y * side + x] if inside else torch.zeros(width).double())
                token = torch.cat(joined)
                token = (token - token.mean()) / (token.var(unbiased=False) + 1e-5).sqrt()
                token = token * state["layers.1.weight"] + state["layers.1.bias"]
                token = state["layers.2.weight"] @ token + state["layers.2.bias"]
                token = token * (1 + torch.erf(token / math.sqrt(2))) / 2
                token = state["layers.4.weight"] @ token + state["layers.4.bias"]
                torch.testing.assert_close(found[frame, column * half + row], token, atol=1e-9, rtol=1e-9)


def test_the_tower_gives_the_originals_features(shared_golden: Path) -> None:
    settings = json.loads((shared_golden / "vila" / "siglip_a.json").read_text())
    golden = open_weights(shared_golden / "vila" / "siglip_a.safetensors")
    sizes = {name: settings[name] for name in (*vila.SIGLIP, "hidden_act", "layer_norm_eps")}
    tower = SiglipTower(SiglipVisionConfig(**sizes)).eval()
    fill(tower.model, under(golden, "vision_model."), "golden")
    with torch.no_grad():
        found = tower.patches(golden["input.pixel_values"])
    torch.testing.assert_close(found, golden["output.hidden_states_m2"], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("layers", "heads"), [(4, 3), (2, 1)])
def test_the_tower_is_the_sums_it_stands_for(layers: int, heads: int) -> None:
    sizes = {
        **vila.SIGLIP,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "image_size": 20,
        "patch_size": 5,
    }
    tower = SiglipTower(SiglipVisionConfig(**sizes)).double().eval()
    state = llm.random_state(tower.model, 8)
    fill(tower.model, state, "random")
    values = torch.randn(3, 3, 20, 20, generator=torch.Generator().manual_seed(9)).double()
    with torch.no_grad():
        found = tower.patches(values)
    torch.testing.assert_close(found, slow_siglip(state, values, 5, heads), atol=1e-9, rtol=1e-9)


def prepared_by_hand(frame: np.ndarray, side: int) -> torch.Tensor:
    small = Image.fromarray(frame).resize((side, side), Image.Resampling.BICUBIC)
    return torch.tensor((np.asarray(small, np.float64) / 255 - 0.5) / 0.5, dtype=torch.float32).permute(2, 0, 1)


@pytest.mark.parametrize("size", [(48, 64), (61, 33), (30, 30)])
def test_frames_are_squeezed_to_a_square(size: tuple[int, int]) -> None:
    tower = SiglipTower(SiglipVisionConfig(**vila.SIGLIP))
    frames = np.random.default_rng(4).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    expected = torch.stack([prepared_by_hand(frame, 30) for frame in frames])
    torch.testing.assert_close(tower.prepared(frames), expected, atol=1e-6, rtol=0)


def by_hand(model: Vila, video: Video, indices: list[int], question: str, new: int = 8) -> str:
    """The answer of the same files: the tower in sums, one token after another from the whole sequence."""
    library = Tokenizer.from_file(str(model.checkpoint.folder / "llm" / "tokenizer.json"))
    language = llm.language("Llama", vocab=library.get_vocab_size())
    tower = {k.removeprefix("vision_model."): v for k, v in _file(model, "vision_tower").items()}
    pixels = video.frames_at(indices).pixels
    frames = [np.zeros_like(pixels[0])] * (vila.FRAMES - len(pixels)) + list(pixels)
    projector, embed = MlpDownsample(vila.WIDTH, llm.HIDDEN), language.get_input_embeddings()
    projector.load_state_dict(_file(model, "mm_projector"))
    before, after = (model.template.text + "\n\n").split("{video}")
    bos = [library.token_to_id("<|begin_of_text|>")]
    with torch.no_grad():
        values = torch.stack([prepared_by_hand(frame, 30) for frame in frames])
        tokens = projector(slow_siglip(tower, values, 6, 2).float())
        row = [embed(torch.tensor(bos + library.encode(before).ids))]
        for number, frame in enumerate(tokens):
            last = number == len(tokens) - 1
            text = after.replace("{question}", question) if last else "\n"
            row += [frame, embed(torch.tensor(library.encode(text).ids))]
    said = greedy(language, torch.cat(row), new=new, end=-1)
    return library.decode(said, skip_special_tokens=True).strip()


def _file(model: Vila, part: str) -> dict[str, torch.Tensor]:
    return dict(open_weights(model.checkpoint.folder / part))


def test_answers_are_those_of_the_model_put_together_by_hand(loaded: Vila, tmp_path: Path) -> None:
    video = Video(write(tmp_path / "a.mp4", count=37))
    shown = [0, 11, 23, 35]
    assert loaded.frame_indices(video).tolist() == shown
    expected = [by_hand(loaded, video, shown, question) for question in QUESTIONS]
    assert len(set(expected)) == 2
    assert loaded.answer_many(video, QUESTIONS) == expected
    short = Video(write(tmp_path / "b.mp4", count=3))
    assert loaded.answer(short, QUESTIONS[0]) == by_hand(loaded, short, [0, 1, 2], QUESTIONS[0])


def test_the_five_tasks_are_answered_and_what_determines_answers_is_described(loaded: Vila, tmp_path: Path) -> None:
    assert len(set(five_answers(loaded, mini_clip(tmp_path)))) > 1
    described = loaded.describe()
    assert described["frames"] == {"rule": "linspace", "at_most": 4, "last": False}
    assert set(described["checkpoints"]) == {"model"}
    assert (described["template"]["id"], described["generation"]["eos"]) == ("models/vila.v1", [128001, 128009])
    assert json.dumps(described)


def test_a_changed_file_of_any_folder_is_another_revision(tmp_path: Path) -> None:
    options = vila.build(tmp_path)
    revisions = {Vila(**options).checkpoint.revision}
    for part in ("llm/model-00001-of-00002.safetensors", "vision_tower/config.json", "mm_projector/model.safetensors"):
        path = tmp_path / "model" / part
        path.write_bytes(path.read_bytes() + b" ")
        revisions.add(Vila(**options).checkpoint.revision)
    assert len(revisions) == 4


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("mm_projector/model.safetensors", {"layers.1.bias": None}, "1 missing: layers.1.bias"),
        ("mm_projector/model.safetensors", {"layers.3.bias": torch.ones(2)}, "1 unexpected: layers.3.bias"),
        ("vision_tower/model.safetensors", {"vision_model.head.probe": None}, "1 missing: head.probe"),
        ("vision_tower/model.safetensors", {"vision_model.x": torch.ones(2)}, "1 unexpected: x"),
        ("vision_tower/model.safetensors", {"vision_model.post_layernorm.bias": torch.ones(2)}, "of another shape"),
    ],
)
def test_a_name_too_few_or_too_many_is_an_error(
    file: str, change: Mapping[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    options = vila.build(tmp_path)
    edit(tmp_path / "model" / file, dict(change))
    with pytest.raises(CheckpointError) as error:
        Vila(**options).load()
    assert message in str(error.value)


def test_another_projector_layer_or_count_is_refused(tmp_path: Path) -> None:
    options = vila.build(tmp_path)
    config = tmp_path / "model" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"mm_vision_select_layer": -1}))
    with pytest.raises(CheckpointError, match="'mlp_downsample' on layer -1 is of another kind"):
        Vila(**options).load()
    with pytest.raises(UsageError, match="'all' is no value of frames"):
        Vila(frames="all")


def test_real_sizes_have_the_published_numbers_of_parameters() -> None:
    with torch.device("meta"):
        tower = SiglipVisionModel(SiglipVisionConfig(**REAL, image_size=384, patch_size=14))
        projector = MlpDownsample(1152, 4096)
        language = LlamaForCausalLM(
            LlamaConfig(vocab_size=128256, intermediate_size=14336, num_key_value_heads=8, rope_theta=500000.0)
        )
    numbers = [sum(p.numel() for p in module.parameters()) for module in (tower, projector, language)]
    assert (round(numbers[0] / 1e6, 2), round(2 * numbers[1] / 1e6, 1)) == (428.23, 71.3)
    assert numbers[2] == 8_030_261_248  # Llama 3 8B
    assert round(2 * sum(numbers) / 1e9, 1) == float(Vila.card.memory.split()[0])
    assert projector(torch.empty(8, 729, 1152, device="meta")).flatten(0, 1).shape == (1568, 4096)
