"""UniEval (Zhong et al. 2022): a T5 asked yes-or-no questions about an answer; the score is the probability of yes.

Two scorers over two checkpoints. `unieval` is factual consistency, the paper's column: every sentence of the answer is
a claim, the annotation's text is the document. `unieval-sum` are the dimensions of the other checkpoint for which the
answer and the annotation's text suffice. What needs more is left out: coherence is judged against the document that a
summary is of, and the dimensions of dialogue are about a reply in one, against its history and facts.

The questions' words are the originals', and so is their order: the answer is the claim, under every protocol. Sentences
are split by Punkt without training, which needs no download; `1.` is a sentence to it, hence `strip_list_numbers`.
Models repeat themselves: of the sentences in the released answers more than half are repeats about the same video,
and equal questions are asked once. An answer without text scores 0, and is counted in `unieval_answered`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ..errors import ScoringError
from .neural import MetricModel, NeuralScorer, Texts, length_batches, load_network
from .protocol import ModelSettings, Protocol
from .scorer import Column, Scorable

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

UNIEVAL_MAX_TOKENS = 1024
_END = "</s>"
_LIST_NUMBER = re.compile(r"^\(?\d{1,3}[.)](?:\s+|$)")


@dataclass(frozen=True)
class UniEvalQuestion:
    """What is asked of an answer, sentence by sentence or of the whole, with `{answer}` and `{reference}` in it."""

    column: Column
    text: str
    by_sentence: bool = False

    def about(self, answer: str, *, reference: str) -> str:
        """Return the question as the network reads it."""
        return self.text.format(answer=answer, reference=reference)


@dataclass(frozen=True)
class UniEvalSettings(ModelSettings):
    """Settings of a model, and whether numbers at the head of a list's items are cut from sentences."""

    strip_list_numbers: bool = False


class UniEval(NeuralScorer):
    """UniEval's factual consistency of free-text answers with the annotation's text."""

    name = "unieval"
    questions: ClassVar[tuple[UniEvalQuestion, ...]] = (
        UniEvalQuestion(
            Column("unieval", "UniEval factual consistency of the answer's sentences with the annotation's text"),
            "question: Is this claim consistent with the document? </s> claim: {answer} </s> document: {reference}",
            by_sentence=True,
        ),
    )
    columns = (
        *(question.column for question in questions),
        Column("unieval_answered", "share of answers that have text; one without scores 0", binary=True),
    )
    default_checkpoint = "MingZhong/unieval-fact"
    files = ("config.json", "spiece.model", "*.safetensors", "*.bin")
    packages = ("torch", "transformers", "sentencepiece")
    settings_type = UniEvalSettings

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol)
        settings = self.model_settings
        self._strip = isinstance(settings, UniEvalSettings) and settings.strip_list_numbers

    def inputs(self, item: Scorable) -> Sequence[Texts]:
        """Return the questions about an answer, in the order of `questions` and of its sentences."""
        return [(text,) for texts in self._asked(item).values() for text in texts]

    def values(self, item: Scorable, scores: Sequence[float]) -> dict[str, float]:
        """Return the mean over sentences for each question, 0 for an answer without text."""
        given = iter(scores)
        means = {}
        for name, texts in self._asked(item).items():
            means[name] = sum(next(given) for _ in texts) / max(1, len(texts))
        return {**means, self.columns[-1].name: float(bool(scores))}

    def settings(self) -> dict[str, str]:
        """Return those of the network, how answers are split and whether numbers of lists are cut."""
        numbers = "stripped" if self._strip else "kept"
        return {**super().settings(), "split": "punkt-untrained", "list-numbers": numbers}

    @classmethod
    def load(cls, folder: Path, device: str, dtype: str) -> UniEvalModel:
        """Return the network in a folder; `ScoringError` where it is no T5."""
        return UniEvalModel(folder, device, dtype)

    def _asked(self, item: Scorable) -> dict[str, list[str]]:
        """The questions about an answer by column; none about an answer without text."""
        claims = sentences(item.candidate, strip_list_numbers=self._strip)
        whole = [item.candidate] if claims else []
        return {
            question.column.name: [
                question.about(text, reference=item.reference) for text in (claims if question.by_sentence else whole)
            ]
            for question in self.questions
        }


class UniEvalSum(UniEval):
    """The dimensions of UniEval's summarisation and data-to-text evaluators that need no source document."""

    name = "unieval-sum"
    questions = (
        UniEvalQuestion(
            Column("unieval_fluency", "UniEval fluency of the answer's sentences"),
            "question: Is this a fluent paragraph? </s> paragraph: {answer}",
            by_sentence=True,
        ),
        UniEvalQuestion(
            Column("unieval_relevance", "UniEval relevance of the answer to the annotation's text"),
            "question: Is this summary relevant to the reference? </s> summary: {answer} </s> reference: {reference}",
        ),
        UniEvalQuestion(
            Column("unieval_naturalness", "UniEval naturalness of the answer"),
            "question: Is this a fluent utterance? </s> utterance: {answer}",
        ),
        UniEvalQuestion(
            Column("unieval_informativeness", "UniEval informativeness of the answer, given the annotation's text"),
            "question: Is this sentence informative according to the reference? "
            "</s> sentence: {answer} </s> reference: {reference}",
        ),
    )
    columns = (
        *(question.column for question in questions),
        Column("unieval_sum_answered", "share of answers that have text; one without scores 0", binary=True),
    )
    default_checkpoint = "MingZhong/unieval-sum"


class UniEvalModel(MetricModel):
    """A UniEval checkpoint in memory, with its tokeniser."""

    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        from sentencepiece import SentencePieceProcessor

        vocabulary = folder / "spiece.model"
        if not vocabulary.is_file():
            raise ScoringError("the checkpoint has no vocabulary", folder, f"{vocabulary.name} is needed")
        self._tokenizer = SentencePieceProcessor(model_file=str(vocabulary))
        self._end, self._yes, self._no = self._tokenizer.eos_id(), self._first_piece("Yes"), self._first_piece("No")
        self._network = load_network("T5ForConditionalGeneration", folder, device, dtype, passed_over={})

    def scores(self, inputs: Sequence[Texts], *, batch_tokens: int) -> Iterator[tuple[int, float]]:
        """Yield (place, probability of yes) of questions, each a tuple of one text, batch by batch."""
        encoded = [self.encode(question) for (question,) in inputs]
        for batch in length_batches([len(ids) for ids in encoded], batch_tokens):
            yield from zip(batch, self._forward([encoded[place] for place in batch]), strict=True)

    def encode(self, question: str) -> list[int]:
        """Return the tokens of a question, of which each `</s>` is one, cut so that with the last there are 1024."""
        ids: list[int] = []
        for part in question.split(_END):
            ids += [*self._tokenizer.encode(part), self._end]
        return [*ids[:-1][: UNIEVAL_MAX_TOKENS - 1], self._end]

    def _forward(self, batch: Sequence[list[int]]) -> list[float]:
        """Return P(yes) / (P(yes) + P(no)) at the decoder's first step."""
        import torch

        network = self._network
        rows = [torch.tensor(ids) for ids in batch]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=network.config.pad_token_id)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        start = torch.full((len(batch), 1), network.config.decoder_start_token_id)
        ids, mask, start = (tensor.to(network.device) for tensor in (ids, mask, start))
        with torch.inference_mode():
            logits = network(input_ids=ids, attention_mask=mask, decoder_input_ids=start).logits[:, 0].double()
        # The sigmoid of the difference: the same number as by way of both probabilities, which may underflow.
        found: list[float] = torch.sigmoid(logits[:, self._yes] - logits[:, self._no]).tolist()
        return found

    def _first_piece(self, word: str) -> int:
        first: int = self._tokenizer.encode(word)[0]
        return first


def sentences(text: str, *, strip_list_numbers: bool = False) -> list[str]:
    """Return the sentences of a text, none if it has no text; with `strip_list_numbers` without `1.` or `(2)` ahead."""
    found = _splitter().tokenize(text)
    if strip_list_numbers:
        found = [_LIST_NUMBER.sub("", sentence) for sentence in found]
    return [sentence for sentence in found if sentence.strip()]


@cache
def _splitter() -> PunktSentenceTokenizer:
    from nltk.tokenize.punkt import PunktSentenceTokenizer

    return PunktSentenceTokenizer()
