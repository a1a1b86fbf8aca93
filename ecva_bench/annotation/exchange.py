"""From acts to a tool's files and back: which format a file has, and at what rate its frames are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..data.ecva import read_bytes
from ..errors import DataError, UsageError
from ..files.folders import VideoFiles
from ..records.acts import AnnotationAct
from ..untrusted import parse_json
from ..video.probing import probe
from .formats.elan import read_elan, write_elan
from .formats.label_studio import read_label_studio, write_label_studio
from .formats.released import write_cuva_json, write_workbook
from .formats.via import read_via, write_via

TOOLS = ("label-studio", "via", "elan")
RELEASED = ("xlsx", "json")  # the authors' workbook, and CUVA's JSON


def write_for(
    tool: str, acts: Sequence[AnnotationAct], videos: Path | None, source: Path | None = None
) -> Mapping[str, str | bytes]:
    """Return the content of a tool's files by name, with what the acts say as a beginning for annotators.

    Label Studio counts frames, and needs the folder of the videos. `xlsx` and `json` are the authors' own forms, of
    which `source` may be the file that annotations came from. Raises `UsageError` for an unknown tool, and where
    acts are of several annotators: one file is for one.
    """
    if tool not in (*TOOLS, *RELEASED):
        raise UsageError(f"no tool is called {tool!r}", remedy=f"known: {', '.join((*TOOLS, *RELEASED))}")
    if source is not None and tool not in RELEASED:
        raise UsageError(f"{tool} takes no source", source, f"leave --source out, or write {' or '.join(RELEASED)}")
    owners = sorted({act.annotator for act in acts})
    if len(owners) > 1 or len({act.video for act in acts}) < len(acts):
        what = f"there are annotations of {', '.join(owners)}, and one file is for one annotator and round"
        raise UsageError(what, remedy="choose with --annotator and --round")
    if tool == "xlsx":
        return {"annotations.xlsx": write_workbook(acts, source)}
    if tool == "json":
        return {"annotations.json": write_cuva_json(acts, source)}
    if tool == "via":
        return write_via(acts)
    if tool == "elan":
        return write_elan(acts)
    if videos is None:
        raise UsageError("Label Studio counts frames, and needs the videos' frame rates", remedy="name --videos DIR")
    return write_label_studio(acts, _rates(acts, videos))


def rounded_ends(tool: str, acts: Sequence[AnnotationAct]) -> int:
    """Return how many ends of moments a tool's files hold in whole seconds that lie between them."""
    ends = (end for act in acts for moment in act.moments for end in (moment.start, moment.end))
    return sum(end % 1 > 0 for end in ends) if tool in RELEASED else 0


def read_from(path: Path, annotator: str | None, rate: float | None) -> list[AnnotationAct]:
    """Return the acts of a tool's file, which its content tells; `DataError` where it is none that is known."""
    content = read_bytes(path)
    if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") or path.suffix == ".eaf":
        return read_elan(content, path, annotator)
    try:
        data = parse_json(content)
    except ValueError as error:
        raise DataError(f"it is neither JSON ({error}) nor XML", path, f"name a file of {', '.join(TOOLS)}") from None
    if isinstance(data, list):
        return read_label_studio(data, path, annotator, rate)
    if isinstance(data, dict) and {"attribute", "file", "metadata", "view"} <= data.keys():
        return read_via(data, path, annotator)
    raise DataError("it is no export of a known tool", path, f"name a file of {', '.join(TOOLS)}")


def _rates(acts: Sequence[AnnotationAct], videos: Path) -> dict[str, float]:
    """Return the frame rates of the acts' videos; `DataError` where one has none that its frames can be counted by."""
    files = VideoFiles(videos, {act.video: act.media or f"{act.video}.mp4" for act in acts})
    rates = {}
    for act in acts:
        path = files.find(act.video)
        if path is None:
            raise DataError(f"video {act.video!r} has no file", videos, "name the folder of the videos with --videos")
        found = probe(path)
        if not found.decodes:
            raise DataError(f"video {act.video!r} cannot be read ({found.message})", path, "leave it out, or mend it")
        if found.variable_frame_rate:
            what = f"video {act.video!r} has a variable frame rate, and Label Studio counts frames at a constant one"
            raise DataError(what, path, "export it with --to via or --to elan, which count seconds")
        rates[act.video] = found.frame_rate
    return rates
