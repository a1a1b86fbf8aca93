"""Models of transformers, from disk to answers: what the library itself would have answered to the same frames."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import dynamic_module_utils, image_utils, video_utils
from transformers.image_processing_utils import BaseImageProcessor
from transformers.video_processing_utils import VideoProcessorMixin

from ecva_bench.adapters.hf import adapter as hf
from ecva_bench.adapters.hf import families
from ecva_bench.adapters.hf.positions import put_text_behind_videos
from ecva_bench.answering import Adapter, ModelOutput, Question, create_adapter
from ecva_bench.answering.request import RunRequest
from ecva_bench.answering.result_records import identity
from ecva_bench.answering.run_status import run_status
from ecva_bench.answering.runner import Runner
from ecva_bench.data import load_dataset
from ecva_bench.errors import CheckpointError, SpecMismatch, UsageError
from ecva_bench.journal.writer import Journal
from ecva_bench.reading.thoughts import without_thought
from ecva_bench.records import Moment
from ecva_bench.records.answers import Manifest
from ecva_bench.tasks import TASKS
from ecva_bench.video import Video, samplers
from tests.adapters import tiny_hf as tiny
from tests.video.make import write

t: Any = transformers

QUESTIONS = ["Why?", "What does the accident lead to, and when does it end?"]
NEW = 8
OPTIONS = {"frames": "4", "max_new_tokens": str(NEW), "device": "cpu"}
SMALL = {"max_pixels": "2048"}  # for families whose frames have no size of their own
# What a family's processor must be told for 4 frames of 2048 pixels: bounds are of a frame, or of the whole video.
PIXELS = {
    "qwen2_vl": {"size": {"shortest_edge": 2048, "longest_edge": 2048}, "cap_pixels_per_frame": True},
    "qwen2_5_vl": {"size": {"shortest_edge": 2048, "longest_edge": 2048}, "cap_pixels_per_frame": True},
    "qwen3_vl": {"size": {"shortest_edge": 8192, "longest_edge": 8192}, "cap_pixels_per_frame": False},
    "video_llama_3": {"size": {"shortest_edge": 2048, "longest_edge": 2048}},
    "glm4v": {"size": {"shortest_edge": 8192, "longest_edge": 8192}},
}
ENCODERS = ("visual", "video_tower", "vision_tower", "vision_model")


@dataclass(frozen=True)
class Loaded:
    """A family's tiny checkpoint, and the adapter that read it."""

    family: str
    folder: Path
    adapter: hf.Hf


def adapter_of(folder: Path, family: str, **options: str) -> hf.Hf:
    adapter = create_adapter(f"hf:{folder}", {**OPTIONS, **(SMALL if family in PIXELS else {}), **options})
    assert isinstance(adapter, hf.Hf)
    return adapter


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A function that returns a family's checkpoint, written once."""
    place = tmp_path_factory.mktemp("checkpoints")

    def find(family: str) -> Path:
        return place / family if (place / family).is_dir() else tiny.write(place / family, family)

    return find


@pytest.fixture(scope="module", params=tiny.FAMILIES)
def loaded(request: pytest.FixtureRequest, checkpoint: Callable[[str], Path]) -> Loaded:
    folder = checkpoint(request.param)
    return Loaded(request.param, folder, adapter_of(folder, request.param))


@pytest.fixture(scope="module")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of the embedded split."""
    dataset = load_dataset("mini", videos=tmp_path_factory.mktemp("mini"))
    first = dataset.annotations[0]
    dataset.ensure_videos(only={first.video})
    return dataset.media_path(first)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip whose frames stay on screen for different times: nine come in the first second, then one every 0.5 s."""
    return write(
        tmp_path_factory.mktemp("clip") / "uneven.mp4", ticks=[*range(0, 90, 10), *range(100, 1000, 50)], count=0
    )


def by_the_library(loaded: Loaded, video: Video, question: str) -> str:
    """What transformers answers when it is asked as its documentation says, from a video's frames in memory."""
    processor = t.AutoProcessor.from_pretrained(loaded.folder)
    model = t.AutoModelForImageTextToText.from_pretrained(loaded.folder, dtype=torch.float32)
    if loaded.adapter.family.text_behind:  # where transformers is not as the authors (test_positions)
        put_text_behind_videos(model.model)
    frames = video.frames_at(loaded.adapter.frame_indices(video))
    pixels = frames.pixels.copy()
    if loaded.family == "gemma3":
        opening = f"A video of {video.duration:.1f} seconds, as {len(pixels)} frames. Before each stands its time."
        content = [{"type": "text", "text": opening}]
        for frame, seconds in zip(pixels, video.timestamps[frames.indices], strict=True):
            content += [{"type": "text", "text": f"{seconds:.1f} s:"}, {"type": "image", "image": frame}]
        told = {}
    else:
        content = [{"type": "video", "video": pixels}]
        told = {
            "do_sample_frames": False,
            "video_metadata": [
                video_utils.VideoMetadata(
                    total_num_frames=video.n_frames,
                    fps=video.frame_rate,
                    duration=video.duration,
                    frames_indices=[int(index) for index in frames.indices],
                )
            ],
            **PIXELS.get(loaded.family, {}),
        }
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": [*content, {"type": "text", "text": question}]}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs=told,
    )
    greedy = t.GenerationConfig(
        do_sample=False, max_new_tokens=NEW, eos_token_id=259, pad_token_id=256, repetition_penalty=1.0, temperature=1.0
    )
    said = model.generate(**inputs, generation_config=greedy)[0, inputs["input_ids"].shape[1] :]
    return str(processor.tokenizer.decode(said, skip_special_tokens=True)).strip()


def test_answers_are_the_librarys_own(loaded: Loaded, mini: Path, tmp_path: Path) -> None:
    video = Video(mini)
    answers = [loaded.adapter.answer(video, question) for question in QUESTIONS]
    assert answers == [by_the_library(loaded, video, question) for question in QUESTIONS]
    assert len({*answers}) == 2
    assert answers[0] != loaded.adapter.answer(Video(write(tmp_path / "other.mp4")), QUESTIONS[0])


def test_a_batch_says_what_one_by_one_says(loaded: Loaded, mini: Path) -> None:
    one_by_one = [loaded.adapter.answer(Video(mini), question) for question in QUESTIONS]
    assert loaded.adapter.answer_many(Video(mini), [*QUESTIONS, QUESTIONS[0]]) == [*one_by_one, one_by_one[0]]


def test_a_video_is_processed_and_encoded_once(loaded: Loaded, mini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processed, encoded = [], []
    for part in (BaseImageProcessor, VideoProcessorMixin):

        def counted(self: Any, *pictures: Any, real: Any = part.preprocess, **options: Any) -> Any:
            processed.append(1)
            return real(self, *pictures, **options)

        monkeypatch.setattr(part, "preprocess", counted)
    base = loaded.adapter.model.network.base_model
    encoder = next(getattr(base, name) for name in ENCODERS if hasattr(base, name))
    hook = encoder.register_forward_hook(lambda *_: encoded.append(1))
    whole = Video(mini)
    loaded.adapter.answer(whole, QUESTIONS[0])
    loaded.adapter.answer(whole, QUESTIONS[1])
    loaded.adapter.answer_many(whole, QUESTIONS)
    assert (len(processed), len(encoded)) == (1, 1)
    loaded.adapter.answer_many(whole.without([Moment(start=0, end=1)]), QUESTIONS)
    hook.remove()
    assert (len(processed), len(encoded)) == (2, 2)


def test_nothing_is_decoded_a_second_time(loaded: Loaded, mini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = Video(mini)
    video.preload(loaded.adapter.frame_indices(video))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(av, "open", refuse)
    monkeypatch.setattr(image_utils, "load_image", refuse)
    monkeypatch.setattr(video_utils, "load_video", refuse)
    for reader in (name for name in vars(video_utils) if name.startswith("read_video_")):
        monkeypatch.setattr(video_utils, reader, refuse)
    assert loaded.adapter.answer(video, QUESTIONS[0])


SPELT = {  # how a family writes seconds into its prompt, and of how many frames together
    "qwen3_vl": (r"<(\d+\.\d) seconds>", 2),
    "video_llama_3": (r"Time (\d+\.\d)s:", 1),
    "gemma3": (r"(\d+\.\d) s:", 1),
    "glm4v": (r"<\|end_of_image\|>(\d+)", None),  # of every second frame, cut off to whole seconds
}


@pytest.mark.parametrize("family", SPELT)
@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
def test_models_that_are_told_seconds_are_told_the_real_ones(
    family: str, cut: bool, checkpoint: Callable[[str], Path], uneven: Path
) -> None:
    video = Video(uneven).without([Moment(start=2, end=4)]) if cut else Video(uneven)
    adapter = adapter_of(checkpoint(family), family)
    network, read = adapter.model.network, []
    hook = network.get_input_embeddings().register_forward_pre_hook(lambda _, given: read.append(given[0]))
    adapter.answer(video, "Why?")
    hook.remove()
    text = adapter.model.processor.tokenizer.decode(read[0][0])
    seconds = video.positions[adapter.frame_indices(video)]
    assert len(np.unique(np.diff(seconds))) > 1
    pattern, together = SPELT[family]
    told = [float(value) for value in re.findall(pattern, text)]
    if together is None:
        assert told == np.floor(seconds[::2]).tolist()
    else:
        assert told == pytest.approx(seconds.reshape(-1, together).mean(axis=1), abs=0.0501)  # told to a tenth


def test_seconds_between_frames_reach_the_family_that_counts_by_them(
    checkpoint: Callable[[str], Path], mini: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, video = adapter_of(checkpoint("qwen2_5_vl"), "qwen2_5_vl"), Video(mini)
    given: list[dict[str, Any]] = []
    real = adapter.model.network.generate
    monkeypatch.setattr(adapter.model.network, "generate", lambda **i: (given.append(i), real(**i))[1])
    adapter.answer(video, "Why?")
    assert float(given[0]["second_per_grid_ts"][0]) == pytest.approx(2 * video.duration / 4)


def test_an_answer_says_whether_it_was_cut_off(checkpoint: Callable[[str], Path], mini: Path) -> None:
    adapter = adapter_of(checkpoint("internvl"), "internvl")
    told = adapter.answer(Video(mini), QUESTIONS[0])
    assert isinstance(told, ModelOutput)
    assert told.finish == "length"
    adapter.model.network.get_output_embeddings().register_forward_hook(
        lambda _, __, logits: torch.nn.functional.one_hot(torch.full(logits.shape[:-1], 259), logits.shape[-1]).float()
    )
    ended = adapter.answer(Video(mini), QUESTIONS[0])  # by a model that says nothing but that it has done
    assert isinstance(ended, ModelOutput)
    assert (ended, ended.finish) == ("", "stop")


@pytest.fixture
def copy(checkpoint: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint("internvl"), tmp_path / "copy"))


def test_a_checkpoint_that_lacks_a_weight_is_refused(copy: Path) -> None:
    state = load_file(copy / "model.safetensors")
    del state[next(name for name in state if name.endswith("lm_head.weight"))]
    save_file(state, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"weights do not fit InternVL.*1 missing: lm_head\.weight"):
        adapter_of(copy, "internvl").load()


def test_a_checkpoint_without_a_chat_template_is_refused(copy: Path) -> None:
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(CheckpointError, match=r"no chat template.*chat_template\.jinja"):
        adapter_of(copy, "internvl").load()


def test_a_thought_that_the_template_opens_and_nothing_ends_is_no_answer(copy: Path, mini: Path) -> None:
    plain = adapter_of(copy, "internvl").answer(Video(mini), QUESTIONS[0])
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text() + "<think>\n")
    thinking = adapter_of(copy, "internvl").answer(Video(mini), QUESTIONS[0])
    assert without_thought(plain) == (plain, "")
    assert without_thought(thinking) == ("", thinking.removeprefix("<think>").strip())


def test_a_template_s_switch_for_thinking_is_set_on_request(copy: Path, mini: Path) -> None:
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text() + "{% if enable_thinking | default(true) %}<think>{% endif %}")
    told = {option: adapter_of(copy, "internvl", thinking=option) for option in ("", "yes", "no")}
    answers = {option: adapter.answer(Video(mini), QUESTIONS[0]) for option, adapter in told.items()}
    assert answers[""] == answers["yes"] != answers["no"]
    assert [answers[option].startswith("<think>") for option in ("yes", "no")] == [True, False]
    assert len({json.dumps(adapter.describe()) for adapter in told.values()}) == 3


@pytest.mark.parametrize("own", [{"quant_method": "awq", "bits": 4}, {"load_in_4bit": True}])
def test_a_checkpoint_that_is_quantised_itself_is_described_so(own: dict[str, Any], copy: Path) -> None:
    assert adapter_of(copy, "internvl").describe()["quantize"] == "no"
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "quantization_config": own}))
    assert adapter_of(copy, "internvl").describe()["quantize"] == own.get("quant_method", "yes")
    with pytest.raises(UsageError, match=r"quantised already .*leave quantize out"):
        adapter_of(copy, "internvl", quantize="4bit").describe()


def test_another_chat_template_or_code_that_is_run_is_another_revision(copy: Path) -> None:
    (copy / "theirs.py").write_text("x = 1\n")
    template = copy / "chat_template.jinja"

    def revisions() -> list[str]:
        return [adapter_of(copy, "internvl", trust_remote_code=run).checkpoint.revision for run in ("no", "yes")]

    before = revisions()
    (copy / "theirs.py").write_text("x = 2\n")
    other_code = revisions()
    assert [now == then for now, then in zip(other_code, before, strict=True)] == [True, False]
    template.write_text("Be brief. " + template.read_text())
    assert not {*revisions()} & {*other_code}


def test_code_beside_the_weights_is_run_only_on_request(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = json.loads((copy / "config.json").read_text())
    config |= {"model_type": "nobody_knows", "auto_map": {"AutoConfig": "theirs.Theirs"}}
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "theirs.py").write_text("raise ValueError('it was run')\n")
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(copy / "modules"))
    with pytest.raises(CheckpointError, match="trust_remote_code=yes"):
        adapter_of(copy, "internvl").load()
    with pytest.raises(CheckpointError, match="it was run"):
        adapter_of(copy, "internvl", trust_remote_code="yes").load()


def test_a_family_that_is_not_listed_gets_the_stated_default(
    checkpoint: Callable[[str], Path], mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = json.loads(families.FAMILIES.read_text())
    monkeypatch.setattr(families, "FAMILIES", tmp_path / "families.json")
    families.FAMILIES.write_text(json.dumps(data | {"families": {}}))
    for family, way in (("internvl", "video"), ("gemma3", "images")):
        adapter = create_adapter(f"hf:{checkpoint(family)}", {"max_new_tokens": "2", "device": "cpu"})
        described = adapter.describe()
        assert (described["input"], described["frames"]) == (way, {"rule": "midpoints", "count": 16})
        assert len(adapter.frame_indices(Video(mini))) == 16
        assert isinstance(adapter.answer(Video(mini), "Why?"), str)


def test_frames_are_those_of_the_examples_on_the_model_cards() -> None:
    listed = json.loads(families.FAMILIES.read_text())["families"]
    for length in (1, 5, 8, 9, 37, 250, 1003):
        size = (length - 1) / 8
        middles = [math.floor(size / 2 + round(size * number)) for number in range(8)]
        firsts = [length * number // 8 for number in range(8)]
        for name, expected in (("internvl", middles), ("llava_next_video", firsts)):
            rule = dict(listed[name]["frames"])
            assert samplers.get(rule.pop("rule"))(length, **rule).tolist() == expected


def test_frames_go_in_as_images_where_that_is_asked(checkpoint: Callable[[str], Path], mini: Path) -> None:
    for family in ("qwen2_vl", "internvl"):
        as_images = adapter_of(checkpoint(family), family, input="images")
        answers = as_images.answer_many(Video(mini), QUESTIONS)
        assert answers == [as_images.answer(Video(mini), question) for question in QUESTIONS]
        assert answers[0] != adapter_of(checkpoint(family), family).answer(Video(mini), QUESTIONS[0])


def test_seconds_are_written_behind_the_video_where_that_is_asked(
    checkpoint: Callable[[str], Path], uneven: Path
) -> None:
    video, plain = Video(uneven), adapter_of(checkpoint("internvl"), "internvl")
    told = adapter_of(checkpoint("internvl"), "internvl", times="words")
    read: list[torch.Tensor] = []
    told.model.network.get_input_embeddings().register_forward_pre_hook(lambda _, given: read.append(given[0]))
    told.answer(video, "Why?")
    text = told.model.processor.tokenizer.decode(read[0][0])
    seconds = video.positions[told.frame_indices(video)]
    # As in docs/LLaVA_Video_1003.md of LLaVA-VL/LLaVA-NeXT, also without a space before "Please".
    instruction = (
        f"The video lasts for {video.duration:.2f} seconds, and {len(seconds)} frames are uniformly sampled from it. "
        f"These frames are located at {','.join(f'{second:.2f}s' for second in seconds)}."
        "Please answer the following questions related to this video."
    )
    assert f"{instruction}\nWhy?" in text
    described = told.describe()
    assert described.pop("times").startswith("The video lasts for {duration:.2f} seconds")
    assert described == plain.describe()
    for times in ("words", "none"):
        with pytest.raises(UsageError, match="told each frame's second already"):
            adapter_of(checkpoint("qwen3_vl"), "qwen3_vl", times=times).describe()


WHEN = Question("When?", task="timestamp", unit="seconds")


def test_questions_about_times_are_told_the_seconds_where_nothing_else_tells_them(
    checkpoint: Callable[[str], Path], uneven: Path
) -> None:
    video, folder = Video(uneven), checkpoint("internvl")
    adapters = {times: adapter_of(folder, "internvl", times=times) for times in ("", "none", "words")}
    by_default = adapters[""]
    read = {
        (times, question): one.model.inputs(one._look(video), question)["input_ids"][0].tolist()
        for times, one in adapters.items()
        for question in ("Why?", WHEN)
    }
    assert read["", WHEN] == read["words", WHEN] != read["none", WHEN]
    assert read["", "Why?"] == read["none", "Why?"] != read["words", "Why?"]
    together = by_default.answer_many(video, [WHEN, "Why?", WHEN])
    assert together == [by_default.answer(video, question) for question in (WHEN, "Why?", WHEN)]
    assert together[0] == adapters["words"].answer(video, WHEN) != adapters["none"].answer(video, WHEN)
    words = adapters["words"].describe()["times"]
    assert {task: by_default.asked_with(task) for task in TASKS} == {
        task: {"times": words} if task in ("timestamp", "grounding", "severity") else {} for task in TASKS
    }
    assert by_default.describe() == adapters["none"].describe()
    others = [adapters["none"], adapters["words"], adapter_of(checkpoint("internvl"), "internvl", input="images")]
    for family in ("qwen3_vl", "qwen2_5_vl"):  # told each frame's second, and how far apart frames are
        others.append(adapter_of(checkpoint(family), family))
    assert [one.asked_with("timestamp") for one in others] == [{}] * 5
    told = [one.notes(["timestamp", "severity"]) for one in (by_default, *others)]
    assert [len(notes) for notes in told] == [1, 1, 0, 0, 0, 0]
    assert "for timestamp and severity (--model-arg times=none leaves it out)" in told[0][0]
    assert "answers to timestamp and severity are guesses" in told[1][0]
    assert by_default.notes(["cause"]) == ()


def test_a_run_from_before_seconds_were_written_is_gone_on_with_and_never_mixed(
    checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def runner(*tasks: str, **options: str) -> Runner:
        return RunRequest(f"hf:{checkpoint('internvl')}", model_args={**OPTIONS, **options}, tasks=tasks).prepare()

    def manifest(*tasks: str, **options: str) -> Manifest:
        return runner(*tasks, **options).manifest

    with monkeypatch.context() as before:
        before.setattr(hf.Hf, "asked_with", Adapter.asked_with)
        old = manifest("cause", "timestamp")
    new, as_before = manifest("cause", "timestamp"), manifest("cause", "timestamp", times="none")
    assert as_before.spec == old.spec
    assert identity(new.spec, "cause") == identity(old.spec, "cause")
    assert identity(new.spec, "timestamp") != identity(old.spec, "timestamp")
    for name, held, others in (("old", old, [as_before, manifest("cause")]), ("new", new, [manifest("cause")])):
        for one in (held, *others):
            Journal(tmp_path / name, one).close()
    with pytest.raises(SpecMismatch, match=r"without times there.* go on with it by --model-arg times=none, or begin"):
        Journal(tmp_path / "old", new)
    assert run_status(runner("timestamp"), tmp_path / "old").option == "--model-arg times=none"
    assert run_status(runner("timestamp", frames="5"), tmp_path / "old").option == ""
    with pytest.raises(SpecMismatch, match=r"with times there.* go on with it by leaving out --model-arg times, or"):
        Journal(tmp_path / "new", as_before)
    for other in (manifest("timestamp", times="words"), manifest("timestamp", frames="5")):  # more differs
        with pytest.raises(SpecMismatch, match=r"there.*: use --out NAME"):
            Journal(tmp_path / "old", other)


@pytest.mark.parametrize(
    ("family", "options", "rule"),
    [
        ("qwen2_vl", {}, {"rule": "at_fps", "fps": 2, "least": 4, "cap": 64}),
        ("qwen2_vl", {"frames": "2"}, {"rule": "at_fps", "fps": 2, "least": 2, "cap": 2}),
        ("qwen2_vl", {"fps": "0.5"}, {"rule": "at_fps", "fps": 0.5, "least": 4, "cap": 64}),
        ("internvl", {"frames": "12"}, {"rule": "midpoints", "count": 12, "rounded": "steps"}),
        ("internvl", {"fps": "1"}, {"rule": "at_fps", "fps": 1.0}),
        ("internvl", {"fps": "1", "frames": "9"}, {"rule": "at_fps", "fps": 1.0, "cap": 9}),
    ],
)
def test_options_change_the_familys_frames(
    family: str, options: dict[str, str], rule: dict[str, Any], checkpoint: Callable[[str], Path]
) -> None:
    assert create_adapter(f"hf:{checkpoint(family)}", {"device": "cpu", **options}).describe()["frames"] == rule


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"frames": "0"}, "'0' is no value of frames"),
        ({"fps": "-1"}, "'-1' is no value of fps"),
        ({"max_pixels": "1000"}, "frames have one size in the family 'internvl'"),
        ({"input": "audio"}, "'audio' is no value of input"),
        ({"trust_remote_code": "maybe"}, "'maybe' is no value of trust_remote_code"),
    ],
)
def test_options_without_a_meaning_are_refused(
    options: dict[str, str], complaint: str, checkpoint: Callable[[str], Path]
) -> None:
    with pytest.raises(UsageError, match=complaint):
        create_adapter(f"hf:{checkpoint('internvl')}", {"device": "cpu", **options}).describe()


def test_every_listed_family_is_one_of_the_librarys_and_can_be_shown_any_video() -> None:
    data = json.loads(families.FAMILIES.read_text())
    known = t.models.auto.modeling_auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES
    assert set(data["families"]) - set(known) == {"internvl_chat"}  # whose code lies beside its weights
    for settings in [data["unlisted"], *data["families"].values()]:
        family = families.Family(**settings)
        assert family.source
        for n_frames, rate in ((1, 1), (3, 25), (250, 25), (9000, 30)):
            indices = family.indices(np.array([float(Fraction(i, rate)) for i in range(n_frames)]))
            assert (np.diff(indices) >= 0).all()
            assert 0 <= indices[0] <= indices[-1] < n_frames
            assert family.frames.get("least", 1) <= len(indices) <= 64
