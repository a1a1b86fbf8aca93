"""What this machine and this installation have: extras, keys, GPUs, space. Imports none of the packages it names."""

from __future__ import annotations

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from ..cache import cache_dir
from ..devices import driver_gpus
from ..wording import size
from .finding import Line

KEYS = ("OPENAI_API_KEY", "HF_TOKEN")
_INNER = ("all", "dev")  # extras that are made of others, or for developers
_REQUIREMENT = re.compile(r"(?P<package>[\w.-]+)[^;]*;.*\bextra == [\"'](?P<extra>[\w-]+)[\"']")
_LOW = 5 << 30  # bytes of free space of which a run may run out


def extra_lines() -> Iterator[Line]:
    """Yield for each extra of this project whether its packages are installed."""
    for extra, packages in sorted(_packages().items()):
        lacking = [package for package in packages if installed(package) is None]
        remedy = f"lacks {', '.join(lacking)}: pip install 'ecva-bench[{extra}]'"
        yield Line(f"extra {extra}", remedy if lacking else "installed")


def has_extra(extra: str) -> bool:
    """Return whether the packages of an extra are installed."""
    return all(installed(package) for package in _packages()[extra])


def extra_of(module: str) -> str:
    """Return the extra that brings a module; `all` where several do, or none."""
    name = module.partition(".")[0].replace("_", "-")
    found = [extra for extra, packages in _packages().items() if name in {p.replace("_", "-") for p in packages}]
    return found[0] if len(found) == 1 else "all"


def _packages() -> dict[str, list[str]]:
    """Return the packages of each extra, as the installed project names them."""
    packages: dict[str, list[str]] = defaultdict(list)
    for requirement in requires("ecva-bench") or ():
        if (found := _REQUIREMENT.match(requirement)) and found["extra"] not in _INNER:
            packages[found["extra"]].append(found["package"])
    return packages


def installed(package: str) -> str | None:
    """Return the installed version of a package, None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def key_lines(environment: Mapping[str, str] = os.environ) -> Iterator[Line]:
    """Yield for each key whether it is set; what it is is never shown."""
    for name in KEYS:
        there = bool(environment.get(name, "").strip())
        yield Line(f"key {name}", "set" if there else "not set")


def gpu_lines() -> Iterator[Line]:
    """Yield the GPUs that NVIDIA's driver shows, and whether the torch that is installed can use one."""
    found = driver_gpus()
    if not found:
        yield Line("GPU", "none that NVIDIA's driver shows: models run on the CPU")
        return
    for number, gpu in enumerate(found):
        yield Line(f"cuda:{number}", gpu)
    torch = installed("torch")
    if torch is None or "+cpu" in torch:
        what = "torch is not installed" if torch is None else f"torch {torch} cannot use a GPU"
        yield Line("torch", f"{what}: see pytorch.org for a build with CUDA", False)


def space_lines() -> Iterator[Line]:
    """Yield how much is free where results, caches and weights go."""
    places = {"here": Path.cwd(), "cache": cache_dir(), "weights": hub_cache()}
    for name, place in places.items():
        above = next(folder for folder in (place, *place.parents) if folder.exists())
        free = shutil.disk_usage(above).free
        yield Line(f"space, {name}", f"{size(free)} free in {place}", free > _LOW)


def hub_cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the hub's cache, as its client finds it."""
    if own := environment.get("HF_HUB_CACHE"):
        return Path(own).expanduser()
    home = environment.get("HF_HOME") or f"{environment.get('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    return Path(home).expanduser() / "hub"
