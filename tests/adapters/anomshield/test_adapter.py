"""AnomShield from checkpoints in its authors' layouts to answers, against the same model put together by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import sentencepiece
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, MistralConfig, MistralForCausalLM

from ecva_bench.adapters.anomshield import hard_prompt
from ecva_bench.adapters.anomshield.adapter import AnomShield
from ecva_bench.adapters.anomshield.connector import FULL_PRECISION, MambaConnector
from ecva_bench.adapters.anomshield.pooled_mlp import PooledMlp
from ecva_bench.adapters.parts.language.tokens import SentencePieces
from ecva_bench.adapters.parts.prompts import TokenIds, Visual, encode
from ecva_bench.answering import ModelOutput
from ecva_bench.errors import AdapterError, CheckpointError, UsageError
from ecva_bench.records import Moment
from ecva_bench.video import Video
from tests.adapters import tiny_llava as tiny
from tests.adapters.greedy import greedy
from tests.adapters.test_videollama2_parts import prepared_by_hand
from tests.judging.server import JudgeServer
from tests.video.make import write

from . import reference64
from .test_hard_prompt import authors_frames

QUESTIONS = ["Why does it happen?", "What does the accident lead to, and when does it end?"]
CAPTION = "Please describe the video briefly"
PROMPTS = Path(__file__).parents[3] / "prompts" / "models"
# The release reads words of a question as a token, and joins a turn without an answer to the next.
REREAD = ("chat-special-in-question", "chat-empty-answer")
WORDS = 10  # tokens of an answer
COUNT = 130  # frames of the clip, at 25 a second
SPREAD = {count: authors_frames(COUNT, count) for count in (16, 32, 64)}
MAMBA = {"mm_projector_type": "mamba_scan", "num_frames": 16, "image_aspect_ratio": "pad"}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return Video(write(tmp_path_factory.mktemp("clip") / "a.mp4", count=COUNT))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tower and a language model."""
    folder = tmp_path_factory.mktemp("anomshield")
    tiny.write_tower(folder / "tower")
    tiny.write_base(folder / "base")
    return folder


@pytest.fixture(scope="module")
def projector(bare: Path, video: Video) -> dict[str, torch.Tensor]:
    return centred(bare, tiny.random_state(MambaConnector(tiny.WIDTH, tiny.HIDDEN), 3), "readout.2", video)


@pytest.fixture(scope="module")
def mlp(bare: Path, video: Video) -> dict[str, torch.Tensor]:
    return centred(bare, tiny.random_state(PooledMlp(tiny.WIDTH, tiny.HIDDEN), 3), "2", video)


@pytest.fixture(scope="module")
def place(bare: Path, projector: dict[str, torch.Tensor], mlp: dict[str, torch.Tensor]) -> Path:
    """The same model in every layout, a LoRA on top of it, and one with a connector that has no Mamba block."""
    folder, tower = bare, bare / "tower"
    tiny.write_whole(folder / "whole", projector, tower, form="safetensors", **MAMBA)
    tiny.write_stage_1(folder / "stage-1", projector, tower, **MAMBA)
    torch.save(tiny.write_lora(folder / "lora", projector, tower, **MAMBA), folder / "merged.pt")
    tiny.write_stage_1(folder / "mlp", mlp, tower, **{**MAMBA, "mm_projector_type": "mlp2x_gelu"})
    return folder


def centred(place: Path, weights: dict[str, torch.Tensor], last: str, video: Video) -> dict[str, torch.Tensor]:
    """Take what all frames have in common from a projector, so that an answer depends on which of them are seen."""
    hand = ByHand(place, tiny.language().state_dict(), weights)
    with torch.no_grad():
        weights[f"{last}.weight"] *= 5
        weights[f"{last}.bias"] -= hand.visual(video, SPREAD[16]).mean(0)
    return weights


def model(place: Path, layout: str = "whole", **options: str) -> AnomShield:
    given = {"base": str(place / "base"), "max_new_tokens": str(WORDS), "device": "cpu", **options}
    return AnomShield(model_path=str(place / layout), **given)


class ByHand:
    """The same weights: features of single frames, the connector's formulas in float64, one token after another."""

    def __init__(
        self, place: Path, state: Mapping[str, torch.Tensor], projector: dict[str, torch.Tensor], *, pad: bool = True
    ) -> None:
        self.projector, self.pad = projector, pad
        self.tower = CLIPVisionModel(CLIPVisionConfig(**tiny.CLIP)).eval()
        weights = torch.load(place / "tower" / "pytorch_model.bin")
        own = {k[13:]: v for k, v in weights.items() if k.startswith("vision_model.") and "_ids" not in k}
        self.tower.load_state_dict(own)
        self.language = MistralForCausalLM(MistralConfig(**tiny.MISTRAL)).eval()
        self.language.load_state_dict(state)
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(place / "base" / "tokenizer.model"))

    def visual(self, video: Video, indices: Sequence[int]) -> torch.Tensor:
        frames = video.frames_at(indices).pixels
        values = torch.stack([prepared_by_hand(frame, self.pad) for frame in frames])
        patches = self.tower(values, output_hidden_states=True).hidden_states[-2][:, 1:]
        if "0.weight" in self.projector:
            first, second = ((self.projector[f"{n}.weight"], self.projector[f"{n}.bias"]) for n in (0, 2))
            hidden = torch.nn.functional.gelu(patches.mean(1) @ first[0].T + first[1])  # 4x4 patches: one token
            return hidden @ second[0].T + second[1]
        return reference64.connector(self.projector, patches[None])[0].float()

    @torch.no_grad()
    def answer(self, video: Video, indices: Sequence[int], question: str) -> str:
        before, after = AnomShield.template.text.split("{video}")
        return self.said(before, self.visual(video, indices), after.replace("{question}", question), WORDS)

    @torch.no_grad()
    def said(self, before: str, visual: torch.Tensor, after: str, words: int) -> str:
        embed = self.language.get_input_embeddings()
        ids = [torch.tensor(found) for found in ([1, *self.pieces.encode(before)], self.pieces.encode(after))]
        said = greedy(self.language, torch.cat([embed(ids[0]), visual, embed(ids[1].long())]), new=words)
        return self.pieces.decode([token for token in said if token > 2]).strip()


@pytest.fixture(scope="module")
def by_hand(place: Path, projector: dict[str, torch.Tensor]) -> ByHand:
    return ByHand(place, tiny.language().state_dict(), projector)


@pytest.mark.parametrize("layout", ["whole", "stage-1", "lora"])
def test_every_layout_gives_the_answers_of_the_model_put_together_by_hand(
    layout: str, place: Path, video: Video, projector: dict[str, torch.Tensor], by_hand: ByHand
) -> None:
    hand = ByHand(place, torch.load(place / "merged.pt"), projector) if layout == "lora" else by_hand
    adapter = model(place, layout, hard_prompt="no")
    assert adapter.frame_indices(video).tolist() == SPREAD[16]
    expected = [hand.answer(video, SPREAD[16], question) for question in QUESTIONS]
    assert adapter.answer_many(video, QUESTIONS) == expected
    assert len({*expected, hand.answer(video, SPREAD[16][8:], QUESTIONS[0])}) == 3


def test_a_question_stands_in_the_words_that_the_authors_train_and_answer_with(
    shared_golden: Path, tmp_path: Path
) -> None:
    """The released trainer's ids up to the answer, by Mistral's vocabulary, and the text of the authors' scripts."""
    golden = shared_golden / "training"
    meta = json.loads((golden / "a" / "meta.json").read_text())
    assert AnomShield.template.text == meta["template_for_answers"]
    (tmp_path / "tokenizer.model").symlink_to(golden / "tokenizer.model")
    tokenizer = SentencePieces(tmp_path)
    samples = {s["id"]: s for s in json.loads((golden / "a" / "samples.json").read_text())["chat"]}
    compared = 0
    for sample in json.loads((golden / "a" / "tokens_mistral_vocabulary.json").read_text())["chat"]:
        first = samples[sample["id"]]["conversations"][0]["value"]
        if not first.startswith(("<image>\n", "<video>\n")) or sample["id"] in REREAD:
            continue
        pieces = AnomShield.template.pieces(first[len("<image>\n") :].strip())
        ids = [-1 if isinstance(one, Visual) else one for one in encode([TokenIds((1,)), *pieces], tokenizer)]
        assert [max(one, -1) for one in sample["input_ids"]][: len(ids)] == ids, sample["id"]
        compared += 1
    assert compared >= 5


def test_the_ablation_without_the_mamba_block_pools_and_keeps_the_mlp(
    place: Path, video: Video, mlp: dict[str, torch.Tensor]
) -> None:
    hand = ByHand(place, tiny.language().state_dict(), mlp)
    adapter = model(place, "mlp", hard_prompt="no", connector="mlp")
    assert adapter.answer(video, QUESTIONS[0]) == hand.answer(video, SPREAD[16], QUESTIONS[0])
    features = torch.randn(2, 3, 64, tiny.WIDTH)
    connector = PooledMlp(tiny.WIDTH, tiny.HIDDEN).eval()
    with torch.no_grad():
        tokens = connector(features)
        for place_, (row, column) in enumerate([(0, 0), (0, 4), (4, 0), (4, 4)]):
            block = features[1, 2].view(8, 8, -1)[row : row + 4, column : column + 4].flatten(0, 1).mean(0)
            one = connector[2](torch.nn.functional.gelu(connector[0](block)))
            torch.testing.assert_close(tokens[1, 8 + place_], one)


def test_a_checkpoint_of_another_connector_is_an_error_that_says_what_to_do(
    place: Path, tmp_path: Path, projector: dict[str, torch.Tensor]
) -> None:
    with pytest.raises(
        CheckpointError, match=r"is 'mlp2x_gelu' and not 'mamba_scan': .*: give --model-arg connector=mlp"
    ):
        model(place, "mlp").load()
    tiny.write_stage_1(tmp_path, projector, place / "tower", mm_projector_type="stc_connector")
    with pytest.raises(
        CheckpointError, match=r"is 'stc_connector' and not 'mamba_scan': .*: name a checkpoint of AnomS"
    ):
        model(place, str(tmp_path)).load()


@pytest.mark.parametrize(
    "prefix", ["model.mm_projector.", "base_model.model.model.mm_projector.", "module.base_model.model.mm_projector."]
)
def test_every_trainer_s_prefix_is_understood(
    prefix: str, place: Path, tmp_path: Path, projector: dict[str, torch.Tensor]
) -> None:
    tiny.write_config(tmp_path / "stage-1", place / "tower", **MAMBA)
    named = {f"{prefix}{name}": tensor for name, tensor in projector.items()}
    torch.save(named, tmp_path / "stage-1" / "mm_projector.bin")
    connector = model(place, str(tmp_path / "stage-1")).networks.connector
    assert isinstance(connector, MambaConnector)
    assert all(torch.equal(tensor, projector[name]) for name, tensor in connector.state_dict().items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"readout.2.bias": None}, "MambaConnector (1 missing: readout.2.bias)"),
        ({"pos_t": torch.ones(16, tiny.WIDTH)}, "MambaConnector (1 unexpected: pos_t)"),
        ({"mambaModel_h.layers.0.mixer.A_log": torch.ones(32, 8)}, "A_log 32x8 for 32x16"),
    ],
)
def test_a_projector_that_does_not_fit_is_an_error(
    change: dict[str, torch.Tensor | None],
    message: str,
    place: Path,
    tmp_path: Path,
    projector: dict[str, torch.Tensor],
) -> None:
    changed = {name: tensor for name, tensor in {**projector, **change}.items() if tensor is not None}
    tiny.write_stage_1(tmp_path / "stage-1", changed, place / "tower", **MAMBA)
    with pytest.raises(CheckpointError) as error:
        model(place, str(tmp_path / "stage-1")).load()
    assert message in str(error.value)


# The hard prompt


class Scripted(AnomShield):
    """Ranks by a script and notes what it was asked."""

    replies: Mapping[str, str]

    def say(self, words: str) -> str:
        self.asked = [*getattr(self, "asked", []), words]
        return next(reply for question, reply in self.replies.items() if question in words)


def scripted(place: Path, replies: Mapping[str, str], **options: str) -> Scripted:
    given = {"max_new_tokens": str(WORDS), "device": "cpu", **options}
    adapter = Scripted(model_path=str(place / "whole"), **given)
    adapter.replies = replies
    return adapter


def test_segments_are_captioned_ranked_against_the_question_and_looked_at_closely(
    place: Path, video: Video, by_hand: ByHand
) -> None:
    adapter = scripted(place, {QUESTIONS[0]: "[7, 3, 1, 2, 4, 5, 6, 8]", QUESTIONS[1]: "[2, 1, 3]"})
    texts = adapter.answer_many(video, QUESTIONS)
    captions = [by_hand.answer(video, SPREAD[32][n : n + 4], CAPTION) for n in range(0, 32, 4)]
    assert len(set(captions)) > 3
    template = (PROMPTS / "anomshield-ranking-8.v1.md").read_text().split("---\n")[2].strip()
    for text, question, chosen, asked in zip(texts, QUESTIONS, [(3, 7), (1, 2)], adapter.asked, strict=True):
        frames = [index for k in chosen for index in SPREAD[64][8 * k - 8 : 8 * k]]
        assert text == by_hand.answer(video, frames, question)
        assert isinstance(text, ModelOutput)
        told = text.steps["hard_prompt"]
        assert [segment["caption"] for segment in told["segments"]] == captions
        assert told["chosen"] == list(chosen)
        assert told["fallback"] == ""
        assert told["frames"] == pytest.approx([index / 25 for index in frames])
        assert asked == hard_prompt.ranking_prompt(template, question, captions)
    starts = [segment["start"] for segment in told["segments"]]
    assert starts == pytest.approx([129 * k / 8 / 25 for k in range(8)], abs=0.51 / 25)
    assert told["segments"][-1]["end"] == pytest.approx((COUNT - 1) / 25)
    assert json.loads(json.dumps(told)) == told


def test_four_segments_are_looked_at_again_with_the_same_frames(place: Path, video: Video, by_hand: ByHand) -> None:
    adapter = scripted(place, {QUESTIONS[0]: "[4,2,1,3]"}, segments="4")
    expected = by_hand.answer(video, SPREAD[32][8:16] + SPREAD[32][24:], QUESTIONS[0])
    assert adapter.answer(video, QUESTIONS[0]) == expected
    assert adapter.asked[0].startswith("I have four sentences and one question.")


def test_an_unreadable_ranking_gives_the_whole_video_and_is_told(place: Path, video: Video, by_hand: ByHand) -> None:
    text = scripted(place, {QUESTIONS[0]: "All of them."}).answer(video, QUESTIONS[0])
    assert text == by_hand.answer(video, SPREAD[16], QUESTIONS[0])
    assert isinstance(text, ModelOutput)
    told = text.steps["hard_prompt"]
    assert (told["reply"], told["order"], told["chosen"]) == ("All of them.", [], [])
    assert "cannot be read" in told["fallback"]


def test_together_or_alone_answers_are_the_same_and_captions_are_made_once(place: Path, video: Video) -> None:
    replies = {QUESTIONS[0]: "[7, 3]", QUESTIONS[1]: "[1, 2]"}
    adapter = scripted(place, replies)
    adapter.load()
    encoded: list[int] = []
    adapter.networks.tower.register_forward_hook(lambda _, given, __: encoded.append(len(given[0])))  # type: ignore[attr-defined]
    together = adapter.answer_many(video, QUESTIONS)
    assert encoded == [4] * 8 + [16] * 2
    alone = [adapter.answer(video, question) for question in QUESTIONS]
    assert alone == together
    assert [text.steps for text in alone] == [text.steps for text in together]  # type: ignore[attr-defined]
    assert sum(encoded) == 64
    fresh = scripted(place, replies)
    assert [fresh.answer(video, question) for question in QUESTIONS[::-1]] == together[::-1]


def test_every_answer_takes_all_its_frames_from_the_video(place: Path, video: Video) -> None:
    adapter = scripted(place, {"": "[7, 3]"})
    for _ in range(2):
        taken: list[int] = []
        video.on_frames = lambda frames: taken.extend(frames.indices.tolist())  # noqa: B023
        adapter.answer(video, QUESTIONS[0])
        video.on_frames = None
        assert taken == SPREAD[32] + SPREAD[64][16:24] + SPREAD[64][48:56]
    assert adapter.frame_indices(video).tolist() == SPREAD[32]


def test_cut_and_very_short_videos_have_answers(place: Path, video: Video, tmp_path: Path) -> None:
    adapter = scripted(place, {"": "[5, 4]"})
    cut = video.without([Moment(start=1.0, end=4.0)])
    told = adapter.answer(cut, QUESTIONS[0])
    assert isinstance(told, ModelOutput)
    assert not [second for second in told.steps["hard_prompt"]["frames"] if 1 <= second < 4]
    whole = adapter.answer(video, QUESTIONS[0])
    assert isinstance(whole, ModelOutput)
    assert told.steps["hard_prompt"]["segments"][4]["caption"] != whole.steps["hard_prompt"]["segments"][4]["caption"]
    still = Video(write(tmp_path / "a.mp4", count=1))
    assert adapter.answer(still, QUESTIONS[0]).steps["hard_prompt"]["frames"] == [0.0] * 16  # type: ignore[attr-defined]


def test_the_model_ranks_by_words_alone(place: Path, by_hand: ByHand) -> None:
    words = "Rank the sentences.\n1.A man pushes a cart.\n2.A car."
    found = model(place, max_new_tokens="3").say(words)
    assert found == by_hand.said(f"[INST] {words} [/INST]", torch.empty(0, tiny.HIDDEN), "", 128)


def test_a_judge_can_rank(
    place: Path, video: Video, by_hand: ByHand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path))
    verdicts = {"rationale": "smoke", "verdicts": [0, 1, 2, 3, 5, 5, 0, 0]}
    with JudgeServer(lambda system, payload: verdicts) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        adapter = model(place, ranker="gpt-4o-mini")
        text = adapter.answer(video, QUESTIONS[0])
        assert model(place, ranker="gpt-4o-mini").answer(video, QUESTIONS[0]) == text
    assert text == by_hand.answer(video, SPREAD[64][32:48], QUESTIONS[0])
    assert isinstance(text, ModelOutput)
    assert text.steps["hard_prompt"]["order"][:2] == [5, 6]
    (request,) = server.requests  # the second time, the store had it
    assert request.payload["question"] == QUESTIONS[0]
    assert len(request.payload["captions"]) == 8
    assert adapter.describe()["hard_prompt"]["ranking"]["id"] == "judge/caption-relevance.v1"


# What it is said to be


def test_the_description_has_all_that_determines_an_answer(place: Path, projector: dict[str, torch.Tensor]) -> None:
    options: list[dict[str, str]] = [
        {"hard_prompt": "no"},
        {"segments": "4"},
        {"ranker": "gpt-4o-mini"},
        {"aspect": "none"},
        {"generation": "upstream"},
    ]
    described = [json.dumps(model(place, **given).describe(), sort_keys=True) for given in [{}, *options]]
    assert len(set(described)) == 1 + len(options)
    assert all(str(place) not in text for text in described)
    found = json.loads(described[0])
    assert found["hard_prompt"]["segments"] == 8
    assert found["frames"] == {"rule": "midpoints", "count": 32, "rounded": "bounds"}


def test_the_backend_described_is_the_one_that_computes(place: Path) -> None:
    assert model(place).describe()["connector"] == {"kind": "mamba", "backend": "torch"}
    assert model(place, "mlp", connector="mlp").describe()["connector"] == {"kind": "mlp"}
    for backend in ("cuda", "mamba_ssm"):
        with pytest.raises(AdapterError, match="--model-arg backend=torch"):
            model(place, backend=backend).describe()


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16])
def test_weights_stored_in_16_bits_are_rounded_once_and_small_ones_stay_in_full_precision(
    stored: torch.dtype, place: Path, tmp_path: Path, projector: dict[str, torch.Tensor]
) -> None:
    rounded = {name: tensor.to(stored) for name, tensor in projector.items()}
    tiny.write_stage_1(tmp_path / "stage-1", rounded, place / "tower", **MAMBA)
    connector = model(place, str(tmp_path / "stage-1"), dtype="float16").networks.connector
    assert isinstance(connector, MambaConnector)
    for name, tensor in connector.state_dict().items():
        kept = torch.float32 if name in FULL_PRECISION else torch.float16
        assert torch.equal(tensor, rounded[name].to(kept)), name
        assert tensor.dtype is kept, name


def test_a_tower_in_a_folder_of_the_authors_machine_is_that_of_the_hub(
    place: Path, projector: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    named = {**MAMBA, "mm_vision_tower": "/data/vllm/ckpt/AI-ModelScope/clip-vit-large-patch14"}
    tiny.write_stage_1(tmp_path, projector, place / "tower", **named)
    adapter = model(place, str(tmp_path))
    assert adapter.extras() == {"base": str(place / "base"), "vision_tower": "openai/clip-vit-large-patch14"}
    other = model(place, str(tmp_path), vision_tower=str(place / "tower"))
    assert other.extras()["vision_tower"] == str(place / "tower")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hard_prompt": "maybe"}, "'maybe' is no value of hard_prompt: choose from yes, no"),
        ({"segments": "5"}, "'5' is no value of segments: choose from 8, 4"),
        ({"connector": "conv"}, "'conv' is no value of connector: choose from mamba, mlp"),
        ({"backend": "triton"}, "'triton' is no value of backend"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, str], message: str, place: Path) -> None:
    with pytest.raises(UsageError) as error:
        model(place, **options)
    assert message in str(error.value)


def test_without_a_path_there_is_nothing_to_run() -> None:
    with pytest.raises(UsageError, match="no weights of its own: AnomShield: name a folder with --model-path"):
        AnomShield().describe()


def test_importing_the_model_imports_no_torch() -> None:
    program = "import sys, ecva_bench.adapters.anomshield.adapter; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_at_real_size_it_has_the_published_number_of_parameters(tmp_path: Path, place: Path) -> None:
    """Of Mistral 7B v0.2 and of CLIP ViT-L/14's vision half, the hub's own counts; of the connector, the released."""
    tiny.write_config(tmp_path, place / "tower", **{**MAMBA, "mm_hidden_size": 1024, "hidden_size": 4096})
    torch.save({}, tmp_path / "mm_projector.bin")
    with torch.device("meta"):
        connector = AnomShield(model_path=str(tmp_path)).connector()
        tower = CLIPVisionModel(
            CLIPVisionConfig(
                hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14
            )
        )
        language = MistralForCausalLM(MistralConfig())
        tokens = connector(torch.empty(1, 16, 256, 1024))
    counts = [sum(p.numel() for p in module.parameters()) for module in (connector, tower, language)]
    assert counts == [28_022_784, 303_179_776, 7_241_732_096]
    assert tokens.shape == (1, 256, 4096)
    assert f"{2 * sum(counts) / 1e9:.1f} GB of weights" in AnomShield.card.memory
