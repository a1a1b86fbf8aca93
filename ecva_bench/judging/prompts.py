"""The judge's instructions, read from the packaged files `judge/<name>.v<version>.md`. Knows no model and no metric."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .. import prompt_files
from ..errors import UsageError
from ..reading.verdicts import Scale
from .calls import JudgePrompt

_SCALES = {
    "yes-no": (0, 1),
    "0-2": (0, 2),
    "0-5": (0, 5),
    "0-10": (0, 10),
    "0-11": (0, 11),
    "tenths": (0, 99_999),
    "ranks": (1, 26),
}


def load_prompt(prompt_id: str, version: int | None = None) -> JudgePrompt:
    """Return the prompt called `judge/<name>`, the newest version unless one is named; `UsageError` if there is none.

    Its file's front matter says `fields` (the payload it speaks of), `scale` (`yes-no`, `0-2`, `0-5`,
    `0-10`, `0-11`, `tenths` of a second, or `ranks` from 1) and, where the reply holds one verdict per item of a field,
    `many`.
    """
    folder, _, name = prompt_id.partition("/")
    return _prompt(*prompt_files.read_prompt(folder, name, version))


def read_prompts(folder: Path) -> tuple[JudgePrompt, ...]:
    """Return the prompts of a folder of such files, ordered by file name; each stands in for one of ours.

    Raises `UsageError` for a file that is no prompt, or whose id is none of ours or was there before.
    """
    ours = {f"judge/{name}" for name in prompt_files.list_prompts("judge")}
    prompts: list[JudgePrompt] = []
    for path in sorted(folder.glob("*.md")):
        try:
            prompts.append(_prompt(*prompt_files.parse_prompt(path.read_text(encoding="utf-8"))))
        except (ValueError, KeyError) as error:
            remedy = "write front matter with id, version, source, fields and scale, as in prompts/judge"
            raise UsageError(f"this is no judge prompt ({error})", path, remedy) from None
        name = prompts[-1].id
        if name not in ours or name in [prompt.id for prompt in prompts[:-1]]:
            what = f"two prompts are called {name!r}" if name in ours else f"no prompt of ours is called {name!r}"
            raise UsageError(what, path, f"available, once each: {', '.join(sorted(ours))}")
    if not prompts:
        raise UsageError("there is no prompt file (*.md)", folder, "name a folder of judge prompts")
    return tuple(prompts)


def _prompt(front: Mapping[str, str], text: str) -> JudgePrompt:
    low, high = _SCALES[front["scale"]]
    return JudgePrompt(
        id=front["id"],
        version=int(front["version"]),
        source=front["source"],
        text=text,
        fields=tuple(field.strip() for field in front["fields"].split(",")),
        scale=Scale(low, high, many=front.get("many")),
    )
