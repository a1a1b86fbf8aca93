"""What cannot be trained on is named and counted, and no weight is changed by a loss that is no number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch

from ecva_bench.errors import TrainingError, VideoMissing
from ecva_bench.training.conversations import Conversation, Kind, Turn
from ecva_bench.training.model import TrainedModel
from ecva_bench.training.stage import last_checkpoint
from ecva_bench.training.words import Words

from .test_going_on import lines, pictures, train_tiny


def said(*texts: str, kind: Kind = "picture", roles: Sequence[Any] = ("user", "assistant")) -> Conversation:
    """A conversation of the texts, the sides taking turns."""
    turns = tuple(Turn(roles[place % len(roles)], text) for place, text in enumerate(texts))
    return Conversation("one", None if kind == "words" else Path("a.png"), kind, turns)


@pytest.mark.parametrize(
    ("conversation", "problem"),
    [
        (said("<image>\nWhat is it?", "A car."), None),
        (said("What is it?", "A car."), None),
        (said("What is it?", "A car.", kind="words"), None),
        (said("<image>\nWhat is it?"), "no answer"),
        (said("<image>\nWhat is it?", "  "), "no answer"),
        (said(), "no answer"),
        (said("<image>\nWhat is it?", "A car.", "And <image> this?", "A bus."), "two placeholders"),
        (said("<image><image>\nWhat is it?", "A car."), "two placeholders"),
        (said("<image>\nWhat is it?", "A car.", kind="video"), "a placeholder of another kind than its file"),
        (said("<video>\nWhat is it?", "A car.", kind="words"), "a placeholder and no file"),
        (said("What is it?", "A <image> car."), "a placeholder in no question"),
        (said("What is it?", "A car.", "And <image>?"), "a placeholder in no question"),
        (said("What is it?", "A car.", "And <image>?", ""), "a placeholder in no question"),
        (said("What is it?", "", "And <image>?", "A car."), None),
        (said("<image> Hello", "What is it?", "A car.", roles=("assistant", "user", "assistant")), "a placeholder"),
        (said("<image>\nWhat?", "And why?", "A car.", roles=("user", "user", "assistant")), "turns of one side"),
    ],
)
def test_what_is_wrong_with_a_conversation_is_one_of_a_few_kinds(
    conversation: Conversation, problem: str | None
) -> None:
    found = conversation.problem()
    assert found is None if problem is None else (found or "").startswith(problem)


def test_a_template_whose_later_turns_are_not_known_is_refused() -> None:
    with pytest.raises(TrainingError, match="it is not known how later turns look"):
        Words("USER: {video}\n{question} ASSISTANT:", vocabulary=None)  # type: ignore[arg-type]


def test_a_loss_that_is_no_number_ends_the_training_before_it_changes_a_weight(tmp_path: Path) -> None:
    forward = TrainedModel.forward
    calls = []

    def broken(self: TrainedModel, *given: Any, **named: Any) -> dict[str, torch.Tensor]:
        calls.append(1)
        loss = forward(self, *given, **named)["loss"]
        return {"loss": loss * float("nan") if len(calls) == 6 else loss}  # the second half of the third step's batch

    with patch.object(TrainedModel, "forward", broken), pytest.raises(TrainingError, match="the loss of step 3 is nan"):
        train_tiny(tmp_path, tmp_path / "out")
    told = lines(tmp_path / "out")
    assert [line["kind"] for line in told] == ["run", "step", "step", "error"]
    assert last_checkpoint(tmp_path / "out") == tmp_path / "out" / "checkpoint-2"
    assert (told[-1]["error"], told[-1]["what"]) == ("TrainingError", "the loss of step 3 is nan")


def test_a_gradient_that_is_no_number_changes_no_weight(tmp_path: Path) -> None:
    forward = TrainedModel.forward

    def broken(self: TrainedModel, *given: Any, **named: Any) -> dict[str, torch.Tensor]:
        parameter = self.connector.readout[2].bias  # the root of 0 is a number, and its slope is none
        return {"loss": forward(self, *given, **named)["loss"] + (0 * parameter).sqrt().sum()}

    refused = pytest.raises(TrainingError, match="the gradient of step 1 is no number")
    with patch.object(TrainedModel, "forward", broken), refused:
        train_tiny(tmp_path, tmp_path / "out")


def test_lora_on_a_matrix_that_is_none_is_refused_though_another_is_one(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no matrix 'qproj'.*q_proj"):
        train_tiny(tmp_path, tmp_path / "out", lora={"r": 2, "alpha": 4, "targets": ["qproj", "down_proj"]})


def test_a_batch_that_processes_cannot_share_is_refused(tmp_path: Path) -> None:
    refused = pytest.raises(TrainingError, match="a batch of 4 is not a multiple of 4 on 2 processes")
    with patch("transformers.TrainingArguments.world_size", 2), refused:
        train_tiny(tmp_path, tmp_path / "out", micro_batch=4)


def test_what_is_of_no_use_is_counted_and_nothing_takes_its_place(tmp_path: Path) -> None:
    given = [said("<image>\nWhat?"), said("<image><image>", "A car."), said("What?", ""), *pictures(4)]
    with patch("tests.training.test_going_on.pictures", return_value=given):
        done = train_tiny(tmp_path, tmp_path / "out", steps=1)
    assert (done.samples, done.skipped) == (4, {"no answer": 2, "two placeholders": 1})
    run = lines(tmp_path / "out")[0]
    assert (run["samples"], run["skipped"]) == (4, {"no answer": 2, "two placeholders": 1})


def test_a_file_that_cannot_be_read_ends_the_training_by_its_name(tmp_path: Path) -> None:
    def unreadable(conversation: Conversation) -> Any:
        raise VideoMissing("there is no such file", conversation.path)

    with patch("tests.training.test_going_on.squares_of", unreadable), pytest.raises(VideoMissing, match=r"\d.png"):
        train_tiny(tmp_path, tmp_path / "out")
    assert lines(tmp_path / "out")[-1]["error"] == "VideoMissing"
