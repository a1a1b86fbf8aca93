"""CLIP through open_clip: features of frames and of sentences, in float32.

The same weights give other features behind another activation, and nothing else tells: open_clip builds GELU for
`ViT-L-14`, while OpenAI's weights of that name need QuickGELU. So what weights need is compared with what is built,
before anything is downloaded, and where a file does not say what it needs, the name must. Knows no video and no file of
curves.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..checkpoints.files import first_line, read_json_object, reading, section_in
from ..devices import usable
from ..errors import CheckpointError, UsageError
from ..libraries import quiet
from ..records.base import sha256_of_file
from ..torchvision import ensure_torchvision

if TYPE_CHECKING:
    import torch

    from ..checkpoints.tensors import Tensors

Features = npt.NDArray[np.float32]

SCHEME = "open_clip:"
DEFAULT = "open_clip:ViT-L-14-quickgelu/openai"
DEFAULT_2024 = "open_clip:ViT-B-32-quickgelu/openai"  # of CUVA's released code
_QUICK = "-quickgelu"  # what open_clip adds to a model's name
_CONFIG = "open_clip_config.json"
_LOCAL = "local-dir:"  # how open_clip names a folder
_ACTIVATIONS = {True: "QuickGELU", False: "GELU"}
_AT_ONCE = 32  # frames
_OPENAI_EXTRAS = frozenset(("context_length", "input_resolution", "vocab_size"))  # among the tensors of OpenAI's files
_PREPARING = ("mean", "std", "interpolation", "resize_mode")


class _Source(NamedTuple):
    """Where a model comes from: its sizes, how frames are prepared, its tokenizer's name, and its weights.

    `tag` is open_clip's settings of published weights, empty for a file of the user's. `quick` is the activation that
    the weights are known to need, None where nothing says.
    """

    sizes: dict[str, Any]
    preparing: dict[str, Any]
    tokenizer: str
    tag: dict[str, Any]
    file: Path | None
    quick: bool | None


class OpenClip:
    """A CLIP model of open_clip. `name` is fit to be published; `weights` is the hex SHA-256 of the file of weights."""

    def __init__(self, named: str) -> None:
        """Find `open_clip:MODEL/TAG`, `open_clip:MODEL/FILE`, or `open_clip:FOLDER` with an `open_clip_config.json`.

        Loads nothing yet. Raises `UsageError` for a name of another form, and `CheckpointError` for a model that is not
        there, and where the weights need another activation than the model of that name has.
        """
        if not named.startswith(SCHEME):
            raise UsageError(f"{named!r} names no CLIP model", remedy=f"write {SCHEME}MODEL/TAG, such as {DEFAULT}")
        target = named.removeprefix(SCHEME)
        self._source = source = _found(target)
        model, _, rest = target.partition("/")
        in_folder = source.tokenizer.startswith(_LOCAL)
        self.name = SCHEME + (Path(target).name if in_folder else f"{model}/{Path(rest).name}")
        built = bool(source.sizes.get("quick_gelu", False))
        if source.quick is not None and source.quick != built:
            what = f"the weights need {_ACTIVATIONS[source.quick]}, and {{}} built with {_ACTIVATIONS[built]}"
            if in_folder:
                raise CheckpointError(what.format("the model is"), target, f"correct quick_gelu in its {_CONFIG}")
            other = model.removesuffix(_QUICK) if built else model + _QUICK
            raise CheckpointError(what.format(f"{model} is"), target, f"name {SCHEME}{other}/{rest}")

    @cached_property
    def weights(self) -> str:
        """Hex SHA-256 of the file of weights, which is downloaded where it is one of open_clip's list."""
        return sha256_of_file(self._file)

    def image_features(self, pixels: npt.NDArray[np.uint8]) -> Features:
        """Return the features [T, width], not normalised, of frames uint8 [T, height, width, 3], RGB."""
        return self.encoded(self.prepared(pixels))

    def encoded(self, prepared: torch.Tensor) -> Features:
        """Return the features [T, width] of frames as `prepared` returns them."""
        import torch

        with torch.inference_mode():
            parts = (self._network.encode_image(part.to(self._device)) for part in torch.split(prepared, _AT_ONCE))
            return np.concatenate([part.float().cpu().numpy() for part in parts])

    def text_features(self, sentences: Sequence[str]) -> Features:
        """Return the features [sentences, width], not normalised."""
        import torch

        with torch.inference_mode():
            found: Features = self._network.encode_text(self.tokens(sentences).to(self._device)).float().cpu().numpy()
        return found

    def prepared(self, pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
        """Return frames as the model reads them: float32 [T, 3, side, side]."""
        import torch
        from PIL import Image

        return torch.stack([self._transform(Image.fromarray(frame)) for frame in pixels])

    def tokens(self, sentences: Sequence[str]) -> torch.Tensor:
        """Return the tokens int64 [sentences, context]; a sentence that is too long is cut off."""
        found: torch.Tensor = self._tokenizer(list(sentences))
        return found

    def cut_off(self, sentences: Sequence[str]) -> list[str]:
        """Return the sentences that are longer than the model reads."""
        encode = getattr(self._tokenizer, "encode", None)
        longest = self._source.sizes["text_cfg"].get("context_length", 77) - 2  # a token begins and one ends them
        return [text for text in sentences if encode is not None and len(encode(text)) > longest]

    @cached_property
    def _device(self) -> str:
        return usable("auto")

    @cached_property
    def _file(self) -> Path:
        import open_clip

        if self._source.file is not None:
            return self._source.file
        try:
            with quiet():
                return Path(open_clip.download_pretrained(self._source.tag))
        except Exception as error:  # of the hub's client, or of urllib
            what = f"the weights cannot be downloaded ({first_line(error):.200})"
            remedy = "run it where there is a network, or name a file or a folder that holds them with --clip"
            raise CheckpointError(what, self.name, remedy) from None

    @cached_property
    def _tokenizer(self) -> Any:
        import open_clip

        with quiet(), reading("the tokenizer", self.name):
            return open_clip.get_tokenizer(self._source.tokenizer)

    @cached_property
    def _transform(self) -> Any:
        import open_clip

        side = self._source.sizes["vision_cfg"].get("image_size", 224)
        return open_clip.image_transform(side, is_train=False, **self._source.preparing)

    @cached_property
    def _network(self) -> Any:
        import open_clip

        from ..checkpoints.filling import fill

        with quiet(), reading("the model", self.name):
            network = _built(self._source.sizes)
        if self._source.tag:
            with quiet(), reading("the weights", self._file):
                open_clip.load_checkpoint(network, str(self._file))
        else:
            fill(network, _own_tensors(self._file), self._file)
        return network.to(self._device).eval().requires_grad_(False)


def _found(target: str) -> _Source:
    """Return where a model comes from; `CheckpointError` where there is none."""
    if lacking := [package for package in ("torch", "torchvision", "open_clip") if find_spec(package) is None]:
        raise UsageError(f"CLIP needs {', '.join(lacking)}", remedy="pip install 'ecva-bench[severity]'")
    ensure_torchvision()
    import open_clip

    if Path(target).expanduser().is_dir():
        return _of_folder(Path(target).expanduser())
    model, _, rest = target.partition("/")
    sizes = open_clip.get_model_config(model)
    if sizes is None or not rest:
        names = (
            ", ".join(sorted(name for name in open_clip.list_models() if name.startswith(model[:6]))) or "none alike"
        )
        what = "it names no model of open_clip's" if sizes is None else "it names no weights"
        raise CheckpointError(
            what, target, f"write {SCHEME}MODEL/TAG_OR_FILE, or a folder with {_CONFIG}; there is {names}"
        )
    if tag := open_clip.get_pretrained_cfg(model, rest):
        return _Source(
            sizes, {name: tag.get(name) for name in _PREPARING}, model, tag, None, bool(tag.get("quick_gelu"))
        )
    file = Path(rest).expanduser()
    if not file.is_file():
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none"
        raise CheckpointError("there are no such weights", target, f"name a file, or one of its tags: {tags}")
    if _is_program(file):
        what = "the file is a program (a TorchScript archive), and programs in files of weights are not run"
        raise CheckpointError(what, file, f"name the tag openai, which has the same weights: {SCHEME}{model}/openai")
    quick = True if _OPENAI_EXTRAS & set(_tensors(file)) else None
    if quick is None and model + _QUICK in open_clip.list_models():
        what = f"the file does not say whether its weights need QuickGELU, and {model} is built with GELU"
        remedy = (
            f"name {model}{_QUICK} where they are OpenAI's, MetaCLIP's or DFN's; else a folder with the file and its "
            f"{_CONFIG}, which says so"
        )
        raise CheckpointError(what, file, remedy)
    return _Source(sizes, {}, model, {}, file, quick)


def _of_folder(folder: Path) -> _Source:
    config = folder / _CONFIG
    settings = read_json_object(config)
    sizes, preparing = (section_in(settings, name, config) for name in ("model_cfg", "preprocess_cfg"))
    if not all(isinstance(sizes.get(part), dict) for part in ("vision_cfg", "text_cfg")):
        raise CheckpointError("it has no model_cfg with vision_cfg and text_cfg", config, "take open_clip's own")
    files = [found for suffix in ("safetensors", "bin") if (found := sorted(folder.glob(f"*.{suffix}")))]
    if not files or len(files[0]) > 1:
        what = f"the folder holds {len(files[0]) if files else 'no'} files of weights"
        raise CheckpointError(what, folder, f"leave one there, beside {_CONFIG}")
    preparing = {name: preparing[name] for name in _PREPARING if name in preparing}
    quick = True if _OPENAI_EXTRAS & set(_tensors(files[0][0])) else None
    return _Source(sizes, preparing, f"{_LOCAL}{folder}", {}, files[0][0], quick)


def _built(sizes: dict[str, Any]) -> Any:
    """Return a network of these sizes with random weights."""
    import open_clip

    arguments = {name: dict(value) if isinstance(value, dict) else value for name, value in sizes.items()}
    by_transformers = "hf_model_name" in arguments["text_cfg"]
    if by_transformers:
        arguments["text_cfg"]["hf_model_pretrained"] = False  # they would be replaced
    custom = arguments.pop("custom_text", False) or by_transformers
    kind = open_clip.CoCa if "multimodal_cfg" in arguments else open_clip.CustomTextCLIP if custom else open_clip.CLIP
    return kind(**arguments)


def _tensors(file: Path) -> Tensors:
    from ..checkpoints.tensors import open_weights

    return open_weights(file)


def _own_tensors(file: Path) -> Tensors:
    from ..checkpoints.tensors import renamed

    return renamed(_tensors(file), lambda name: None if name in _OPENAI_EXTRAS else name)


def _is_program(file: Path) -> bool:
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())
