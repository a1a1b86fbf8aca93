"""Tiny vision language models of transformers with random weights, saved as their authors save the real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

t: Any = transformers

SPECIAL = [
    *("<pad>", "<s>", "<|im_start|>", "<|im_end|>", "<image>", "<video>", "<|vision_start|>", "<|vision_end|>"),
    *("<|image_pad|>", "<|video_pad|>", "<img>", "</img>", "<IMG_CONTEXT>", "<boi>", "<eoi>", "<image_soft>"),
    *("<fake_token_around_image>", "<global-img>", "<end_of_utterance>", "<|image|>", "<|video|>"),
    *("<|begin_of_image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|end_of_video|>"),
]
HIDDEN = 32
TEXT = {
    "vocab_size": 256 + len(SPECIAL),
    "hidden_size": HIDDEN,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
    "initializer_range": 0.5,  # so that no two tokens are nearly as probable
    "tie_word_embeddings": False,
    "bos_token_id": 257,
    "eos_token_id": 259,
    "pad_token_id": 256,
}
VIT = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
CLIP = {**VIT, "image_size": 28, "patch_size": 7}
MROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}
# What a checkpoint's own settings would do to answers, were they inherited.
TEMPTING = {"do_sample": True, "temperature": 5.0, "repetition_penalty": 9.0, "max_length": 3, "eos_token_id": [259]}

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% for c in m['content'] %}{% if c['type'] == 'text' %}{{ c['text'] }}"
    "{% elif c['type'] == 'video' %}VIDEO{% else %}IMAGE{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def template(video: str = "<video>", image: str = "<image>") -> str:
    return TEMPLATE.replace("VIDEO", video).replace("IMAGE", image)


def tokenizer(special: Sequence[str] = SPECIAL, **more: Any) -> Any:
    """A tokenizer of the 256 bytes, with every family's special tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    library = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(alphabet)}, merges=[]))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    library.decoder = decoders.ByteLevel()
    library.add_special_tokens(list(special))
    named = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "<|im_end|>"}
    return t.PreTrainedTokenizerFast(
        tokenizer_object=library,
        **named,
        model_input_names=["input_ids", "attention_mask"],
        **more,
    )


def token(name: str) -> int:
    return 256 + SPECIAL.index(name)


def qwen(kind: str) -> tuple[Any, Any]:
    sizes = {"patch_size": 4, "temporal_patch_size": 2, "merge_size": 2}
    tower = {"hidden_size": 16, "intermediate_size": 32, "out_hidden_size": HIDDEN}
    vision: dict[str, Any] = {"depth": 2, "num_heads": 2, "patch_size": 4, "spatial_merge_size": 2}
    vision |= {
        "qwen2_vl": {"embed_dim": 16, "hidden_size": HIDDEN, "mlp_ratio": 2},
        "qwen2_5_vl": {**tower, "window_size": 16, "fullatt_block_indexes": [1], "tokens_per_second": 4},
        "qwen3_vl": {**tower, "num_position_embeddings": 16, "deepstack_visual_indexes": [0]},
    }[kind]
    name = {"qwen2_vl": "Qwen2VL", "qwen2_5_vl": "Qwen2_5_VL", "qwen3_vl": "Qwen3VL"}[kind]
    rope = MROPE | ({"mrope_interleaved": True} if kind == "qwen3_vl" else {})
    head = {"head_dim": 8} if kind == "qwen3_vl" else {}
    config = getattr(t, f"{name}Config")(
        text_config={**TEXT, **head, "rope_parameters": rope},
        vision_config=vision,
        tie_word_embeddings=False,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
    )
    videos = t.Qwen3VLVideoProcessor if kind == "qwen3_vl" else t.Qwen2VLVideoProcessor
    processor = getattr(t, f"{name}Processor")(
        t.Qwen2VLImageProcessor(**sizes, size={"shortest_edge": 64, "longest_edge": 512}),
        tokenizer(),
        videos(**sizes),
        chat_template=template(*(f"<|vision_start|><|{what}_pad|><|vision_end|>" for what in ("video", "image"))),
    )
    return config, processor


def internvl() -> tuple[Any, Any]:
    config = t.InternVLConfig(
        vision_config={**VIT, "image_size": [28, 28], "patch_size": [7, 7]},
        text_config={**TEXT, "model_type": "qwen2"},
        image_token_id=token("<IMG_CONTEXT>"),
        image_seq_length=4,
        tie_word_embeddings=False,
    )
    names = {"start_image_token": "<img>", "end_image_token": "</img>"}
    names |= {"context_image_token": "<IMG_CONTEXT>", "video_token": "<video>"}
    size = {"height": 28, "width": 28}
    processor = t.InternVLProcessor(
        t.GotOcr2ImageProcessor(size=size, crop_to_patches=False),
        tokenizer(extra_special_tokens=names),
        t.InternVLVideoProcessor(size=size),
        image_seq_length=4,
        chat_template=template("<video>", "<IMG_CONTEXT>"),
    )
    return config, processor


def llava_onevision() -> tuple[Any, Any]:
    config = t.LlavaOnevisionConfig(
        vision_config={**CLIP, "model_type": "siglip_vision_model"},
        text_config={**TEXT, "model_type": "qwen2"},
        image_token_index=token("<image>"),
        video_token_index=token("<video>"),
        image_grid_pinpoints=[[28, 28], [28, 56]],
        tie_word_embeddings=False,
    )
    size = {"height": 28, "width": 28}
    processor = t.LlavaOnevisionProcessor(
        t.LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=[[28, 28], [28, 56]]),
        tokenizer(),
        t.LlavaOnevisionVideoProcessor(size=size),
        num_image_tokens=16,
        vision_feature_select_strategy="full",
        chat_template=template(),
    )
    return config, processor


def llava_next_video() -> tuple[Any, Any]:
    config = t.LlavaNextVideoConfig(
        vision_config={**CLIP, "model_type": "clip_vision_model"},
        text_config={**TEXT, "model_type": "llama"},
        image_token_index=token("<image>"),
        video_token_index=token("<video>"),
        image_grid_pinpoints=[[28, 28], [28, 56]],
        tie_word_embeddings=False,
    )
    size = {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28}}
    processor = t.LlavaNextVideoProcessor(
        video_processor=t.LlavaNextVideoVideoProcessor(**size),
        image_processor=t.LlavaNextImageProcessor(**size, image_grid_pinpoints=[[28, 28], [28, 56]]),
        tokenizer=tokenizer(),
        patch_size=7,
        vision_feature_select_strategy="default",
        chat_template=template(),
    )
    return config, processor


def video_llava() -> tuple[Any, Any]:
    config = t.VideoLlavaConfig(
        vision_config={**CLIP, "model_type": "clip_vision_model"},
        text_config={**TEXT, "model_type": "llama"},
        image_token_index=token("<image>"),
        video_token_index=token("<video>"),
        tie_word_embeddings=False,
    )
    size = {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28}}
    processor = t.VideoLlavaProcessor(
        t.CLIPImageProcessor(**size),
        t.VideoLlavaVideoProcessor(**size),
        tokenizer(),
        patch_size=7,
        vision_feature_select_strategy="default",
        chat_template=template(),
    )
    return config, processor


def smolvlm() -> tuple[Any, Any]:
    config = t.SmolVLMConfig(
        vision_config={**CLIP},
        text_config={**TEXT, "model_type": "llama"},
        image_token_id=token("<image>"),
        scale_factor=2,
        tie_word_embeddings=False,
    )
    edges = {"size": {"longest_edge": 28}, "max_image_size": {"longest_edge": 28}}
    processor = t.SmolVLMProcessor(
        t.SmolVLMImageProcessor(**edges, do_image_splitting=False),
        tokenizer(),
        t.SmolVLMVideoProcessor(**edges, num_frames=64, fps=1),
        image_seq_len=4,
        chat_template=template(),
    )
    return config, processor


def video_llama_3() -> tuple[Any, Any]:
    config = t.VideoLlama3Config(
        text_config={**TEXT, "model_type": "qwen2"},
        vision_config={**VIT, "patch_size": 4},
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        tie_word_embeddings=False,
    )
    sizes = {"patch_size": 4, "merge_size": 1}
    processor = t.VideoLlama3Processor(
        t.VideoLlama3ImageProcessor(**sizes, size={"shortest_edge": 64, "longest_edge": 512}),
        tokenizer(),
        t.VideoLlama3VideoProcessor(**{**sizes, "merge_size": 2}),
        chat_template=template("<|video_pad|>", "<|image_pad|>"),
    )
    return config, processor


def glm4v() -> tuple[Any, Any]:
    marks = {
        f"{kind}_{end}_token_id": token(f"<|{mark}_of_{kind}|>")
        for kind in ("image", "video")
        for end, mark in (("start", "begin"), ("end", "end"))
    }
    config = t.Glm4vConfig(
        text_config={**TEXT, "rope_parameters": MROPE},
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 32,
            "out_hidden_size": HIDDEN,
            "num_heads": 2,
            "image_size": 28,
            "patch_size": 4,
        },
        image_token_id=token("<|image|>"),
        video_token_id=token("<|video|>"),
        tie_word_embeddings=False,
        **marks,
    )
    sizes = {"patch_size": 4, "temporal_patch_size": 2, "merge_size": 2}
    places = (f"<|begin_of_{kind}|><|{kind}|><|end_of_{kind}|>" for kind in ("video", "image"))
    processor = t.Glm4vProcessor(
        t.Glm4vImageProcessor(**sizes, size={"shortest_edge": 128, "longest_edge": 1024}),
        tokenizer(),
        t.Glm4vVideoProcessor(**sizes),
        chat_template=template(*places),
    )
    return config, processor


def gemma3() -> tuple[Any, Any]:
    config = t.Gemma3Config(
        text_config={**TEXT, "head_dim": 8, "sliding_window": 64, "query_pre_attn_scalar": 8},
        vision_config={**CLIP},
        mm_tokens_per_image=4,
        boi_token_index=token("<boi>"),
        eoi_token_index=token("<eoi>"),
        image_token_index=token("<image_soft>"),
        tie_word_embeddings=False,
        initializer_range=0.5,
    )
    names = {"boi_token": "<boi>", "eoi_token": "<eoi>", "image_token": "<image_soft>"}
    processor = t.Gemma3Processor(
        t.Gemma3ImageProcessor(size={"height": 28, "width": 28}),
        tokenizer(extra_special_tokens=names),
        image_seq_length=4,
        chat_template="{{ bos_token }}" + template("", "<boi>"),
    )
    return config, processor


FAMILIES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "qwen2_vl": lambda: qwen("qwen2_vl"),
    "qwen2_5_vl": lambda: qwen("qwen2_5_vl"),
    "qwen3_vl": lambda: qwen("qwen3_vl"),
    "internvl": internvl,
    "llava_onevision": llava_onevision,
    "llava_next_video": llava_next_video,
    "video_llava": video_llava,
    "smolvlm": smolvlm,
    "video_llama_3": video_llama_3,
    "glm4v": glm4v,
    "gemma3": gemma3,
}


def write(folder: Path, family: str) -> Path:
    """Save a whole checkpoint of a family; its own generation settings are such as must not be inherited."""
    return save(folder, *FAMILIES[family]())


def save(folder: Path, config: Any, processor: Any) -> Path:
    """Save a model with random weights, and its processor."""
    torch.manual_seed(0)
    model = t.AutoModelForMultimodalLM.from_config(config, dtype=torch.float32)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():  # so that pictures matter, and no two tokens are as probable
            if weight.ndim > 1 and "norm" not in name:
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3)
    model.generation_config = t.GenerationConfig(**TEMPTING)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
