"""The training set `mini`: clips of a seed as conversations, and their frames, drawn when first asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data.scenes import HEIGHT, WIDTH
from ...errors import TrainingError
from ..conversations import Conversation, Turn
from ..frames import read_kept, write_kept
from .clips import TrainingClip, training_clip
from .samples import TrainingSample, caption_of, samples_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED, CLIPS = 20261129, 1200
REPEATED = 4  # of so many whole clips, the last stage asks about one again

Squares = Callable[["NDArray[np.uint8]"], "NDArray[np.uint8]"]


class TrainingScenes:
    """Clips `0` to `count` of a seed, of each of which `frames` frames are shown: `captions` and `conversations`.

    `squares` makes frames as the tower is shown them. What was drawn is kept, in `folder` too where one is named: about
    100 KB for each clip or part at 8 frames of 64 x 64.
    """

    def __init__(
        self, squares: Squares, *, frames: int, seed: int = SEED, count: int = CLIPS, folder: Path | None = None
    ) -> None:
        self._squares, self._frames, self._folder = squares, frames, folder
        self._shown: dict[Path, tuple[TrainingClip, NDArray[np.int64] | None]] = {}
        self._drawn: dict[Path, NDArray[np.uint8]] = {}
        clips = [training_clip(seed, place) for place in range(count)]
        self.captions = tuple(self._conversation(clip, caption_of(clip, seed, frames), "c") for clip in clips)
        self.conversations = tuple(
            self._conversation(clip, sample, str(place))
            for clip in clips
            for place, sample in enumerate(samples_of(clip, seed, frames))
        )

    def of_stage(self, stage: int) -> list[Conversation]:
        """Return what a stage learns: captions; questions about whole clips; those about parts, and some of the others.

        A part is seen for a number alone, and a whole clip for some fifty words: all of these would drown the numbers.
        """
        if stage == 1:
            return [*self.captions]
        if stage == 2:
            return [one for one in self.conversations if not _is_part(one)]
        return [one for one in self.conversations if _is_part(one) or _clip_of(one) % REPEATED == 0]

    def frames(self, conversation: Conversation) -> NDArray[np.uint8]:
        """Return the frames of a conversation as the tower is shown them; of one clip or part always the same array."""
        path = _path_of(conversation)
        if path not in self._drawn:
            kept = self._folder / f"{path.name}.npy" if self._folder else None
            found = read_kept(kept) if kept else None
            if found is None or len(found) != self._frames:
                found = self._draw(path)
                if kept:
                    write_kept(kept, found)
            self._drawn[path] = found
        return self._drawn[path]

    def _draw(self, path: Path) -> NDArray[np.uint8]:
        clip, indices = self._shown[path]
        pixels = np.zeros((self._frames, HEIGHT, WIDTH, 3), dtype=np.uint8)
        return self._squares(pixels if indices is None else clip.frames(indices))

    def _conversation(self, clip: TrainingClip, sample: TrainingSample, number: str) -> Conversation:
        if sample.indices is None:
            shown = "-blank"
        else:
            shown = f"-part-{sample.indices[0]}" if sample.prompt.startswith("severity") else ""
        path = Path("mini-training") / f"{clip.number}{shown}"
        self._shown[path] = (clip, sample.indices)
        turns = (Turn("user", f"<video>\n{sample.question}"), Turn("assistant", sample.answer))
        return Conversation(f"{clip.number}/{number}/{sample.prompt}", path, "video", turns)


def looks(squares: Squares) -> str:
    """Return 16 hexadecimal digits that change when scenes are drawn or shown otherwise: of two frames of each kind."""
    firsts: dict[str, TrainingClip] = {}
    for clip in (training_clip(SEED, place) for place in range(CLIPS)):
        firsts.setdefault(clip.kind.name, clip)
    digest = hashlib.sha256()
    for clip in firsts.values():
        digest.update(squares(clip.frames([clip.n_frames // 2, clip.n_frames // 2 + 2])).tobytes())
    return digest.hexdigest()[:16]


def _is_part(conversation: Conversation) -> bool:
    return "-part-" in _path_of(conversation).name


def _clip_of(conversation: Conversation) -> int:
    return int(conversation.id.partition("/")[0])


def _path_of(conversation: Conversation) -> Path:
    if conversation.path is None:
        raise TrainingError("a conversation about no clip", conversation.id, "ask for frames where there is one")
    return conversation.path
