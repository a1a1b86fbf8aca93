"""Where texts stand behind videos, against the rule of the models' authors, written out."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from ecva_bench.torchvision import ensure_torchvision

ensure_torchvision()

from ecva_bench.adapters.hf.positions import put_text_behind_videos  # noqa: E402
from tests.adapters import tiny_hf  # noqa: E402
from tests.adapters.tiny_families import FAMILIES  # noqa: E402

TEXT, VIDEO = 0, 2
MERGE, TOKENS_A_SECOND = 2, 4


def authors(kinds: list[int], grid: tuple[int, int, int], step: float) -> list[tuple[int, int, int]]:
    """Each token's time, height and width: what comes next begins one behind the largest number so far."""
    found: list[tuple[int, int, int]] = []
    time, height, width = grid[0], grid[1] // MERGE, grid[2] // MERGE
    at = 0
    while at < len(kinds):
        begin = max((max(place) for place in found), default=-1) + 1
        if kinds[at] == TEXT:
            found.append((begin, begin, begin))
            at += 1
            continue
        places = [(int(t * step), h, w) for t in range(time) for h in range(height) for w in range(width)]
        found += [(begin + t, begin + h, begin + w) for t, h, w in places]
        at += len(places)
    return found


MODELS = {"qwen2_vl": "Qwen2VLModel", "qwen2_5_vl": "Qwen2_5_VLModel", "ernie4_5_vl_moe": "Ernie4_5_VLMoeModel"}


@pytest.mark.parametrize("grid", [(1, 4, 6), (2, 4, 4), (9, 2, 4), (32, 4, 4)])
@pytest.mark.parametrize("family", MODELS)
def test_a_text_begins_behind_the_video_s_last_moment(family: str, grid: tuple[int, int, int]) -> None:
    config, _ = (tiny_hf.FAMILIES | FAMILIES)[family]()
    model: Any = getattr(tiny_hf.t, MODELS[family])(config)
    put_text_behind_videos(model)
    moments, height, width = grid
    frames = moments * (config.vision_config.temporal_merge_size if family == "ernie4_5_vl_moe" else 1)
    tokens = moments * height * width // MERGE**2
    kinds = [TEXT] * 3 + [VIDEO] * tokens + [TEXT] * 5
    seconds = 0.7
    more = {"second_per_grid_ts": torch.tensor([seconds])} if family == "qwen2_5_vl" else {}
    padded = torch.tensor([[TEXT, TEXT, *kinds]])
    mask = torch.tensor([[0, 0, *[1] * len(kinds)]])
    positions, behind = model.get_rope_index(
        torch.zeros_like(padded),
        padded,
        video_grid_thw=torch.tensor([[frames, height, width]]),
        attention_mask=mask,
        **more,
    )
    expected = authors(kinds, grid, TOKENS_A_SECOND * seconds if more else 1)
    assert positions[:, 0, 2:].T.tolist() == [list(place) for place in expected]
    assert behind.tolist() == [[max(max(place) for place in expected) + 1 - len(kinds)]]
