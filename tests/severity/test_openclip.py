"""CLIP through open_clip: OpenAI's own numbers, and no activation but the one that the weights need."""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if find_spec("open_clip") is None:  # imported, it would need torchvision's operators declared first
    pytest.skip("the extra severity is not installed", allow_module_level=True)

import torch
from safetensors.torch import save_file

from ecva_bench.errors import CheckpointError, UsageError
from ecva_bench.severity.openclip import OpenClip
from ecva_bench.torchvision import ensure_torchvision
from tests.severity.clip import tensors, write_clip

NAMES = {  # OpenAI's, and transformers'
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "ln_pre": "pre_layrnorm",
    "ln_post": "post_layernorm",
    "ln_final": "final_layer_norm",
    "class_embedding": "embeddings.class_embedding",
    "conv1": "embeddings.patch_embedding",
    "token_embedding": "embeddings.token_embedding",
}
SENTENCES = ["Several cars collided, causing chaos", " A rear-end collision occurred", "One car hit", "emitting smoke"]


@pytest.fixture(scope="module")
def golden(shared_golden: Path) -> Any:
    return np.load(shared_golden / "severity/clip_a.npz")


@pytest.fixture(scope="module")
def folder(shared_golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "tiny", shared_golden)


def cosines(model: OpenClip, golden: Any) -> Any:
    texts, images = model.text_features(SENTENCES), model.image_features(golden["frames"])
    texts, images = (found / np.linalg.norm(found, axis=1, keepdims=True) for found in (texts, images))
    return texts @ images.T


def test_features_are_those_of_openais_code(folder: Path, golden: Any) -> None:
    model = OpenClip(f"open_clip:{folder}")
    assert (model.name, len(model.weights)) == ("open_clip:tiny", 64)
    assert model.tokens(SENTENCES).numpy() == pytest.approx(golden["tokens"])
    assert np.array_equal(model.prepared(golden["frames"][:3]).numpy(), golden["pixels"])
    assert model.text_features(SENTENCES) == pytest.approx(golden["text_features"], abs=1e-5)
    assert model.image_features(golden["frames"]) == pytest.approx(golden["image_features"], abs=1e-5)
    assert cosines(model, golden) == pytest.approx(golden["cosines"], abs=1e-5)
    assert model.cut_off([*SENTENCES, "smoke " * 76]) == ["smoke " * 76]
    assert model.cut_off(["smoke " * 75]) == []


def test_another_activation_gives_other_numbers(tmp_path: Path, shared_golden: Path, golden: Any) -> None:
    wrong = cosines(OpenClip(f"open_clip:{write_clip(tmp_path, shared_golden, quick=False)}"), golden)
    assert wrong == pytest.approx(golden["cosines_gelu"], abs=1e-5)
    assert np.abs(wrong - golden["cosines"]).max() > 1e-3


def test_features_are_those_of_transformers(golden: Any, shared_golden: Path) -> None:
    ensure_torchvision()
    from transformers import CLIPConfig, CLIPModel

    shared = {"hidden_size": 64, "intermediate_size": 256, "num_attention_heads": 1, "num_hidden_layers": 2}
    vision = {**shared, "image_size": 64, "patch_size": 16, "hidden_act": "quick_gelu"}
    text = {**shared, "hidden_act": "quick_gelu", "eos_token_id": 49_407}
    network = CLIPModel(CLIPConfig(vision_config=vision, text_config=text, projection_dim=32)).eval()
    network.load_state_dict(as_transformers(tensors(shared_golden)))
    with torch.inference_mode():
        images = network.visual_projection(
            network.vision_model(pixel_values=torch.tensor(golden["pixels"])).pooler_output
        )
    assert images.numpy() == pytest.approx(golden["image_features"][:3], abs=1e-5)


def as_transformers(found: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's tensors under the names of transformers' CLIPModel."""
    renamed: dict[str, Any] = {"logit_scale": found["logit_scale"]}
    for name, value in found.items():
        part = "vision_model" if name.startswith("visual.") else "text_model"
        name = name.removeprefix("visual.").replace("transformer.resblocks.", "encoder.layers.")
        for old, new in NAMES.items():
            name = name.replace(old, new)
        if name == "positional_embedding":
            renamed[f"{part}.embeddings.position_embedding.weight"] = value
        elif name in ("proj", "text_projection"):
            renamed["visual_projection.weight" if name == "proj" else "text_projection.weight"] = value.T
        elif ".attn.in_proj_" in name:
            layer, _, kind = name.partition(".attn.in_proj_")
            for one, rows in zip("qkv", value.chunk(3), strict=True):
                renamed[f"{part}.{layer}.self_attn.{one}_proj.{kind}"] = rows
        elif name != "logit_scale":
            renamed[f"{part}.{name}"] = value
    return renamed


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("ViT-L-14/openai", "names no CLIP model"),
        ("open_clip:ViT-L-14", "names no weights"),
        ("open_clip:ViT-L-15/openai", "no model of open_clip's.*ViT-L-14-quickgelu"),
        ("open_clip:ViT-L-14/openai", "need QuickGELU, and ViT-L-14 is built with GELU.*ViT-L-14-quickgelu/openai"),
        ("open_clip:ViT-B-32-quickgelu/laion2b_s34b_b79k", "no such weights"),
        ("open_clip:ViT-L-14-quickgelu/absent.pt", "no such weights.*metaclip_400m"),
        ("open_clip:roberta-ViT-B-32/laion2b_s12b_b32k", "need GELU, and roberta-ViT-B-32 is built with QuickGELU"),
    ],
)
def test_wrong_names_and_activations_are_refused_before_anything_is_downloaded(named: str, said: str) -> None:
    with pytest.raises((CheckpointError, UsageError), match=said):
        OpenClip(named)


def test_a_file_that_does_not_say_what_it_needs_must_be_named_with_it(tmp_path: Path, shared_golden: Path) -> None:
    file = tmp_path / "clip.safetensors"
    save_file(tensors(shared_golden), file)
    with pytest.raises(CheckpointError, match="does not say whether its weights need QuickGELU"):
        OpenClip(f"open_clip:ViT-L-14/{file}")
    model = OpenClip(f"open_clip:ViT-L-14-quickgelu/{file}")
    assert model.name == "open_clip:ViT-L-14-quickgelu/clip.safetensors"
    save_file({**tensors(shared_golden), "input_resolution": torch.tensor(64)}, file)
    with pytest.raises(CheckpointError, match="need QuickGELU, and RN50x4 is built with GELU"):
        OpenClip(f"open_clip:RN50x4/{file}")


def test_weights_of_another_architecture_are_refused(tmp_path: Path, shared_golden: Path) -> None:
    deeper = write_clip(tmp_path / "deeper", shared_golden, layers=3)
    with pytest.raises(CheckpointError, match=r"do not fit CLIP \(12 missing: visual.transformer.resblocks.2"):
        OpenClip(f"open_clip:{deeper}").text_features(["smoke"])
    other = write_clip(tmp_path / "other", shared_golden, **{"visual.positional_embedding": torch.zeros(26, 64)})
    with pytest.raises(CheckpointError, match=r"of another shape: visual.positional_embedding 26x64 for 17x64"):
        OpenClip(f"open_clip:{other}").text_features(["smoke"])


def test_programs_are_not_run_as_weights(tmp_path: Path) -> None:
    file = tmp_path / "ViT-L-14.pt"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("ViT-L-14/constants.pkl", b"")
    with pytest.raises(CheckpointError, match=r"TorchScript archive.*open_clip:ViT-L-14-quickgelu/openai"):
        OpenClip(f"open_clip:ViT-L-14-quickgelu/{file}")


def test_a_folder_holds_one_file_of_weights_and_its_settings(tmp_path: Path, shared_golden: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no open_clip_config\.json"):
        OpenClip(f"open_clip:{tmp_path}")
    folder = write_clip(tmp_path / "tiny", shared_golden)
    (folder / "second.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="2 files of weights"):
        OpenClip(f"open_clip:{folder}")
    (folder / "second.safetensors").unlink()
    write_clip(folder, shared_golden, quick=False, input_resolution=torch.tensor(64))
    with pytest.raises(CheckpointError, match=r"need QuickGELU, and .* is built with GELU.*correct quick_gelu"):
        OpenClip(f"open_clip:{folder}")
    (folder / "open_clip_config.json").write_text('{"model_cfg": {"vision_cfg": 3}}')
    with pytest.raises(CheckpointError, match="no model_cfg with vision_cfg"):
        OpenClip(f"open_clip:{folder}")
