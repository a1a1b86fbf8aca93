"""A local model as judge: its verdicts are those its own probabilities say, whatever the batch."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ecva_bench.errors import CheckpointError, JudgeError
from ecva_bench.judging import Call, Scale
from ecva_bench.judging.backend import Vote
from ecva_bench.judging.judge import LanguageJudge, open_judge
from ecva_bench.judging.messages import system_message, user_message
from tests.cases import case

from .build import GRADE, grade, keys, same

CALLS = [grade("a van"), same("a longer text about a van"), keys("one", "two", "three"), grade("x" * 300), same("b")]


def test_what_is_missing_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ecva_bench.judging.local.find_spec", lambda name: None)
    with (
        open_judge("hf:some/model", store=tmp_path / "s.sqlite") as judge,
        pytest.raises(JudgeError, match=r"pip install 'ecva-bench\[models\]'"),
    ):
        judge.ask([grade()])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="a local judge needs the extra `models`")
    from .tiny import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def judge(model: Path, tmp_path: Path) -> LanguageJudge:
    return open_judge(f"hf:{model}", store=tmp_path / "s.sqlite")


def by_hand(model: Path, call: Call) -> list[list[float]]:
    """The probabilities of the admissible verdicts at each place, one full pass per verdict and no batch."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, weights = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model).eval()
    chat = [{"role": "system", "content": system_message(call)}, {"role": "user", "content": user_message(call)}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) + '{"verdicts": ['
    words = ["no", "yes"] if call.prompt.scale.yes_no else list(range(6))
    found: list[list[float]] = []
    for _ in range(call.expected):
        scores = []
        for word in words:
            # One token per byte: the first byte in which the verdicts differ decides.
            shared = text + ('"' if isinstance(word, str) else "")
            before = tokenizer(shared, add_special_tokens=False, return_tensors="pt")["input_ids"]
            (token,) = tokenizer(str(word)[0], add_special_tokens=False)["input_ids"]
            with torch.inference_mode():
                scores.append(float(weights(before).logits[0, -1, token]))
        found.append(torch.tensor(scores).softmax(0).tolist())
        text += json.dumps(words[max(range(len(words)), key=scores.__getitem__)]) + ", "
    return found


def test_verdicts_and_expectations_are_those_of_the_models_probabilities(judge: LanguageJudge, model: Path) -> None:
    for call, verdict in zip(CALLS, judge.ask(CALLS), strict=True):
        probabilities = by_hand(model, call)
        assert verdict.values is not None
        assert verdict.expectations is not None
        assert verdict.values == tuple(float(p.index(max(p))) for p in probabilities)
        wanted = [sum(value * weight for value, weight in enumerate(p)) for p in probabilities]
        assert verdict.expectations == pytest.approx(wanted, abs=1e-4)


def test_verdicts_that_begin_alike_divide_the_weight_of_their_beginning(judge: LanguageJudge, model: Path) -> None:
    """Of 0 to 10: the weight of the digit 1 goes to 1 and 10, as likely as a comma and a 0 follow it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, weights = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model).eval()
    calls = [Call(replace(GRADE, scale=Scale(0, 10)), grade(str(number)).payload) for number in range(12)]

    def logits(text: str) -> dict[str, float]:
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.inference_mode():
            row = weights(ids).logits[0, -1].exp()
        return {sign: float(row[tokenizer.convert_tokens_to_ids(sign)]) for sign in "0123456789,"}

    for call, verdict in zip(calls, judge.ask(calls), strict=True):
        chat = [{"role": "system", "content": system_message(call)}, {"role": "user", "content": user_message(call)}]
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) + '{"verdicts": ['
        first, second = logits(text), logits(text + "1")
        likely = [first[str(number)] for number in range(10)]
        ten = likely[1] * second["0"] / (second["0"] + second[","])
        likely = [likely[0], likely[1] - ten, *likely[2:], ten]
        assert verdict.value == likely.index(max(likely))
        mean = sum(number * weight for number, weight in enumerate(likely)) / sum(likely)
        assert verdict.expectation == pytest.approx(mean, abs=1e-4)


def test_it_does_not_always_say_the_same(judge: LanguageJudge) -> None:
    expected = {round(v.expectations[0], 6) for v in judge.ask([grade(str(n)) for n in range(10)]) if v.expectations}
    assert len(expected) > 1


def test_votes_are_one_and_the_same_and_the_store_answers_the_second_time(model: Path, tmp_path: Path) -> None:
    with open_judge(f"hf:{model}", store=tmp_path / "s.sqlite", votes=3) as judge:
        first = judge.ask(CALLS)
        assert judge.usage.asked == len(CALLS)
        assert all(len(set(verdict.votes)) == 1 and len(verdict.votes) == 3 for verdict in first)
    with open_judge(f"hf:{model}", store=tmp_path / "s.sqlite", votes=3) as judge:
        assert judge.ask(CALLS) == first
        assert judge.usage.asked == 0
        assert judge.identity()["votes"] == "1"
        name, _, revision = judge.identity()["judge"].partition("@")
        assert (name, len(revision)) == (f"hf:{model.name}", 64)  # fit to be published: no path of this machine


def test_other_weights_in_the_same_place_are_another_judge_and_the_same_elsewhere_are_not(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="a local judge needs the extra `models`")
    from .tiny import save_tiny_model

    def judged(folder: Path) -> tuple[object, int, str]:
        with open_judge(f"hf:{folder}", store=tmp_path / "s.sqlite") as judge:
            (verdict,) = judge.ask([grade()])
            judge.export(tmp_path / "calls.jsonl")
            return verdict.value, judge.usage.asked, judge.identity()["judge"]

    two = judged(save_tiny_model(tmp_path / "a" / "model", always="2"))
    four = judged(save_tiny_model(tmp_path / "a" / "model", always="4"))
    assert (two[:2], four[:2]) == ((2, 1), (4, 1))
    (tmp_path / "a").rename(tmp_path / "b")
    assert judged(tmp_path / "b" / "model") == (4, 0, four[2])
    shutil.rmtree(tmp_path / "b")
    with open_judge(four[2], replay=tmp_path / "calls.jsonl") as replay:  # as the signature names it, without weights
        assert replay.ask([grade()])[0].value == 4


def test_a_model_without_a_chat_template_judges_too(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="a local judge needs the extra `models`")
    from .tiny import save_tiny_model

    with open_judge(f"hf:{save_tiny_model(tmp_path, chat=False)}", store=tmp_path / "s.sqlite") as judge:
        assert all(verdict.values is not None for verdict in judge.ask(CALLS))


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="a local judge needs the extra `models`")
    with (
        open_judge(f"hf:{tmp_path}", store=tmp_path / "s.sqlite") as judge,
        pytest.raises(CheckpointError, match="holds no weights"),
    ):
        judge.ask([grade()])


@pytest.mark.parametrize("kind", ["llama", "gpt2", "bloom", "rwkv"])
def test_a_verdict_does_not_depend_on_what_is_asked_beside_it(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="a local judge needs the extra `models`")
    from .tiny import save_tiny_model

    folder = save_tiny_model(tmp_path / kind, kind=kind)
    with open_judge(f"hf:{folder}", store=tmp_path / "together.sqlite") as judge:
        together = judge.ask(CALLS)
    alone = []
    for number, call in enumerate(CALLS):
        with open_judge(f"hf:{folder}", store=tmp_path / f"{number}.sqlite") as judge:
            alone += judge.ask([call])
    assert [verdict.values for verdict in together] == [verdict.values for verdict in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.expectations == pytest.approx(other.expectations, abs=1e-4)
    assert len({verdict.expectations for verdict in together}) == len(CALLS)


ROLES = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
REPLY = "{% if add_generation_prompt %}<|assistant|>{% endif %}"
RAISES = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
DROPS = "{% for m in messages if m.role != 'system' %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
THINKS = "{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}"
SWITCHED = (
    "{% if add_generation_prompt %}<|assistant|><think>\n"
    "{% if enable_thinking is defined and not enable_thinking %}\n</think>\n\n{% endif %}{% endif %}"
)


def asked_of(folder: Path, tmp_path: Path) -> tuple[str, dict[str, str]]:
    """What a judge in a folder is asked, as its tokenizer read it, and who it says it is."""
    with open_judge(f"hf:{folder}", store=tmp_path / "s.sqlite") as judge:
        (verdict,) = judge.ask([grade()])
        assert verdict.value == 4
        draft = judge._backend._loaded.draft(Vote(grade(), 0, "", ""))  # type: ignore[attr-defined]
        return draft.text, judge.identity()


@pytest.mark.parametrize(
    ("template", "left_out"),
    [
        (ROLES + REPLY, None),
        (RAISES + ROLES + REPLY, "system_role"),
        (DROPS + REPLY, "system_role"),
        (ROLES + SWITCHED, "thought"),
        (RAISES + ROLES + SWITCHED, "system_role+thought"),
    ],
    ids=["all roles", "raises at system", "drops system", "thinks with a switch", "both"],
)
def test_templates_are_taken_as_they_are(template: str, left_out: str | None, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="a local judge needs the extra `models`")
    from .tiny import save_tiny_model

    text, identity = asked_of(save_tiny_model(tmp_path / "model", always="4", chat=template), tmp_path)
    system, user = system_message(grade()), user_message(grade())
    roles = f"<|user|>{system}\n\n{user}" if "system" in (left_out or "") else f"<|system|>{system}<|user|>{user}"
    thought = "<think></think>" if "thought" in (left_out or "") else ""
    assert text.replace("\n", "") == f'{roles}<|assistant|>{thought}{{"verdicts": ['.replace("\n", "")
    assert identity.get("left-out") == left_out


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (ROLES + THINKS, "opens a thought before the verdict, and has no switch for that"),
        ("{{ raise_exception('No.\nNever.') }}", "its chat template cannot be used (No.)"),
        ("{{ messages.nothing.there }}", "its chat template cannot be used ("),
        ("{% for %}", "its chat template cannot be used ("),
        ("<|assistant|>", "its chat template cannot be used (it leaves out the user message)"),
    ],
    ids=["thinks", "raises", "undefined", "no template", "drops all"],
)
def test_a_template_that_cannot_be_used_is_refused_in_one_line(template: str, message: str, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="a local judge needs the extra `models`")
    from .tiny import save_tiny_model

    folder = save_tiny_model(tmp_path / "model", chat=template)
    with (
        open_judge(f"hf:{folder}", store=tmp_path / "s.sqlite") as judge,
        pytest.raises(JudgeError) as caught,
    ):
        judge.ask([grade()])
    assert message in str(caught.value)
    assert "model@" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_templates_of_the_case_judge(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="a local judge needs the extra `models`")
    from .tiny import save_tiny_model

    for path in sorted(case("judge_local_templates").glob("*.jinja")):
        folder = save_tiny_model(tmp_path / path.stem, chat=path.read_text())
        with open_judge(f"hf:{folder}", store=tmp_path / "s.sqlite") as judge:
            assert judge.ask([grade()])[0].values is not None


def test_a_call_that_is_too_long_for_the_model_is_unscored_and_the_others_are_not(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="a local judge needs the extra `models`")
    from .tiny import save_tiny_model

    folder = save_tiny_model(tmp_path / "model", kind="gpt2")
    with open_judge(f"hf:{folder}", store=tmp_path / "s.sqlite") as judge:
        long, short = judge.ask([grade("x" * 9000), grade("x")])
    assert long.values is None
    assert re.fullmatch(r"rejected: the call has [\d,]+ tokens, and model@\w+ in float32 reads 8192", long.reason)
    assert short.values is not None
