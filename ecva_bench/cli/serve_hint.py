"""`ecva-bench serve-hint`: how to serve a model with vLLM, and how to ask it then."""

from __future__ import annotations

from typing import Annotated

import typer

from ..untrusted import say


def serve_hint_command(
    model: Annotated[str, typer.Argument(help="A hub id, ID or ID@REVISION, or a folder.", show_default=False)],
) -> None:
    """Print the command that serves a model with vLLM, and the one that asks it, both by its family's settings.

    Both are to be changed to your machine and your question; nothing is started, and no weights are downloaded.

    Examples:

      ecva-bench serve-hint Qwen/Qwen2.5-VL-7B-Instruct

      ecva-bench serve-hint checkpoints/my-model
    """
    from .. import registry
    from ..answering.adapter import ADAPTER_GROUP

    for line in registry.load(ADAPTER_GROUP, "vllm").serve_lines(model):
        say(line)
