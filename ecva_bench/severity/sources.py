"""Sources that say when a sentence takes place: files of spans, the authors' `Voting_new.json`, and models of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ..answering import Adapter, Question, create_adapter
from ..answering.factory import described
from ..answering.severity import LEAST_MASS, parts_of
from ..errors import AdapterError, AnswerCutOff, AnswerLost, AnswerPending, AnswerRefused, EcvaError, UsageError
from ..files.by_video import read_moments, read_sentence_spans
from ..prompt_files import read_prompt
from ..reading.spans.reader import read_spans
from ..reading.yes_no import read_yes_no
from ..records import Annotation
from ..tasks import TASKS, Prompt, prompt_for
from ..video import Video
from .voting import Span

TASK = TASKS["grounding"]
_YES, _NO = ("yes", "Yes"), ("no", "No")
ENTAILMENT = "entailment:"  # before the name of a model that is asked of each part whether it shows a sentence


class SpanSource(Protocol):
    """Something that names spans. `name` is what records call it."""

    name: str

    def describe(self) -> dict[str, Any]:
        """Return all that determines what it says, as JSON."""

    def spans(self, video: Video, annotation: Annotation, sentences: Sequence[str]) -> list[list[Span]]:
        """Return the spans of each sentence in seconds; an `EcvaError` where they cannot be had of this video."""

    def close(self) -> None:
        """Release what it uses."""


def open_sources(named: Sequence[str]) -> list[SpanSource]:
    """Return the sources of the given names: a `*.jsonl` of spans, a `*.json` of moments, a model, `entailment:MODEL`.

    Raises `UsageError` where two have one name, `DataError` for a file that cannot be read, and what making a model
    raises.
    """
    found: list[SpanSource] = [_opened(name) for name in named]
    names = [source.name for source in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError("two sources have one name", twice[0], "rename a file, or leave one of them out")
    return found


def _opened(name: str) -> SpanSource:
    suffix = Path(name).suffix.lower()
    if name.startswith(ENTAILMENT):
        return _Entailment(name)
    if suffix == ".jsonl":
        return _SpanFile(Path(name))
    return _MomentsFile(Path(name)) if suffix == ".json" else _Model(name)


class _SpanFile:
    """Lines of {"video", "sentence", "spans"}: what UniVTG or any other program found."""

    def __init__(self, path: Path) -> None:
        self.name, self._said = path.stem, read_sentence_spans(path)

    def describe(self) -> dict[str, Any]:
        return {"name": self.name, "kind": "spans", "sha256": self._said.sha256}

    def spans(self, video: Video, annotation: Annotation, sentences: Sequence[str]) -> list[list[Span]]:
        said = self._said.of(annotation.media, annotation.video)
        return [[span for about, span in said if about == sentence] for sentence in sentences]

    def close(self) -> None:
        return


class _MomentsFile:
    """Moments in the form of `Voting_new.json`, which names no sentence: they are taken for those of each of them."""

    def __init__(self, path: Path) -> None:
        self.name, self._said = path.stem, read_moments(path)

    def describe(self) -> dict[str, Any]:
        return {"name": self.name, "kind": "moments", "sha256": self._said.sha256}

    def spans(self, video: Video, annotation: Annotation, sentences: Sequence[str]) -> list[list[Span]]:
        return [self._said.of(annotation.media, annotation.video) for _ in sentences]

    def close(self) -> None:
        return


class _Model:
    """A model, which is asked about each sentence what the task `grounding` asks."""

    kind = "model"

    def __init__(self, name: str) -> None:
        self.name = name
        self._adapter = create_adapter(name.removeprefix(ENTAILMENT))
        if self._adapter.tasks is not None and TASK.name not in self._adapter.tasks:
            raise UsageError(f"the model does not answer {TASK.name}", f"model {name!r}", "name another with --spans")

    @cached_property
    def prompt(self) -> Prompt:
        """What is asked of each sentence."""
        return prompt_for(TASK)

    def describe(self) -> dict[str, Any]:
        prompt = {"id": self.prompt.versioned_id, "sha256": self.prompt.sha256}
        return {"name": self.name, "kind": self.kind, "model": described(self._adapter), "prompt": prompt}

    def spans(self, video: Video, annotation: Annotation, sentences: Sequence[str]) -> list[list[Span]]:
        texts = self._answers(video, annotation, self._questions(sentences, TASK.name, TASK.unit))
        rate = video.frame_rate
        readings = (read_spans(text, unit="seconds", duration=video.duration, frame_rate=rate) for text in texts)
        return [list(reading.spans) for reading in readings]

    def _questions(self, sentences: Sequence[str], task: str, unit: str) -> list[Question]:
        filled = (self.prompt.filled(sentence=sentence) for sentence in sentences)
        return [Question(text, task=task, prompt_id=self.prompt.versioned_id, unit=unit) for text in filled]

    def _answers(self, video: Video, annotation: Annotation, questions: Sequence[Question]) -> list[str]:
        with self._own_errors(annotation):
            return self._loaded.answer_many(video, questions)

    @contextmanager
    def _own_errors(self, annotation: Annotation) -> Iterator[None]:
        """Make what a model fails by the `AdapterError` of a video."""
        try:
            yield
        except EcvaError:
            raise
        except Exception as error:  # a model may fail in any way, and the other videos are to go on
            what = f"the model failed ({type(error).__name__}: {str(error).partition(chr(10))[0]:.200})"
            raise AdapterError(what, f"model {self.name!r}, video {annotation.video!r}") from error

    def close(self) -> None:
        self._adapter.close()

    @cached_property
    def _loaded(self) -> Adapter:
        self._adapter.load()
        return self._adapter


class _Entailment(_Model):
    """A model, which is asked of each part of a video, shown alone, whether it shows what a sentence says.

    It does where yes is at least as probable a beginning of the answer as no. The words of its answer count where the
    model gives no probabilities, or means to begin with neither.
    """

    kind = "entailment"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._probable, self._told = self._adapter.gives_probabilities, False  # whether it may, and whether it did

    @cached_property
    def prompt(self) -> Prompt:
        """What is asked of each sentence and part."""
        fields, text = read_prompt("models", "entailment", 1)
        return Prompt(fields["id"], int(fields["version"]), fields["source"], text)

    def spans(self, video: Video, annotation: Annotation, sentences: Sequence[str]) -> list[list[Span]]:
        found: list[list[Span]] = [[] for _ in sentences]
        questions = self._questions(sentences, "", "")
        for part in parts_of(video, video.duration):
            shares = [self._share_of_yes(part.shown, annotation, question) for question in questions]
            unsure = [place for place, share in enumerate(shares) if share is None]
            words = self._answers(part.shown, annotation, [questions[place] for place in unsure]) if unsure else []
            said = {place: read_yes_no(text).yes for place, text in zip(unsure, words, strict=True)}
            for place, share in enumerate(shares):
                if said[place] if share is None else share >= 0.5:
                    found[place].append((part.start, part.end))
        return found

    def _share_of_yes(self, shown: Video, annotation: Annotation, question: Question) -> float | None:
        """Return how probable yes is among yes and no; None where the model does not tell."""
        if not self._probable:
            return None
        try:
            with self._own_errors(annotation):
                likely = self._loaded.first_token_probabilities(shown, question, [*_YES, *_NO])
        except (AnswerCutOff, AnswerLost, AnswerPending, AnswerRefused):  # which do not say that it gives none
            raise
        except AdapterError:  # such as an endpoint without them; one that died says so again when asked for words
            self._probable = self._told
            return None
        self._told = True
        yes, no = sum(likely[: len(_YES)]), sum(likely[len(_YES) :])
        return yes / (yes + no) if yes + no >= LEAST_MASS else None
