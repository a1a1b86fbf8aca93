"""Tiny random models of the families that `tiny_hf` does not build, each as its own classes save it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import transformers

from tests.adapters import tiny_hf

t: Any = transformers

MORE = (
    *("<|audio_pad|>", "<|audio_bos|>", "<|audio_eos|>", "<|vision_bos|>", "<|vision_eos|>", "<|IMAGE_PAD|>"),
    *("<|VIDEO_PAD|>", "<|patch|>", "<|image_start|>", "<|image_end|>", "<|vid_frame_separator|>", "<|vid_start|>"),
    *("<|vid_end|>", "<|IMAGE_PLACEHOLDER|>", "<|VIDEO_PLACEHOLDER|>", "<|IMAGE_START|>", "<|IMAGE_END|>"),
    *("<|VIDEO_START|>", "<|VIDEO_END|>", "<im_patch>", "<im_col>", "<im_start>", "<low_res_im_start>", "<im_end>"),
    *("<frame_start>", "<frame_end>", "<im_low>", "<|media_begin|>", "<|media_content|>", "<|media_end|>"),
    *("<|media_pad|>", "<|kimi_k25_video_placeholder|>", "<image_id>", "</image_id>", "<slice>", "</slice>"),
    *("</image>", "]<]image[>[", "]<]video[>[", "]<]start of image[>[", "]<]end of image[>[", "<so_embedding>"),
    *("<so_start>", "<so_end>", "<|audio|>", "<|soft_audio_start|>", "<|soft_audio_end|>", "<|imgpad|>"),
    *("<|audio_comp_pad|>", "<|img|>", "<|endofimg|>", "<eos>", "<audio_soft>", "<boa>", "<eoa>", "<|video_start|>"),
)
VOCABULARY = 256 + len(tiny_hf.SPECIAL) + len(MORE)
HIDDEN = tiny_hf.HIDDEN
TEXT = {**tiny_hf.TEXT, "vocab_size": VOCABULARY}
VIT = tiny_hf.VIT
# A text model of alternating kinds of layers: the last attends to everything.
LINEAR = {"linear_key_head_dim": 8, "linear_value_head_dim": 8, "linear_num_key_heads": 2, "linear_num_value_heads": 4}
MIXED = {"head_dim": 32, "layer_types": ["linear_attention", "full_attention"], **LINEAR}
PARTLY = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.25, "mrope_section": [2, 1, 1]}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
TOWER = {
    "depth": 2,
    "num_heads": 2,
    "hidden_size": 16,
    "intermediate_size": 32,
    "patch_size": 4,
    "spatial_merge_size": 2,
}
QWEN3_TOWER = {**TOWER, "out_hidden_size": HIDDEN, "num_position_embeddings": 16}
WINDOWS = {**TOWER, "out_hidden_size": HIDDEN, "window_size": 16, "fullatt_block_indexes": [1]}
SIZES = {"patch_size": 4, "temporal_patch_size": 2, "merge_size": 2}
SMALL = {"shortest_edge": 64, "longest_edge": 512}
Built = tuple[Any, Any]


def token(name: str) -> int:
    return 256 + [*tiny_hf.SPECIAL, *MORE].index(name)


def tokenizer(**more: Any) -> Any:
    return tiny_hf.tokenizer([*tiny_hf.SPECIAL, *MORE], **more)


QWEN_IDS = {
    "image_token_id": token("<|image_pad|>"),
    "video_token_id": token("<|video_pad|>"),
    "vision_start_token_id": token("<|vision_start|>"),
    "vision_end_token_id": token("<|vision_end|>"),
}
QWEN_TEMPLATE = tiny_hf.template(*(f"<|vision_start|><|{what}_pad|><|vision_end|>" for what in ("video", "image")))


def like_qwen(
    config: str,
    processor: str = "Qwen3VLProcessor",
    videos: str = "Qwen3VLVideoProcessor",
    images: str = "Qwen2VLImageProcessor",
    sizes: dict[str, int] = SIZES,
    template: str = QWEN_TEMPLATE,
    **settings: Any,
) -> Built:
    made = getattr(t, config)(**{"tie_word_embeddings": False, **QWEN_IDS, **settings})
    parts = {
        "image_processor": getattr(t, images)(**sizes, size=SMALL),
        "tokenizer": tokenizer(),
        "video_processor": getattr(t, videos)(**sizes),
    }
    return made, getattr(t, processor)(**parts, chat_template=template)


def qwen3_vl_moe() -> Built:
    rope = {**tiny_hf.MROPE, "mrope_interleaved": True}
    text = {**TEXT, **EXPERTS, "num_local_experts": 4, "head_dim": 8, "rope_parameters": rope}
    return like_qwen(
        "Qwen3VLMoeConfig", text_config=text, vision_config={**QWEN3_TOWER, "deepstack_visual_indexes": [0]}
    )


def cosmos3_omni() -> Built:
    rope = {**tiny_hf.MROPE, "mrope_interleaved": True}
    return like_qwen(
        "Cosmos3OmniConfig",
        text_config={**TEXT, "head_dim": 8, "rope_parameters": rope, "model_type": "qwen3_vl_text"},
        vision_config={**QWEN3_TOWER, "deepstack_visual_indexes": [0], "model_type": "qwen3_vl_vision"},
    )


def qwen3_5() -> Built:
    return like_qwen(
        "Qwen3_5Config", text_config={**TEXT, **MIXED, "rope_parameters": PARTLY}, vision_config=QWEN3_TOWER
    )


def qwen3_5_moe() -> Built:
    text = {**TEXT, **MIXED, **EXPERTS, "shared_expert_intermediate_size": 16, "rope_parameters": PARTLY}
    return like_qwen("Qwen3_5MoeConfig", text_config=text, vision_config=QWEN3_TOWER)


def qwen4_exp() -> Built:
    text = {**TEXT, **MIXED, **EXPERTS, "shared_expert_intermediate_size": 16, "rope_parameters": PARTLY}
    text |= {"hc_count": 2, "hc_lowrank": 8, "indexer_n_heads": 2, "indexer_kv_heads": 1, "indexer_head_dim": 32}
    text |= {"indexer_budget": 4096, "indexer_compress_ratio": 4}
    return like_qwen("Qwen4ExpConfig", text_config=text, vision_config=QWEN3_TOWER)


def cosmos3_edge() -> Built:
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]}
    return like_qwen(
        "Cosmos3EdgeConfig",
        "Cosmos3EdgeProcessor",
        "Cosmos3EdgeVideoProcessor",
        "Cosmos3EdgeImageProcessor",
        {"patch_size": 4, "merge_size": 2},
        text_config={**TEXT, "head_dim": 8, "rope_parameters": rope},
        vision_config={**VIT, "patch_size": 4, "num_patches": 16},
        projector_hidden_size=32,
    )


def lfm3_vl() -> Built:
    text = {**TEXT, "head_dim": 8, "layer_types": ["conv", "full_attention"], "model_type": "lfm3"}
    vision = {**VIT, "num_key_value_heads": 1, "patch_size": 4, "layer_types": ["conv", "full_attention"]}
    return like_qwen(
        "Lfm3VlConfig", "Lfm3VlProcessor", text_config=text, vision_config=vision, projector_hidden_size=32
    )


def exaone4_5() -> Built:
    text = {
        **TEXT,
        "model_type": "exaone4",
        "sliding_window": 64,
        "layer_types": ["sliding_attention", "full_attention"],
    }
    return like_qwen(
        "Exaone4_5_Config",
        "Exaone4_5_Processor",
        "Qwen2VLVideoProcessor",
        text_config=text,
        vision_config={**WINDOWS, "num_key_value_heads": 1},
    )


def hyperclovax_vision_v2() -> Built:
    return like_qwen(
        "HyperCLOVAXVisionV2Config",
        "HyperCLOVAXVisionV2Processor",
        "Qwen2VLVideoProcessor",
        text_config={**TEXT, "model_type": "hyperclovax"},
        vision_config={**WINDOWS, "tokens_per_second": 4, "model_type": "qwen2_5_vl_vision"},
    )


def cohere_compass() -> Built:
    names = {"image_token_id": token("<|IMAGE_PAD|>"), "video_token_id": token("<|VIDEO_PAD|>")}
    places = (f"<|vision_start|><|{what}_PAD|><|vision_end|>" for what in ("VIDEO", "IMAGE"))
    rope = {"full_attention": {"rope_type": "default", "rope_theta": 1e4}}
    return like_qwen(
        "CohereCompassConfig",
        "CohereCompassProcessor",
        "CohereCompassVideoProcessor",
        "CohereCompassImageProcessor",
        template=tiny_hf.template(*places),
        text_config={**TEXT, "head_dim": 8, "rope_parameters": rope},
        vision_config={**QWEN3_TOWER, "deepstack_visual_indexes": [0]},
        **names,
    )


def hy_v4_vl() -> Built:
    text = {
        **TEXT,
        **SPARSE,
        "index_topk": 4096,
        "hc_mult": 2,
        "rope_parameters": {**MLA_ROPE, "mrope_section": [2, 1, 1]},
    }
    text |= {
        "mlp_layer_types": ["dense", "sparse"],
        "layer_types": ["indexed_attention"] * 2,
        "indexer_types": ["full"] * 2,
    }
    vision = {**VIT, "num_key_value_heads": 2, "patch_size": 4, "out_hidden_size": HIDDEN, "max_image_size": 64}
    return like_qwen(
        "HYV4VLConfig",
        "HYV4VLProcessor",
        "HYV4VLVideoProcessor",
        "HYV4VLImageProcessor",
        {"patch_size": 4, "merge_size": 2},
        text_config=text,
        vision_config=vision,
    )


# Attention over compressed keys, with experts, as DeepSeek's.
MLA = {"q_lora_rank": 16, "kv_lora_rank": 16, "qk_nope_head_dim": 8, "qk_rope_head_dim": 8, "v_head_dim": 8}
SPARSE = {
    **MLA,
    "num_key_value_heads": 4,
    "head_dim": 8,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "n_group": 1,
    "topk_group": 1,
    "index_head_dim": 16,
    "index_n_heads": 2,
}
MLA_ROPE = {"rope_type": "default", "rope_theta": 1e4}


def like_glm(config: str, processor: str, videos: str, images: str, **settings: Any) -> Built:
    marks = {
        f"{kind}_{end}_token_id": token(f"<|{mark}_of_{kind}|>")
        for kind in ("image", "video")
        for end, mark in (("start", "begin"), ("end", "end"))
    }
    made = getattr(t, config)(
        image_token_id=token("<|image|>"),
        video_token_id=token("<|video|>"),
        tie_word_embeddings=False,
        **marks,
        **settings,
    )
    places = (f"<|begin_of_{kind}|><|{kind}|><|end_of_{kind}|>" for kind in ("video", "image"))
    parts = {
        "image_processor": getattr(t, images)(**SIZES),
        "tokenizer": tokenizer(),
        "video_processor": getattr(t, videos)(**SIZES),
    }
    return made, getattr(t, processor)(**parts, chat_template=tiny_hf.template(*places))


GLM_TOWER = {**TOWER, "out_hidden_size": HIDDEN, "image_size": 28}
GLM_TEXT = {**TEXT, "rope_parameters": tiny_hf.MROPE}


def glm46v() -> Built:
    parts = ("Glm46VConfig", "Glm46VProcessor", "Glm46VVideoProcessor", "Glm46VImageProcessor")
    return like_glm(*parts, text_config=GLM_TEXT | {"model_type": "glm4v_text"}, vision_config=GLM_TOWER)


def glmga() -> Built:
    parts = ("GlmgaConfig", "Glm46VProcessor", "GlmgaVideoProcessor", "GlmgaImageProcessor")
    return like_glm(*parts, text_config=GLM_TEXT | {"model_type": "glm4v_text"}, vision_config=GLM_TOWER)


def glm5_next() -> Built:
    parts = ("Glm5NextConfig", "Glm5NextProcessor", "Glm5NextVideoProcessor", "Glm5NextImageProcessor")
    text = {**TEXT, **SPARSE, "qk_rope_head_dim": 0, "qk_nope_head_dim": 16, "v_head_dim": 16, "head_dim": 0}
    text |= {"mlp_layer_types": ["dense", "sparse"], "layer_types": ["linear_attention", "indexed_attention"]}
    text |= {"indexer_types": ["full"] * 2, "linear_head_dim": 8, "linear_num_heads": 4, "hc_mult": 2, "index_kpool": 4}
    vision = {**GLM_TOWER, "projection_intermediate_size": 32}
    made, processor = like_glm(*parts, text_config=text, vision_config=vision)
    processor.video_processor.max_image_tokens = 64
    return made, processor


def assembled(config: Any, processor: str, template: str, named: dict[str, str] | None = None, **parts: Any) -> Built:
    made = getattr(t, processor)(
        tokenizer=tokenizer(**({"extra_special_tokens": named} if named else {})),
        chat_template=template,
        **parts,
    )
    return config, made


def kimi_k25() -> Built:
    config = t.Kimi_K25Config(
        text_config={
            **TEXT,
            **SPARSE,
            "rope_parameters": MLA_ROPE,
            "first_k_dense_replace": 1,
            "model_type": "deepseek_v3",
        },
        vision_config={**VIT, "patch_size": 4, "pos_emb_height": 8, "pos_emb_width": 8},
        projection_hidden_size=16,
        image_token_id=token("<|media_pad|>"),
        video_token_id=token("<|kimi_k25_video_placeholder|>"),
        vision_start_token_id=token("<|media_begin|>"),
        vision_end_token_id=token("<|media_end|>"),
        tie_word_embeddings=False,
    )
    parts = {
        "image_processor": t.Kimi_K25ImageProcessor(patch_size=4, merge_size=2),
        "video_processor": t.Kimi_K25VideoProcessor(patch_size=4, merge_size=2, max_patches=64),
    }
    template = tiny_hf.template("<|kimi_k25_video_placeholder|>", "<|media_pad|>")
    return assembled(config, "Kimi_K25Processor", template, **parts)


def minimax_m3_vl() -> Built:
    text = {**TEXT, "head_dim": 8, "rotary_dim": 8, "num_local_experts": 4, "num_experts_per_tok": 2}
    text |= {"dense_intermediate_size": 32, "shared_intermediate_size": 16, "index_head_dim": 8}
    text |= {"layer_types": ["full_attention"] * 2, "mlp_layer_types": ["dense", "sparse"]}
    config = t.MiniMaxM3VLConfig(
        text_config=text,
        vision_config={**VIT, "num_attention_heads": 2, "hidden_size": 32, "patch_size": 4, "image_size": 32},
        image_token_index=token("]<]image[>["),
        video_token_index=token("]<]video[>["),
        projector_hidden_size=HIDDEN,
        tie_word_embeddings=False,
    )
    small = {"size": {"height": 32, "width": 32}, "max_pixels": 1024, "min_pixels": 64}
    parts = {
        "image_processor": t.MiniMaxM3VLImageProcessor(**SIZES),
        "video_processor": t.MiniMaxM3VLVideoProcessor(**SIZES, **small),
    }
    return assembled(config, "MiniMaxM3VLProcessor", tiny_hf.template("]<]video[>[", "]<]image[>["), **parts)


def minicpm(kind: str) -> Built:
    name = {"minicpmv4_6": "MiniCPMV4_6", "minicpmv4_7": "MiniCPMV4_7", "minicpm_ocr": "MiniCPMOcr"}[kind]
    vision = {**VIT, "num_hidden_layers": 2, "image_size": 64, "patch_size": 4, "insert_layer_id": 0}
    config = getattr(t, f"{name}Config")(
        text_config={**TEXT, **MIXED, "rope_parameters": PARTLY, "model_type": "qwen3_5_text"},
        vision_config=vision,
        image_size=64,
        insert_layer_id=0,
        patch_size=4,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        tie_word_embeddings=False,
    )
    named = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "image_start_token": "<|image_start|>",
        "image_end_token": "<|image_end|>",
        "slice_start_token": "<slice>",
        "slice_end_token": "</slice>",
        "image_id_start_token": "<image_id>",
        "image_id_end_token": "</image_id>",
    }
    small = {"scale_resolution": 64, "patch_size": 4}
    both = "MiniCPMV4_6" if kind == "minicpmv4_7" else name
    parts = {
        "image_processor": getattr(t, f"{both}ImageProcessor")(**small),
        "video_processor": getattr(t, f"{both}VideoProcessor")(**small),
    }
    return assembled(config, f"{name}Processor", tiny_hf.template("<|video_pad|>", "<|image_pad|>"), named, **parts)


def molmo2() -> Built:
    text = {**TEXT, "head_dim": 8, "additional_vocab_size": 16}
    config = t.Molmo2Config(
        vision_config={
            **VIT,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "image_size": [28, 28],
            "patch_size": 7,
            "num_position_embeddings": 16,
        },
        adapter_config={
            "vision_feature_layer": [1, 0],
            "hidden_size": 16,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "intermediate_size": 32,
            "text_hidden_size": HIDDEN,
        },
        text_config=text,
        image_start_token_id=token("<im_start>"),
        low_res_image_start_token_id=token("<low_res_im_start>"),
        image_end_token_id=token("<im_end>"),
        image_patch_id=token("<im_patch>"),
        frame_start_token_id=token("<frame_start>"),
        frame_end_token_id=token("<frame_end>"),
        tie_word_embeddings=False,
    )
    size = {"size": {"height": 28, "width": 28}, "patch_size": 7}
    parts = {"image_processor": t.Molmo2ImageProcessor(**size), "video_processor": t.Molmo2VideoProcessor(**size)}
    return assembled(config, "Molmo2Processor", tiny_hf.template("<|video|>", "<|image|>"), **parts)


def muse(kind: str) -> Built:
    name = {"muse_glimmer": "MuseGlimmer", "muse_spark": "MuseSpark"}[kind]
    text = {**TEXT, "head_dim": 8, "sliding_window": 64, "layer_types": ["sliding_attention", "full_attention"]}
    text["layer_rope_theta"] = [10000.0, 0]
    vision = {**VIT, "patch_size": 4, "pos_emb_height": 8, "pos_emb_width": 8, "max_position_embeddings": 64}
    more: dict[str, Any] = {}
    sizes = {"patch_size": 4, "merge_size": 2}
    parts = {
        "image_processor": t.MuseGlimmerImageProcessor(**sizes),
        "video_processor": t.MuseGlimmerVideoProcessor(**sizes, max_video_frame_tokens=16),
    }
    if kind == "muse_spark":
        text |= {"mlp_layer_types": ["sparse"] * 2, "moe_intermediate_size": 16, "moe_hidden_size": 16}
        text |= {"num_local_experts": 4, "num_experts_per_tok": 2}
        more["audio_config"] = {"hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "out_hidden_size": HIDDEN}
        more["audio_token_id"] = token("<|audio|>")
        parts["feature_extractor"] = t.MuseSparkFeatureExtractor()
    config = getattr(t, f"{name}Config")(
        text_config=text,
        vision_config=vision,
        out_hidden_size=64,
        projector_hidden_size=32,
        image_token_id=token("<|patch|>"),
        video_token_id=token("<|video|>"),
        **more,
    )
    return assembled(config, f"{name}Processor", tiny_hf.template("<|video|>", "<|patch|>"), **parts)


GEMMA_NAMES = {
    "image_token": "<image_soft>",
    "boi_token": "<boi>",
    "eoi_token": "<eoi>",
    "audio_token": "<audio_soft>",
    "boa_token": "<boa>",
    "eoa_token": "<eoa>",
}


def gemma(kind: str) -> Built:
    name = {"gemma4": "Gemma4", "gemma4_unified": "Gemma4Unified"}[kind]
    rope = {
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        "full_attention": {"rope_type": "proportional", "rope_theta": 1e6, "partial_rotary_factor": 0.5},
    }
    text = {**TEXT, "head_dim": 8, "sliding_window": 64, "layer_types": ["sliding_attention", "full_attention"]}
    text |= {"rope_parameters": rope, "per_layer_config": {}}
    vision = {**VIT, "num_key_value_heads": 2, "head_dim": 8, "patch_size": 4}
    if kind == "gemma4":
        text |= {"hidden_size_per_layer_input": 8, "vocab_size_per_layer_input": VOCABULARY}
    config = getattr(t, f"{name}Config")(
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=False,
        boi_token_id=token("<boi>"),
        eoi_token_id=token("<eoi>"),
        image_token_id=token("<image_soft>"),
        video_token_id=token("<|video|>"),
        audio_token_id=token("<audio_soft>"),
    )
    parts = {
        "feature_extractor": getattr(
            t, f"{name}AudioFeatureExtractor" if kind != "gemma4" else "Gemma4AudioFeatureExtractor"
        )(),
        "image_processor": getattr(t, f"{name}ImageProcessor")(patch_size=4),
        "video_processor": getattr(t, f"{name}VideoProcessor")(patch_size=4),
    }
    return assembled(config, f"{name}Processor", tiny_hf.template("<|video|>", "<image_soft>"), GEMMA_NAMES, **parts)


def perception_lm() -> Built:
    tower = {
        "architecture": "vit_pe_core_large_patch14_336",
        "do_pooling": True,
        "num_classes": 0,
        "global_pool": "map",
    }
    args = {"embed_dim": 16, "img_size": [28, 28], "depth": 2, "num_heads": 2, "patch_size": 7, "init_values": 0.1}
    tower["model_args"] = {
        **args,
        "global_pool": "",
        "use_post_transformer_norm": False,
        "ref_feat_shape": [4, 4],
        "class_token": False,
    }
    config = t.PerceptionLMConfig(
        text_config={**TEXT, "model_type": "llama"},
        vision_config={**tower, "model_type": "timm_wrapper"},
        vision_use_cls_token=False,
        projector_pooling_ratio=2,
        image_token_id=token("<|image|>"),
        video_token_id=token("<|video|>"),
    )
    size = {"size": {"height": 28, "width": 28}}
    made = t.PerceptionLMProcessor(
        t.PerceptionLMVideoProcessor(**size),
        t.PerceptionLMImageProcessor(**size, tile_size=28, max_num_tiles=1, vision_input_type="vanilla"),
        tokenizer(extra_special_tokens={"image_token": "<|image|>", "video_token": "<|video|>"}),
        patch_size=7,
        pooling_ratio=2,
        chat_template=tiny_hf.template("<|video|>", "<|image|>"),
    )
    return config, made


def ernie4_5_vl_moe() -> Built:
    import matplotlib

    font = str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
    text = {**TEXT, "moe_intermediate_size": [16, 16], "moe_num_experts": 4, "moe_k": 2, "moe_num_shared_experts": 1}
    text |= {"mlp_layer_types": ["dense", "sparse"], "rope_parameters": tiny_hf.MROPE}
    names = {
        "image_token": "<|IMAGE_PLACEHOLDER|>",
        "image_start_token": "<|IMAGE_START|>",
        "image_end_token": "<|IMAGE_END|>",
        "video_token": "<|VIDEO_PLACEHOLDER|>",
        "video_start_token": "<|VIDEO_START|>",
        "video_end_token": "<|VIDEO_END|>",
    }
    config = t.Ernie4_5_VLMoeConfig(
        text_config=text,
        vision_config=TOWER,
        tie_word_embeddings=False,
        **{f"{name}_id": token(text) for name, text in names.items()},
    )
    places = (f"<|{what}_START|><|{what}_PLACEHOLDER|><|{what}_END|>" for what in ("VIDEO", "IMAGE"))
    parts = {
        "image_processor": t.Ernie4_5_VLMoeImageProcessor(**SIZES),
        "video_processor": t.Ernie4_5_VLMoeVideoProcessor(**SIZES, font=font),
    }
    return assembled(config, "Ernie4_5_VLMoeProcessor", tiny_hf.template(*places), names, **parts)


def nemotron_h_omni() -> Built:
    text = {**TEXT, "layers_block_type": ["linear_attention", "moe", "full_attention", "mlp"], "head_dim": 8}
    text |= {"mamba_num_heads": 4, "mamba_head_dim": 8, "ssm_state_size": 8, "n_groups": 2, "chunk_size": 16}
    text |= {"n_routed_experts": 4, "moe_intermediate_size": 16, "moe_shared_expert_intermediate_size": 16}
    text |= {"use_mamba_kernels": False, "model_type": "nemotron_h"}
    del text["num_hidden_layers"]
    vision = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 4, "image_size": 32}
    vision |= {
        "max_img_size": 64,
        "model_type": "radio",
        "patch_dim": 48,
        "video_patch_dim": 96,
        "video_temporal_patch_size": 2,
    }
    config = t.NemotronH_Omni_Reasoning_V3_Config(
        text_config=text,
        vision_config=vision,
        vision_hidden_size=16,
        projector_hidden_size=32,
        image_token_id=token("<image>"),
        img_context_token_id=token("<image>"),
    )
    mean = {"norm_mean": [0.5, 0.5, 0.5], "norm_std": [0.5, 0.5, 0.5], "patch_size": 4}
    parts = {
        "image_processor": t.NemotronH_Omni_Reasoning_V3ImageProcessor(**mean),
        "video_processor": t.NemotronH_Omni_Reasoning_V3VideoProcessor(**mean, video_target_num_patches=64),
        "feature_extractor": t.ParakeetFeatureExtractor(),
    }
    return assembled(config, "NemotronH_Omni_Reasoning_V3Processor", tiny_hf.template(), **parts)


def dots3_note() -> Built:
    text = {
        **TEXT,
        **SPARSE,
        "head_dim": 16,
        "layer_types": ["sliding_attention", "indexed_attention"],
        "sliding_window": 64,
    }
    text |= {"mlp_layer_types": ["dense", "sparse"], "per_layer_config": {}, "shared_experts_intermediate_size": 16}
    vision = {**VIT, "patch_size": 4, "moe_intermediate_size": 16, "num_local_experts": 2, "num_experts_per_tok": 1}
    vision |= {"adapter_in_dim": 16, "adapter_out_dim": HIDDEN, "per_layer_config": {}}
    audio = {**VIT, "head_dim": 8, "num_key_value_heads": 2, "downsample_hidden_size": 8, "adapter_input_size": 16}
    config = t.Dots3NoteConfig(
        text_config=text,
        vision_config=vision,
        audio_config={**audio, "adapter_out_dim": HIDDEN},
        image_token_id=token("<|imgpad|>"),
        video_token_id=token("<|video_pad|>"),
        audio_token_id=token("<|audio_comp_pad|>"),
    )
    parts = {
        "image_processor": t.Qwen2VLImageProcessor(patch_size=4, temporal_patch_size=1, merge_size=2, size=SMALL),
        "video_processor": t.Qwen3VLVideoProcessor(patch_size=4, temporal_patch_size=1, merge_size=2),
        "feature_extractor": t.Dots3NoteFeatureExtractor(),
    }
    template = tiny_hf.template("<|img|><|video_pad|><|endofimg|>", "<|img|><|imgpad|><|endofimg|>")
    return assembled(config, "Dots3NoteProcessor", template, **parts)


def omni(kind: str) -> Built:
    """The part of an omni model that writes; what speaks is left out, as some checkpoints do."""
    name = {"qwen2_5_omni": "Qwen2_5Omni", "qwen3_omni_moe": "Qwen3OmniMoe"}[kind]
    rope = {**tiny_hf.MROPE, **({"mrope_interleaved": True} if kind == "qwen3_omni_moe" else {})}
    text = {**TEXT, "rope_parameters": rope, **(EXPERTS if kind == "qwen3_omni_moe" else {})}
    more = {"deepstack_visual_indexes": [0], "num_position_embeddings": 16} if kind == "qwen3_omni_moe" else {}
    vision = {**(TOWER if more else WINDOWS), "out_hidden_size": HIDDEN, **more}
    audio = {"d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}
    audio |= {"output_dim": HIDDEN, "num_mel_bins": 128, **({"downsample_hidden_size": 8} if more else {})}
    mark = "_token_id" if more else "_token_index"
    named = {"audio": "<|audio_pad|>", "image": "<|image_pad|>", "video": "<|video_pad|>"}
    thinker: dict[str, Any] = {f"{what}{mark}": token(text) for what, text in named.items()}
    thinker |= {"text_config": text, "vision_config": vision, "audio_config": audio}
    thinker |= {"audio_start_token_id": token("<|audio_bos|>"), "audio_end_token_id": token("<|audio_eos|>")}
    thinker |= {"vision_start_token_id": token("<|vision_bos|>"), "vision_end_token_id": token("<|vision_eos|>")}
    config = getattr(t, f"{name}Config")(thinker_config=thinker, enable_audio_output=False)
    names = {f"{what}_token": text for what, text in named.items()}
    names |= {f"{what}_{end}_token": f"<|{what}_{end}|>" for what in ("vision", "audio") for end in ("bos", "eos")}
    parts = {
        "image_processor": t.Qwen2VLImageProcessor(**SIZES, size=SMALL),
        "video_processor": t.Qwen2VLVideoProcessor(**SIZES),
        "feature_extractor": t.WhisperFeatureExtractor(feature_size=128),
    }
    places = (f"<|vision_bos|><|{what}_pad|><|vision_eos|>" for what in ("video", "image"))
    return assembled(config, f"{name}Processor", tiny_hf.template(*places), names, **parts)


FAMILIES: dict[str, Callable[[], Built]] = {
    "qwen3_vl_moe": qwen3_vl_moe,
    "cosmos3_omni": cosmos3_omni,
    "qwen3_5": qwen3_5,
    "qwen3_5_moe": qwen3_5_moe,
    "qwen4_exp": qwen4_exp,
    "cosmos3_edge": cosmos3_edge,
    "lfm3_vl": lfm3_vl,
    "exaone4_5": exaone4_5,
    "hyperclovax_vision_v2": hyperclovax_vision_v2,
    "cohere_compass": cohere_compass,
    "hy_v4_vl": hy_v4_vl,
    "glm46v": glm46v,
    "glmga": glmga,
    "glm5_next": glm5_next,
    "kimi_k25": kimi_k25,
    "minimax_m3_vl": minimax_m3_vl,
    "minicpmv4_6": lambda: minicpm("minicpmv4_6"),
    "minicpmv4_7": lambda: minicpm("minicpmv4_7"),
    "minicpm_ocr": lambda: minicpm("minicpm_ocr"),
    "molmo2": molmo2,
    "muse_glimmer": lambda: muse("muse_glimmer"),
    "muse_spark": lambda: muse("muse_spark"),
    "gemma4": lambda: gemma("gemma4"),
    "gemma4_unified": lambda: gemma("gemma4_unified"),
    "perception_lm": perception_lm,
    "ernie4_5_vl_moe": ernie4_5_vl_moe,
    "nemotron_h_omni": nemotron_h_omni,
    "dots3_note": dots3_note,
    "qwen2_5_omni": lambda: omni("qwen2_5_omni"),
    "qwen3_omni_moe": lambda: omni("qwen3_omni_moe"),
}
