"""VideoLLaMA 2 from checkpoints in its authors' layouts to answers, against the same model put together by hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import sentencepiece
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, MistralConfig, MistralForCausalLM

from ecva_bench.adapters.videollama2.adapter import VideoLLaMA2
from ecva_bench.adapters.videollama2.stc import Stc
from ecva_bench.errors import CheckpointError, UsageError
from ecva_bench.records import Moment
from ecva_bench.video import Video
from tests.adapters import tiny_llava as tiny
from tests.adapters.greedy import greedy
from tests.adapters.slow_stc import slow_stc
from tests.adapters.test_videollama2_parts import prepared_by_hand
from tests.adapters.tiny.edit import edit
from tests.video.make import write

QUESTIONS = [
    "Why does it happen?",
    "What does the accident lead to? Give the seconds, [12.5, 31.0], of the event.",
    "é?",
]
SHOWN = [2, 6, 11, 16, 20, 24, 29, 34]  # what the authors' first release takes of 37 frames


@pytest.fixture(scope="module")
def projector() -> dict[str, torch.Tensor]:
    return tiny.random_state(Stc(tiny.WIDTH, tiny.HIDDEN), 3)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, projector: dict[str, torch.Tensor]) -> Path:
    """The same model in every layout, and a LoRA on top of it."""
    folder = tmp_path_factory.mktemp("videollama2")
    tower = folder / "tower"
    tiny.write_tower(tower)
    for form in ("bin", "safetensors", "single"):
        tiny.write_whole(folder / form, projector, tower, form=form)
    tiny.write_base(folder / "base")
    tiny.write_stage_1(folder / "stage-1", projector, tower)
    merged = tiny.write_lora(folder / "lora", projector, tower)
    tiny.write_lora(folder / "lora-bin", projector, tower, safe=False)
    torch.save(merged, folder / "merged.pt")
    return folder


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return Video(write(tmp_path_factory.mktemp("clip") / "a.mp4", count=37))


def model(place: Path, layout: str, **options: str) -> VideoLLaMA2:
    options = {"base": str(place / "base"), "max_new_tokens": "10", "device": "cpu", **options}
    return VideoLLaMA2(model_path=str(place / layout), **options)


def by_hand(
    place: Path, state: Mapping[str, torch.Tensor], video: Video, question: str, *, pad: bool = False, light: float = 1
) -> str:
    """The answer of the same weights: the frames' features, the connector's sums, one token after another."""
    frames = video.frames_at(SHOWN).pixels
    tower = CLIPVisionModel(CLIPVisionConfig(**tiny.CLIP)).eval()
    weights = torch.load(place / "tower" / "pytorch_model.bin")
    tower.load_state_dict({k[13:]: v for k, v in weights.items() if k.startswith("vision_model.") and "_ids" not in k})
    language = MistralForCausalLM(MistralConfig(**tiny.MISTRAL)).eval()
    language.load_state_dict(state)
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(place / "base" / "tokenizer.model"))
    before, after = VideoLLaMA2.template.text.split("{video}")
    embed = language.get_input_embeddings()
    with torch.no_grad():
        values = torch.stack([prepared_by_hand(frame, pad) for frame in frames])
        patches = tower(values, output_hidden_states=True).hidden_states[-2][:, 1:]
        visual = light * slow_stc(tiny.random_state(Stc(tiny.WIDTH, tiny.HIDDEN), 3), patches, 1).float()
        assert len(visual) == 5 * 3 * 3
        head = torch.tensor([1, *pieces.encode(before)])
        tail = torch.tensor(pieces.encode(after.replace("{question}", question)))
        row = torch.cat([embed(head), visual, embed(tail)])
    said = greedy(language, row, new=10)
    return pieces.decode([token for token in said if token > 2]).strip()


@pytest.fixture(scope="module")
def expected(place: Path, video: Video) -> list[str]:
    """The answers of the weights that all layouts but the LoRA hold; they rest on what is seen."""
    state = tiny.language().state_dict()
    found = [by_hand(place, state, video, question) for question in QUESTIONS]
    assert len(set(found)) == len(QUESTIONS)
    assert found != [by_hand(place, state, video, question, light=0.2) for question in QUESTIONS]
    return found


@pytest.mark.parametrize("layout", ["bin", "safetensors", "single", "stage-1"])
def test_every_layout_gives_the_answers_of_the_model_put_together_by_hand(
    layout: str, place: Path, video: Video, expected: list[str]
) -> None:
    assert model(place, layout).answer_many(video, QUESTIONS) == expected


@pytest.mark.parametrize("layout", ["lora", "lora-bin"])
def test_a_lora_is_added_to_the_weights(layout: str, place: Path, video: Video, expected: list[str]) -> None:
    merged = by_hand(place, torch.load(place / "merged.pt"), video, QUESTIONS[0])
    assert merged != expected[0]
    assert model(place, layout).answer(video, QUESTIONS[0]) == merged


def test_padded_frames_are_shown_whole(place: Path, video: Video) -> None:
    padded = model(place, "bin", aspect="pad")
    state = tiny.language().state_dict()
    assert padded.answer(video, QUESTIONS[0]) == by_hand(place, state, video, QUESTIONS[0], pad=True)
    assert not torch.equal(padded.look(video).features, model(place, "bin").look(video).features)


def test_questions_together_are_answered_as_one_by_one_and_the_video_is_encoded_once(place: Path, video: Video) -> None:
    adapter = model(place, "safetensors")
    questions = [f"{question} {'more ' * n}" for n, question in enumerate(QUESTIONS * 4)]
    adapter.load()
    encoded = []
    adapter.networks.connector.register_forward_hook(lambda *_: encoded.append(1))  # type: ignore[attr-defined]
    seen = []
    video.on_frames = seen.append
    together = adapter.answer_many(video, questions)
    assert [adapter.answer(video, question) for question in questions] == together
    assert len(encoded) == 1
    assert [frames.indices.tolist() for frames in seen] == [SHOWN] * (1 + len(questions))
    before = adapter.look(video).features
    assert not torch.equal(adapter.look(video.without([Moment(start=0, end=0.7)])).features, before)
    assert len(encoded) == 2


def test_what_determines_answers_is_described_before_weights_are_read(place: Path) -> None:
    found = {layout: model(place, layout).describe() for layout in ("bin", "lora")}
    assert set(found["bin"]["checkpoints"]) == {"model"}
    assert set(found["lora"]["checkpoints"]) == {"model", "base", "vision_tower"}
    described = found["bin"]
    assert described["frames"] == {"rule": "midpoints", "count": 8, "rounded": "bounds"}
    assert (described["dtype"], described["device"], described["aspect"]) == ("float32", "cpu", "none")
    assert described["template"]["id"] == "models/videollama2.v1"
    assert described["generation"]["policy"] == "greedy"
    assert described["generation"]["max_new_tokens"] == 10
    assert str(place) not in json.dumps(found)
    sampled = model(place, "bin", generation="upstream", sampling="main", dtype="bfloat16").describe()
    assert (sampled["generation"]["temperature"], sampled["generation"]["top_k"]) == (0.2, 50)
    assert (sampled["frames"]["rounded"], sampled["dtype"]) == ("middles", "bfloat16")


def test_sixteen_frames_and_the_connector_without_padding_come_from_the_config(
    tmp_path: Path, projector: dict[str, torch.Tensor], place: Path, video: Video
) -> None:
    sixteen = {"num_frames": 16, "mm_projector_type": "stc_connector_v35"}
    tiny.write_whole(tmp_path / "m", projector, place / "tower", **sixteen)
    adapter = model(place, str(tmp_path / "m"))
    seen = adapter.look(video)
    assert seen.features.shape == (8 * 2 * 2, tiny.HIDDEN)
    assert len(seen.timestamps) == 16


@pytest.fixture
def copied(tmp_path: Path, place: Path) -> Path:
    for layout in ("safetensors", "stage-1", "lora", "base", "tower"):
        shutil.copytree(place / layout, tmp_path / layout)
    return tmp_path


STAGE_1 = "model.mm_projector."
REST = "base_model.model.model.mm_projector.readout.0."
LORA = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.mark.parametrize(
    ("layout", "file", "change", "message"),
    [
        ("stage-1", "stage-1/mm_projector.bin", {f"{STAGE_1}readout.0.bias": None}, "1 missing: readout.0.bias"),
        ("stage-1", "stage-1/mm_projector.bin", {f"{STAGE_1}x": torch.ones(1)}, "1 unexpected: x"),
        ("lora", "lora/non_lora_trainables.bin", {f"{REST}bias": torch.ones(3)}, "readout.0.bias 3 for 32"),
        ("lora", "lora/non_lora_trainables.bin", {"model.norm.weight": torch.ones(3)}, "unexpected: model.norm.weight"),
        ("lora", "lora/adapter_model.safetensors", {LORA: None}, "fit the LoRA (1 missing"),
        ("lora", "lora/adapter_model.safetensors", {LORA.replace("q_p", "v_p"): torch.ones(2)}, "LoRA (1 unexpected"),
        ("stage-1", "base/model.safetensors", {"model.norm.weight": None}, "1 missing: model.norm.weight"),
        ("stage-1", "base/model.safetensors", {"model.norm.bias": torch.ones(32)}, "1 unexpected: model.norm.bias"),
        ("stage-1", "base/model.safetensors", {"model.norm.weight": torch.ones(8)}, "another shape: model.norm.weight"),
        ("stage-1", "tower/pytorch_model.bin", {"vision_model.pre_layrnorm.bias": None}, "missing: pre_layrnorm.bias"),
        ("stage-1", "tower/pytorch_model.bin", {"vision_model.x": torch.ones(1)}, "1 unexpected: x"),
    ],
)  # fmt: skip
def test_a_name_too_few_too_many_or_of_another_shape_is_an_error(
    copied: Path, layout: str, file: str, change: dict[str, torch.Tensor | None], message: str
) -> None:
    edit(copied / file, change)
    config = copied / layout / "config.json"
    settings = json.loads(config.read_text()) | {"mm_vision_tower": str(copied / "tower")}
    config.write_text(json.dumps(settings))
    with pytest.raises(CheckpointError) as error:
        model(copied, layout).load()
    assert message in str(error.value)
    assert file.partition("/")[0] in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mm_projector_type": "linear"}, "the projector 'linear' is none of stc_connector, stc_connector_v35"),
        ({"mm_vision_tower": "/data/else/vit"}, "sizes of the vision tower are not known"),
        ({"mm_vision_select_layer": -1}, "features are of another kind (patch of layer -1)"),
        ({"mm_vision_tower": ""}, "no vision tower is named"),
    ],
)
def test_another_architecture_is_an_error(copied: Path, change: dict[str, object], message: str) -> None:
    config = copied / "safetensors" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(CheckpointError) as error:
        model(copied, "safetensors").load()
    assert message in str(error.value)


def test_a_checkpoint_without_tokenizer_or_config_is_an_error(copied: Path) -> None:
    (copied / "safetensors" / "tokenizer.model").unlink()
    with pytest.raises(CheckpointError, match=r"no tokenizer: .*safetensors"):
        model(copied, "safetensors").load()
    (copied / "safetensors" / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"no config\.json: .*safetensors"):
        model(copied, "safetensors").describe()


def test_absent_weights_are_an_error_with_the_command_that_gets_them(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    command = r"run `hf download DAMO-NLP-SG/VideoLLaMA2-7B` .* --model-path FOLDER"
    with pytest.raises(CheckpointError, match=command):
        VideoLLaMA2().describe()
    with pytest.raises(CheckpointError, match=r"hf download .*Mistral-7B-Instruct-v0\.2` .*--model-arg base=FOLDER"):
        VideoLLaMA2(model_path=str(place / "lora")).describe()
    with pytest.raises(CheckpointError, match=r"no such checkpoint: /nowhere: .*--model-path"):
        VideoLLaMA2(model_path="/nowhere").describe()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generation": "beam"}, "'beam' is no value of generation: choose from greedy, upstream"),
        ({"max_new_tokens": "many"}, "'many' is no value of max_new_tokens"),
        ({"sampling": "v2"}, "'v2' is no value of sampling: choose from v1.0, main"),
        ({"aspect": "wide"}, "'wide' is no value of aspect"),
        ({"dtype": "int8"}, "'int8' is no value of dtype"),
        ({"quantize": "2bit"}, "'2bit' is no value of quantize"),
        ({"quantize": "4bit", "device": "cpu"}, "quantised weights need a GPU"),
        ({"device": "tpu0"}, "torch cannot use the device"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, str], message: str, place: Path) -> None:
    with pytest.raises(UsageError) as error:
        model(place, "bin", **options).describe()
    assert message in str(error.value)


def test_importing_the_model_imports_no_torch() -> None:
    program = "import sys, ecva_bench.adapters.videollama2; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
