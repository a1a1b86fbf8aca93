"""UniEval against the original program's scores and tokens, and against numpy on another network."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from ecva_bench.errors import CheckpointError, ScoringError
from ecva_bench.scoring.protocol import Protocol
from ecva_bench.scoring.unieval import UNIEVAL_MAX_TOKENS, UniEval, UniEvalModel, UniEvalSettings, UniEvalSum, sentences

from .build import item
from .tiny_moverscore import save_distilbert
from .tiny_unieval import random_state, save_t5, slow_yes

# The original computes in float32: it is 7e-7 off its own network in float64, and so are we, at times the other way.
FLOAT32 = 3e-6
QUESTIONS = [
    "question: Is this a fluent paragraph? </s> paragraph: A van hits a motorcycle.",
    "question: Is this claim consistent with the document? </s> claim: 1. </s> document: A white van.",
    "question: Is this claim consistent with the document? </s> claim: Yes</s> </s> document: 车祸 Café {answer}",
    "question: Is this a fluent utterance? </s> utterance: " + "The crowd ran away. " * 12,
    "</s>",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_t5(tmp_path_factory.mktemp("unieval") / "tiny")


@pytest.fixture(scope="module")
def model(folder):
    return UniEvalModel(folder, "cpu", "float32")


@pytest.fixture(scope="module")
def golden(shared_golden):
    return json.loads((shared_golden / "unieval" / "golden.json").read_text())


@pytest.fixture
def scorer(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path))
    return lambda kind=UniEval, **settings: kind(
        Protocol(models={kind.name: UniEvalSettings(checkpoint=str(folder), device="cpu", **settings)})
    )


def test_equals_the_original_program_and_is_not_swapped(golden, shared_golden, tmp_path, monkeypatch):
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path))
    settings = UniEvalSettings(checkpoint=str(shared_golden / "unieval" / "tiny_t5"), device="cpu")
    pairs = list(zip(golden["sources"], golden["outputs"], strict=True))
    for swap in (False, True):
        scorer = UniEval(Protocol(swap_arguments=swap, models={"unieval": settings}))
        own = scorer.score([item(answer, document) for document, answer in pairs])
        assert [value["unieval"] for value in own] == pytest.approx(golden["scores"], abs=FLOAT32)
    other = UniEval(Protocol(models={"unieval": settings})).score([item(*pair) for pair in pairs])
    assert [value["unieval"] for value in other] == pytest.approx(golden["scores_swapped"], abs=FLOAT32)


def test_what_is_left_of_a_difference_to_the_original_is_its_rounding(golden, shared_golden):
    exact = UniEvalModel(shared_golden / "unieval" / "tiny_t5", "cpu", "float64")
    scorer = UniEval(Protocol())
    for document, answer, expected in zip(golden["sources"], golden["outputs"], golden["scores"], strict=True):
        asked = scorer.inputs(item(answer, document))
        assert sum(dict(exact.scores(asked, batch_tokens=8192)).values()) / len(asked) == pytest.approx(
            expected, abs=1e-6
        )


def test_reads_the_tokens_of_the_original_program(golden, shared_golden):
    original = UniEvalModel(shared_golden / "unieval" / "tiny_t5", "cpu", "float32")
    scorer = UniEval(Protocol())
    pairs = zip(golden["sources"], golden["outputs"], strict=True)
    asked = [question for document, answer in pairs for (question,) in scorer.inputs(item(answer, document))]
    assert asked[0] == golden["question"]
    assert [original.encode(question) for question in asked] == golden["all_question_ids"]


def test_splits_sentences_as_the_original_program(golden):
    assert [sentences(answer) for answer in golden["outputs"]] == golden["sentences"]


@pytest.mark.parametrize("batch_tokens", [1, 200, 8192])
def test_equals_a_slow_implementation_whatever_the_batch(folder, model, batch_tokens):
    config = json.loads((folder / "config.json").read_text())
    found = dict(model.scores([(question,) for question in QUESTIONS], batch_tokens=batch_tokens))
    pieces = SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    yes, no = pieces.piece_to_id(["▁Yes", "▁No"])
    for place, question in enumerate(QUESTIONS):
        parts = question.split("</s>")
        ids = [number for part in parts for number in (*pieces.encode(part), pieces.piece_to_id("</s>"))]
        expected = slow_yes(config, random_state(config), ids, yes=yes, no=no)
        assert found[place] == pytest.approx(expected, abs=1e-6)


def test_a_long_question_is_cut_at_its_end(model):
    whole = model.encode("question: Yes </s> claim: " + "Yes " * 5000 + "</s> document: No")
    assert len(whole) == UNIEVAL_MAX_TOKENS == 1024
    assert whole[-1] == model.encode("")[-1]
    assert whole[:-1] == model.encode("question: Yes </s> claim: " + "Yes " * 2000)[: UNIEVAL_MAX_TOKENS - 1]


def test_a_repeated_sentence_is_asked_once_and_counts_every_time(scorer, monkeypatch):
    asked = []
    scores = UniEvalModel.scores

    def counted(self, inputs, *, batch_tokens):
        asked.extend(question for (question,) in inputs)
        return scores(self, inputs, batch_tokens=batch_tokens)

    monkeypatch.setattr(UniEvalModel, "scores", counted)
    first, second = "The fence collapsed.", "A boat ran away."
    batch = [item(text, "A white van.") for text in (f"{first} {second} {first}", first, second)]
    both, one, other = (value["unieval"] for value in scorer().score(batch))
    assert len(asked) == len(set(asked)) == 2
    assert one != other
    assert both == pytest.approx((2 * one + other) / 3, abs=1e-12)
    scorer().score(batch)
    assert len(asked) == 2, "scored again, nothing is asked again"


@pytest.mark.parametrize("text", ["", " \n\t"])
@pytest.mark.parametrize("kind", [UniEval, UniEvalSum])
def test_an_answer_without_text_is_0_and_is_counted(scorer, kind, text):
    empty, given = scorer(kind).score([item(text, "A white van."), item("A van.", "A white van.")])
    answered = kind.columns[-1].name
    assert set(empty.values()) == {0.0}
    assert given[answered] == 1.0
    assert all(0 < given[column.name] < 1 for column in kind.columns[:-1])


@pytest.mark.parametrize(
    ("text", "kept", "stripped"),
    [
        (
            "1. The car stopped.\n2. It burnt.",
            ["1.", "The car stopped.", "2.", "It burnt."],
            ["The car stopped.", "It burnt."],
        ),
        ("(1) A van. 2) It hit.", ["(1) A van.", "2) It hit."], ["A van.", "It hit."]),
        ("At 3.5 metres in 2010. Then 12 cars.", ["At 3.5 metres in 2010.", "Then 12 cars."], None),
        ("1.5 m away. 12 cars.", ["1.5 m away.", "12 cars."], None),
        ("3.", ["3."], []),
        ("", [], []),
    ],
)
def test_numbers_of_lists_can_be_cut(text, kept, stripped):
    assert sentences(text) == kept
    assert sentences(text, strip_list_numbers=True) == (kept if stripped is None else stripped)


@given(st.text(max_size=80))
def test_splitting_loses_nothing_but_whitespace(text):
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_cutting_numbers_of_lists_changes_score_and_signature(scorer):
    answer = [item("1. The fence collapsed.", "A white van.")]
    plain = [item("The fence collapsed.", "A white van.")]
    assert scorer(strip_list_numbers=True).score(answer) == scorer().score(plain) != scorer().score(answer)
    assert "|list-numbers:stripped|" in scorer(strip_list_numbers=True).signature()
    assert "|split:punkt-untrained|list-numbers:kept|" in scorer().signature()


def test_the_other_dimensions_ask_the_originals_questions(scorer, model):
    answer = item("A van hits. A van hits. No one ran.", "A white van.")
    asked = [question for (question,) in UniEvalSum(Protocol()).inputs(answer)]
    fluency = [
        f"question: Is this a fluent paragraph? </s> paragraph: {text}" for text in ("A van hits.", "No one ran.")
    ]
    whole = answer.candidate
    assert asked == [
        fluency[0],
        fluency[0],
        fluency[1],
        f"question: Is this summary relevant to the reference? </s> summary: {whole} </s> reference: A white van.",
        f"question: Is this a fluent utterance? </s> utterance: {whole}",
        "question: Is this sentence informative according to the reference? "
        f"</s> sentence: {whole} </s> reference: A white van.",
    ]
    yes = dict(model.scores([(question,) for question in asked], batch_tokens=8192))
    assert scorer(UniEvalSum).score([answer])[0] == pytest.approx(
        {
            "unieval_fluency": (yes[0] + yes[1] + yes[2]) / 3,
            "unieval_relevance": yes[3],
            "unieval_naturalness": yes[4],
            "unieval_informativeness": yes[5],
            "unieval_sum_answered": 1.0,
        },
        abs=1e-6,
    )


def test_another_network_or_half_of_one_is_refused(tmp_path, folder):
    distilbert = save_distilbert(tmp_path / "distilbert")
    with pytest.raises(ScoringError, match=r"spiece\.model is needed"):
        UniEvalModel(distilbert, "cpu", "float32")
    (distilbert / "spiece.model").write_bytes((folder / "spiece.model").read_bytes())
    with pytest.raises(CheckpointError, match="the checkpoint is a distilbert, not a t5"):
        UniEvalModel(distilbert, "cpu", "float32")
    name = "decoder.block.1.layer.1.EncDecAttention.k.weight"
    with pytest.raises(CheckpointError, match=name):
        UniEvalModel(save_t5(tmp_path / "half", leave_out=name), "cpu", "float32")
