"""Endpoints on loopback that bill as providers do: text by its pieces, pictures by the rule each provider publishes.

The rules are written here a second time, from the providers' pages, so that ours are held against another reading.
"""

from __future__ import annotations

import base64
import hashlib
import io
import math
import re
from collections.abc import Callable
from typing import Any

from PIL import Image

from .judging.server import JudgeServer, Outcome, Request, completion

Picture = Callable[[int, int, str], int]  # width, height, detail -> tokens
FRAMING = 11  # tokens that a chat template adds to one message


def text_tokens(text: str) -> int:
    """Count text as a byte-pair tokenizer roughly does: short words whole, long ones and other scripts in parts."""
    return sum(math.ceil(len(piece.encode()) / 6) for piece in re.findall(r" ?\w+|[^\w\s]|\s+", text))


def tiles(base: int, tile: int) -> Picture:
    """OpenAI's older rule: fit into 2048, the shorter side down to 768, then so many a tile of 512 and a base."""

    def count(width: int, height: int, detail: str) -> int:
        if detail == "low":
            return base
        scale = min(1.0, 2048 / max(width, height))
        width, height = round(width * scale), round(height * scale)
        scale = min(1.0, 768 / min(width, height))
        width, height = round(width * scale), round(height * scale)
        return base + tile * math.ceil(width / 512) * math.ceil(height / 512)

    return count


def patches(side: int, factor: float) -> Picture:
    """OpenAI's newer rule (32 pixels) and Anthropic's (28): so many a patch."""
    return lambda width, height, _: math.ceil(math.ceil(width / side) * math.ceil(height / side) * factor)


def gemini(width: int, height: int, _: str) -> int:
    """Gemini 2's rule: 258 for a small picture, else 258 a tile of 768."""
    small = max(width, height) <= 384
    return 258 if small else 258 * math.ceil(width / 768) * math.ceil(height / 768)


RULES: dict[str, Picture] = {
    "gpt-4o": tiles(85, 170),
    "gpt-4o-mini": tiles(2833, 5667),
    "gpt-5-mini": patches(32, 1.2),
    "gpt-6-sol": patches(32, 1.2),
    "claude-sonnet-5": patches(28, 1.0),
    "gemini-2.5-flash": gemini,
}


class Meter(JudgeServer):
    """An endpoint that answers anything and says what that cost; `spent` is its own sum, in tokens.

    An answer's length is random by the request, up to what it was allowed. With `caches`, tokens of a beginning that an
    earlier, finished request had are said to be cached, in steps of 128 from 1024 on. `replies` are all usages said.
    """

    def __init__(self, model: str, answer: str = "", *, caches: bool = False, delay: float = 0.0) -> None:
        super().__init__(lambda *_: "", delay=delay, model=model)
        self.answer, self.caches = answer, caches
        self.usages: list[tuple[int, int, int]] = []  # in, out, cached
        self._read: set[str] = set()

    def usd(self, input_: float, output: float, cached: float) -> float:
        """What all replies cost, at so many USD per million tokens."""
        return sum((i - c) * input_ + c * cached + o * output for i, o, c in self.usages) / 1e6

    def said(self, request: Request) -> Outcome:
        tokens, beginnings = self._beginnings(request.body)
        cached = max((count for mark, count in beginnings.items() if mark in self._read), default=0)
        cached = cached // 128 * 128 if self.caches and cached >= 1024 else 0
        limit = request.body.get("max_completion_tokens") or request.body["max_tokens"]
        chance = int(hashlib.sha256(request.raw).hexdigest()[:8], 16) / 16**8
        usage = (tokens, min(limit, 20 + int(180 * chance)), cached)
        self.usages.append(usage)
        self._loop.call_later(self.delay, self._read.update, beginnings)
        return completion(self.answer or f"Somebody fell. {chance}", tokens=usage)

    def _beginnings(self, body: dict[str, Any]) -> tuple[int, dict[str, int]]:
        """Count a request; a mark of every beginning of its messages with the tokens up to there."""
        total, so_far, marks = 0, hashlib.sha256(), {}
        for message in body["messages"]:
            content = message["content"]
            total += FRAMING
            for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
                so_far.update(repr(part).encode())
                total += text_tokens(part["text"]) if part["type"] == "text" else self._picture(part)
                marks[so_far.hexdigest()] = total
        return total, marks

    def _picture(self, part: dict[str, Any]) -> int:
        url = part["image_url"]["url"]
        width, height = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).size
        return RULES[self.model](width, height, part["image_url"].get("detail", "high"))
