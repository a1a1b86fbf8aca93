"""How a model is served by vLLM, and asked then. Knows the options of `vllm serve`; starts nothing."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from ecva_bench.checkpoints.files import read_json_object
from ecva_bench.checkpoints.remote_code import code_files
from ecva_bench.errors import UsageError
from ecva_bench.untrusted import say

from ..hf.adapter import WORDS, Hf
from ..hf.families import Family

SEED = 0
QUESTION = 1024  # most tokens of a question with its template, for `--max-model-len`
PIXELS_A_TOKEN = 28 * 28  # of models whose frames have no fixed number of tokens
PATCH = 14
# Without it vLLM 0.32 refuses a video that comes with the places of its frames.
TRUST = "--trust-request-mm-kwargs"
TRUST_CODE = "--trust-remote-code"
ADDRESS = "http://localhost:8000/v1"
# Without the second, the checkpoint's own settings, such as a penalty for repetition, would be added to every request.
PLAIN = ("--seed", str(SEED), "--generation-config", "vllm")


def serve_lines(model: str) -> tuple[str, str]:
    """Return the command that serves a model, a hub id or a folder, and the one that runs against it.

    Says it on the screen where the first runs code that the checkpoint brings. Of a hub id only its settings are
    fetched. Raises `AdapterError` where they are not to be had.
    """
    known = Hf.of_settings(model)
    family = known.family
    frames = _most_frames(family, model)
    config = read_json_object(known.checkpoint.folder / "config.json")
    length = frames * _tokens_a_frame(config, family) + QUESTION + WORDS
    serve: dict[str, str] = {
        "--served-model-name": known.checkpoint.name,
        "--max-model-len": str(_context(config, length)),
        "--limit-mm-per-prompt": json.dumps(most_media(family, model)),
    }
    if options := family.options(frames):
        serve["--mm-processor-kwargs"] = json.dumps(options)
    if family.config:
        serve["--hf-overrides"] = json.dumps(family.config)
    place, _, revision = (model, "", "") if Path(model).expanduser().is_dir() else model.partition("@")
    if revision:
        serve["--revision"] = revision
    rule = family.frames
    options = {"base-url": ADDRESS, "frames-as": "video" if family.input == "video" else "images"}
    options |= {"fps": f"{rule['fps']:g}"} if "fps" in rule else {"sampler": rule["rule"]}
    options |= {"frames": str(frames), "max-new-tokens": str(WORDS)}
    words = [word for pair in serve.items() for word in pair]
    words += [TRUST] if family.input == "video" else []
    if (family.own_code or not family.listed) and (code := code_files(known.checkpoint.folder)):
        words.append(TRUST_CODE)
        say(f"{TRUST_CODE} runs code that comes with {model} ({', '.join(code)}): read it first", error=True)
    return (
        shlex.join(["vllm", "serve", place, *words, "--enable-prefix-caching", *PLAIN]),
        shlex.join(
            ["ecva-bench", "run", "--model", f"openai:{known.checkpoint.name}"]
            + [word for name, value in options.items() for word in ("--model-arg", f"{name}={value}")]
        ),
    )


def most_media(family: Family, name: str) -> dict[str, int]:
    """Return how many videos or images one question shows at most, by vLLM's names."""
    return {"video": 1} if family.input == "video" else {"image": _most_frames(family, name)}


def _most_frames(family: Family, name: str) -> int:
    most = family.frames.get("cap", family.frames.get("count"))
    if most is None:
        raise UsageError("the most frames a video may have are not known", name, "say them with frames=N")
    return int(most)


def _tokens_a_frame(config: dict[str, Any], family: Family) -> int:
    """Return the most tokens of one frame: what the configuration says, else the largest frame's."""
    for name in ("mm_tokens_per_image", "image_seq_length"):
        if config.get(name):
            return int(config[name])
    if family.pixels is not None:
        return -(-int(family.pixels["most"]) // PIXELS_A_TOKEN)
    vision = config.get("vision_config") or {}
    size = vision.get("image_size", 384)
    side, patch = max(size) if isinstance(size, list) else size, vision.get("patch_size", PATCH)
    return int(-(-side // (max(patch) if isinstance(patch, list) else patch))) ** 2


def _context(config: dict[str, Any], tokens: int) -> int:
    """Return a context for so many tokens, in steps of 1024; vLLM does not start with one longer than the model's."""
    longest = (config.get("text_config") or config).get("max_position_embeddings")
    context = -(-tokens // 1024) * 1024
    return min(context, int(longest)) if longest else context
