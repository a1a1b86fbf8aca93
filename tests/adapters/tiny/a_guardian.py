"""A tiny A-Guardian: Video-ChatGPT's files."""

from __future__ import annotations

from tests.adapters.tiny.video_chatgpt import build

__all__ = ["build"]
