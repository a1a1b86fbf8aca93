"""MovieLLM 7B (arXiv 2403.01422): LLaMA-VID trained on generated films, with positions sixteen times as close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from ecva_bench.answering import ModelCard
from ecva_bench.checkpoints.finding import Checkpoint

from .llama_vid.adapter import LlamaVid

INNER = "llama-vid-7b-full-224-long-video-MovieLLM"  # the folder in the repository, which bears the same name


class MovieLLM(LlamaVid):
    """The 7B model, asked about short videos as LLaMA-VID is: so its authors measured it."""

    card = ModelCard(
        name="MovieLLM 7B",
        paper="arXiv 2403.01422",
        code="Deaddawn/MovieLLM-code",
        code_licence="MIT",
        weights_licence="MIT; trained from LLaMA-VID's, which are CC BY-NC 4.0",
        hub_ids=(f"sfsdfsafsddsfsdafsa/{INNER}",),
        frames="1 a second",
        visual_tokens="2 a frame",
        memory="15.9 GB of weights in 16 bits (computed); the files are in 32 bits, 31.8 GB",
        deviations=(
            *LlamaVid.card.deviations,
            "Frames are seen with their class token, as in LLaMA-VID's evaluation. The authors' script for whole films"
            " is not reproduced: it shows frames without it, beside subtitles, and has the Q-Former read two questions"
            " of its own in place of the one asked.",
        ),
    )
    default_checkpoint = f"sfsdfsafsddsfsdafsa/{INNER}"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {**LlamaVid.files, "model": (f"{INNER}/*",)}

    def __init__(self, *, model_path: str = "", **options: str) -> None:
        place = Path(model_path)
        inner = place.name == INNER and not (place / INNER).is_dir() and place.is_dir()
        super().__init__(model_path=str(place.resolve().parent) if inner else model_path, **options)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The model's own weights, in a folder of the repository."""
        found = super().checkpoint
        return replace(found, folder=found.folder / INNER)
