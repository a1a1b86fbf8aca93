"""`vllm:` against a stand-in with vLLM's signatures, and what `serve-hint` prints."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import dynamic_module_utils

from ecva_bench.adapters.vllm_engine.serving import serve_lines
from ecva_bench.answering import ModelOutput, Question, create_adapter
from ecva_bench.errors import AdapterError, CheckpointError, UsageError
from ecva_bench.records import Moment
from ecva_bench.video import Video
from tests.adapters import standin_vllm
from tests.adapters import tiny_hf as tiny
from tests.clips import write_clip

WHEN = Question("When?", task="timestamp", unit="seconds")
QUESTIONS = ["Why?", "What does the accident lead to, and when does it end?", WHEN]
OPTIONS = {"frames": "4", "max_new_tokens": "6"}
SMALL = {"qwen2_vl": {"max_pixels": "2048"}, "qwen3_vl": {"max_pixels": "2048"}}
FAMILIES = ("qwen2_vl", "qwen3_vl", "llava_onevision", "gemma3")


@pytest.fixture(scope="module", params=FAMILIES)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, tiny.write(tmp_path_factory.mktemp("checkpoints") / request.param, request.param)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "1.mp4", frames=41)


@pytest.fixture
def video(clip: Path) -> Iterator[Video]:
    with Video(clip) as video:
        yield video


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The stand-in's models, as they come."""
    from .standin_vllm import install

    return install(monkeypatch)


def test_vllm_is_shown_what_hf_shows(checkpoint: tuple[str, Path], video: Video, made: list[Any]) -> None:
    family, folder = checkpoint
    options = OPTIONS | SMALL.get(family, {})
    engine = create_adapter(f"vllm:{folder}", options)
    engine.load()
    reference = create_adapter(f"hf:{folder}", {**options, "device": "cpu"})
    edit = video.without([Moment(start=1.0, end=2.0)])
    for shown in (video, edit):
        assert engine.answer_many(shown, QUESTIONS) == [reference.answer(shown, question) for question in QUESTIONS]
    (llm,) = made
    assert [len(call) for call in llm.calls] == [3, 3]  # a view's questions together
    frames = video.frames_at(engine.frame_indices(video))
    for prompt, question in zip(llm.calls[0], QUESTIONS, strict=True):
        assert question in prompt["prompt"]
        timed = question is WHEN and family in ("qwen2_vl", "llava_onevision")
        assert ("These frames are located at" in prompt["prompt"]) == timed
        if family == "gemma3":
            assert np.array_equal(np.stack([np.asarray(i) for i in prompt["multi_modal_data"]["image"]]), frames.pixels)
        else:
            ((pixels, metadata),) = prompt["multi_modal_data"]["video"]
            assert np.array_equal(pixels, frames.pixels)
            seconds = np.array(metadata["frames_indices"]) / metadata["fps"]
            assert seconds == pytest.approx(frames.positions, abs=1e-5)


@pytest.mark.parametrize("thinking", ["yes", "no"])
def test_a_thought_that_the_template_opens_is_one_to_vllm_too(
    thinking: str, tmp_path: Path, video: Video, made: list[Any]
) -> None:
    template = tiny.write(tmp_path / "internvl", "internvl") / "chat_template.jinja"
    template.write_text(template.read_text() + "{% if enable_thinking %}<think>\n{% endif %}")
    options = OPTIONS | {"thinking": thinking}
    reference = create_adapter(f"hf:{template.parent}", {**options, "device": "cpu"})
    said = create_adapter(f"vllm:{template.parent}", options).answer_many(video, QUESTIONS[:1])
    assert said == [reference.answer(video, QUESTIONS[0])]
    assert said[0].startswith("<think>") == (thinking == "yes")


@pytest.mark.parametrize("family", ["qwen2_vl"])
def test_the_engine_is_started_as_described(family: str, tmp_path: Path, video: Video, made: list[Any]) -> None:
    folder = tiny.write(tmp_path / family, family)
    options = {**OPTIONS, **SMALL[family], "gpus": "2", "max_model_len": "4096", "prefix_caching": "no"}
    engine = create_adapter(f"vllm:{folder}", options)
    described = engine.describe()
    assert made == []  # nothing was loaded for that
    (text,) = engine.answer_many(video, ["Why?"])
    (llm,) = made
    assert llm.given == {
        "model": str(folder),
        "trust_remote_code": False,
        "tensor_parallel_size": 2,
        "dtype": "auto",
        "seed": 0,
        "gpu_memory_utilization": 0.9,
        "max_model_len": 4096,
        "limit_mm_per_prompt": {"video": 1},
        "enable_prefix_caching": False,
        "use_tqdm_on_load": False,
        "hf_overrides": {},
    }
    assert described["engine"] | {"version": ""} == {
        "name": "vllm",
        "version": "",
        "dtype": "auto",
        "gpus": 2,
        "max_model_len": 4096,
        "prefix_caching": False,
    }
    assert described["generation"] == {"temperature": 0, "seed": 0, "max_tokens": 6}
    assert isinstance(text, ModelOutput)
    assert text.finish in ("stop", "length")


def test_without_a_gpu_it_starts_in_seconds_and_takes_little_memory(
    checkpoint: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = standin_vllm.install(monkeypatch, gpu=False)
    create_adapter(f"vllm:{checkpoint[1]}").load()
    create_adapter(f"vllm:{checkpoint[1]}", {"gpu_memory": "0.1"}).load()
    unsaid, said = (llm.given for llm in made)
    for given in (unsaid, said):
        assert given["enforce_eager"]
        assert given["skip_mm_profiling"]
    assert unsaid["kv_cache_memory_bytes"] == 2**30
    assert "kv_cache_memory_bytes" not in said
    assert said["gpu_memory_utilization"] == 0.1


def test_code_beside_the_weights_is_run_only_on_request_and_is_in_the_key(
    tmp_path: Path, made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny.write(tmp_path / "qwen2_vl", "qwen2_vl")
    keys = [create_adapter(f"vllm:{folder}", {"trust_remote_code": run}).describe() for run in ("no", "yes")]
    (folder / "theirs.py").write_text("raise ValueError('it was run')\n")
    keys += [create_adapter(f"vllm:{folder}", {"trust_remote_code": run}).describe() for run in ("no", "yes")]
    assert [key.get("trust_remote_code", False) for key in keys] == [False, True, False, True]
    assert keys[0] == keys[2]
    assert keys[1]["checkpoint"] != keys[3]["checkpoint"]  # the code is part of the revision
    elsewhere = json.dumps({"auto_map": {"AutoTokenizer": ["lab/base--theirs.Slow", None]}})
    (folder / "video_preprocessor_config.json").write_text(elsewhere)
    with pytest.raises(CheckpointError, match=r"another repository, lab/base, .* write theirs.Slow there"):
        create_adapter(f"vllm:{folder}", {"trust_remote_code": "yes"}).describe()
    (folder / "video_preprocessor_config.json").unlink()
    create_adapter(f"vllm:{folder}", {"trust_remote_code": "yes"}).load()
    assert made.pop().given["trust_remote_code"]

    auto = {"auto_map": {"AutoProcessor": "theirs.Theirs"}, "processor_class": "Theirs"}
    (folder / "processor_config.json").write_text(json.dumps(auto))
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    with pytest.raises(CheckpointError, match="trust_remote_code=yes"):
        create_adapter(f"vllm:{folder}").load()
    with pytest.raises(CheckpointError, match="it was run"):
        create_adapter(f"vllm:{folder}", {"trust_remote_code": "yes"}).load()
    assert made == []


def test_a_model_that_vllm_refuses_for_its_code_says_how_to_allow_it(
    checkpoint: tuple[str, Path], made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("please pass the argument `trust_remote_code=True` to allow custom code to be run")

    monkeypatch.setattr(sys.modules["vllm"], "LLM", refuse)
    with pytest.raises(AdapterError, match=r"needs code .* --model-arg trust_remote_code=yes"):
        create_adapter(f"vllm:{checkpoint[1]}").load()


def test_where_vllm_is_not_installed_it_says_what_to_do(
    checkpoint: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(AdapterError, match=r"vLLM is not installed .* pip install vllm"):
        create_adapter(f"vllm:{checkpoint[1]}").load()


@pytest.mark.parametrize("refusal", [RuntimeError, ValueError])
def test_an_engine_that_does_not_start_says_why_in_one_line(
    refusal: type[Exception], checkpoint: tuple[str, Path], made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise refusal("1 error\n  the model needs 12 GiB")

    monkeypatch.setattr(sys.modules["vllm"], "LLM", refuse)
    with pytest.raises(AdapterError, match=r"vLLM did not start \(1 error the model needs 12 GiB\): vllm:"):
        create_adapter(f"vllm:{checkpoint[1]}").load()


@pytest.mark.parametrize("options", [{"gpus": "0"}, {"gpu_memory": "1.5"}, {"dtype": "int4"}, {"prefix_caching": "?"}])
def test_options_without_a_meaning_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        create_adapter("vllm:some/model", options)


# serve-hint


def parsed(line: str) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """A command's words before its options, its options, and the model's."""
    words = shlex.split(line)
    first = next(place for place, word in enumerate(words) if word.startswith("--"))
    given: dict[str, str] = {}
    model: dict[str, str] = {}
    for name, value in zip(words[first:], [*words[first + 1 :], ""], strict=True):
        if name == "--model-arg":
            option, _, setting = value.partition("=")
            model[option.replace("-", "_")] = setting
        elif name.startswith("--"):
            given[name] = "" if value.startswith("--") else value
    return words[:first], given, model


def test_the_lines_serve_and_ask_by_the_familys_settings(checkpoint: tuple[str, Path]) -> None:
    family, folder = checkpoint
    for weights in folder.glob("*.safetensors"):
        assert weights.stat().st_size  # there, and not looked at
    serve, run = serve_lines(str(folder))
    words, served, _ = parsed(serve)
    assert words == ["vllm", "serve", str(folder)]
    assert served["--served-model-name"] == folder.name
    assert served["--enable-prefix-caching"] == ""
    assert served["--generation-config"] == "vllm"
    assert ("--trust-request-mm-kwargs" in served) == (family != "gemma3")  # tests/engines: else refused
    limit = json.loads(served["--limit-mm-per-prompt"])
    assert limit == ({"image": 16} if family == "gemma3" else {"video": 1})
    words, asked, options = parsed(run)
    assert words == ["ecva-bench", "run"]
    assert asked["--model"] == f"openai:{folder.name}"
    endpoint = create_adapter(asked["--model"], options)  # it takes all of them
    assert options["frames_as"] == ("images" if family == "gemma3" else "video")
    assert endpoint.describe()["generation"]["max_completion_tokens"] == 512
    expected = {
        "qwen2_vl": {"rule": "at_fps", "fps": 2.0, "cap": 64},
        "qwen3_vl": {"rule": "at_fps", "fps": 2.0, "cap": 64},
        "llava_onevision": {"rule": "linspace", "count": 32},
        "gemma3": {"rule": "midpoints", "count": 16},
    }
    assert endpoint.describe()["frames"] == expected[family]
    endpoint.close()


def test_the_context_holds_all_frames(tmp_path: Path) -> None:
    """Figures by hand: Qwen2-VL reads a frame of 151 200 pixels as at most 193 tokens, LLaVA-OneVision as 27 x 27."""
    for kind, vision, tokens in (
        ("qwen2_vl", {"patch_size": 14, "spatial_merge_size": 2}, 64 * 193),
        ("llava_onevision", {"image_size": 384, "patch_size": 14}, 32 * 28 * 28),
    ):
        folder = tmp_path / kind
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"model_type": kind, "vision_config": vision}))
        _, served, _ = parsed(serve_lines(str(folder))[0])
        assert tokens + 512 < int(served["--max-model-len"]) <= tokens + 512 + 2 * 1024


def test_the_context_is_no_longer_than_the_model_s(tmp_path: Path) -> None:
    """LLaVA-NeXT-Video over Vicuna 1.5: its frames are pooled, and take less than `image_seq_length` says."""
    text = {"max_position_embeddings": 4096}
    config = {"model_type": "llava_next_video", "image_seq_length": 576, "text_config": text}
    (tmp_path / "config.json").write_text(json.dumps(config))
    _, served, _ = parsed(serve_lines(str(tmp_path))[0])
    assert served["--max-model-len"] == "4096"


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        ("internvl_chat", {"AutoConfig": "configuration_x.Config", "AutoModel": "modeling_x.Model"}, "modeling_x.py"),
        ("of_nobody", {"AutoConfig": "someone/else--configuration_x.Config"}, "(someone/else: configuration_x.py)"),
        ("of_nobody", {}, ""),
        ("internvl", {"AutoConfig": "configuration_x.Config"}, ""),  # which transformers knows: no code is run
    ],
)
def test_code_of_the_checkpoint_is_trusted_only_where_nothing_else_reads_it_and_said(
    kind: str, code: dict[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"model_type": kind, "image_seq_length": 256, "auto_map": code}
    (tmp_path / "config.json").write_text(json.dumps(config))
    _, served, _ = parsed(serve_lines(str(tmp_path))[0])
    assert ("--trust-remote-code" in served) == bool(said)
    told = " ".join(capsys.readouterr().err.split())
    assert said in told
    assert ("--trust-remote-code runs code" in told) == bool(said)


def test_the_command_prints_both_lines_and_imports_no_torch(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "internvl", "image_seq_length": 256}))
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('HEAVY', [m for m in ('torch', 'vllm', 'transformers') if m in sys.modules]))\n"
        f"sys.argv[1:] = ['serve-hint', {str(tmp_path)!r}]\n"
        "from ecva_bench.cli import main; main()"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    serve, run, heavy = printed.splitlines()
    assert serve.startswith(f"vllm serve {tmp_path} ")
    assert run.startswith("ecva-bench run --model openai:")
    assert heavy == "HEAVY []"


def test_a_model_that_is_nowhere_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(AdapterError, match="no-such/model"):
        serve_lines("no-such/model")
