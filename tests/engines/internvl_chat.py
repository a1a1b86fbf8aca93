"""A tiny InternVLChat checkpoint as its authors lay them out: a tiny InternVL of transformers, under their names.

Written after OpenGVLab/InternVL (internvl_chat/internvl/model) and what vLLM reads. The configuration's code is our
own, and is what `trust_remote_code` is about.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

# What AutoConfig runs: the two parts become configurations, and all else is kept.
CODE = """
from transformers import PretrainedConfig, Qwen2Config


class TowerConfig(PretrainedConfig):
    model_type = "intern_vit_6b"


class InternVLChatConfig(PretrainedConfig):
    model_type = "internvl_chat"

    def __init__(self, vision_config=None, llm_config=None, **kwargs):
        self.vision_config = TowerConfig(**(vision_config or {}))
        self.llm_config = Qwen2Config(**(llm_config or {}))
        super().__init__(**kwargs)
"""
# As published: a template of texts, which knows no parts of a message.
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
TOWER = {
    "cls_token": "class_embedding",
    "patch_embeddings.projection": "patch_embedding",
    "position_embeddings": "position_embedding",
    "encoder.layer.": "encoder.layers.",
    "attention.projection_layer": "attn.proj",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
    "lambda_1": "ls1",
    "lambda_2": "ls2",
}
CONNECTOR = {"layer_norm": "mlp1.0", "linear_1": "mlp1.1", "linear_2": "mlp1.3"}


def rewritten(folder: Path, out: Path) -> Path:
    """Write the checkpoint of transformers in `folder` as the authors have theirs."""
    out.mkdir()
    for file in folder.glob("*token*"):
        (out / file.name).write_bytes(file.read_bytes())
    told = json.loads((out / "tokenizer_config.json").read_text(encoding="utf-8"))
    told.pop("processor_class", None)
    (out / "tokenizer_config.json").write_text(json.dumps({**told, "chat_template": TEMPLATE}), encoding="utf-8")
    (out / "configuration_internvl_chat.py").write_text(CODE, encoding="utf-8")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (out / "config.json").write_text(json.dumps(_config(config)), encoding="utf-8")
    weights = load_file(folder / "model.safetensors")
    save_file(_fused({_name(name): weight for name, weight in weights.items()}), out / "model.safetensors")
    return out


def _config(config: dict[str, Any]) -> dict[str, Any]:
    text, tower = config["text_config"], config["vision_config"]
    vision = {name: tower[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "layer_norm_eps")}
    vision |= {"num_attention_heads": tower["num_attention_heads"], "image_size": tower["image_size"][0]}
    vision |= {"patch_size": tower["patch_size"][0], "norm_type": tower["norm_type"], "hidden_act": tower["hidden_act"]}
    vision |= {"qkv_bias": tower["attention_bias"], "qk_normalization": tower["use_qk_norm"], "num_channels": 3}
    vision |= {"initializer_factor": 0.1, "model_type": "intern_vit_6b"}
    return {
        "architectures": ["InternVLChatModel"],
        "auto_map": {"AutoConfig": "configuration_internvl_chat.InternVLChatConfig"},
        "model_type": "internvl_chat",
        "dtype": "float32",
        "downsample_ratio": config["downsample_ratio"],
        "dynamic_image_size": True,
        "use_thumbnail": True,
        "min_dynamic_patch": 1,
        "max_dynamic_patch": 12,
        "force_image_size": vision["image_size"],
        "ps_version": "v2",
        "select_layer": -1,
        "template": "internvl2_5",
        "vision_config": vision,
        "llm_config": {**text, "architectures": ["Qwen2ForCausalLM"]},
    }


def _name(name: str) -> str:
    part, _, rest = name.partition(".")
    if part == "vision_tower":
        for new, old in TOWER.items():
            rest = rest.replace(new, old)
        return f"vision_model.{rest}"
    if part == "multi_modal_projector":
        which, _, what = rest.partition(".")
        return f"{CONNECTOR[which]}.{what}"
    return name


def _fused(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return weights in which a tower's queries, keys and values are one matrix."""
    found = dict(weights)
    for name in weights:
        if name.startswith("vision_model.") and ".attention.q_proj." in name:
            parts = [found.pop(name.replace("q_proj", f"{kind}_proj")) for kind in "qkv"]
            found[name.replace("attention.q_proj", "attn.qkv")] = torch.cat(parts)
    return {name: weight.contiguous() for name, weight in found.items()}
