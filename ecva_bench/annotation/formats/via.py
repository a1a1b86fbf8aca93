"""VIA 3 (the VGG annotator of videos): one project, a JSON file, in seconds.

Moments are segments of time, fields are attributes of a file. Form: https://gitlab.com/vgg/via, its `_via_data.js`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...names import ids_of
from ...records.acts import AnnotationAct
from .fields import FIELDS, MOMENT, act_of, field_texts

TOOL = "via"
_OF_FILE, _OF_TIME = "FILE1_Z0_XY0", "FILE1_Z2_XY0"  # what an attribute describes
_TEXT, _VIDEO, _ON_DISK = 1, 4, 1  # kinds of attributes, files and places
_VIDEO_ID = "video"
_SAVE = "save the project in VIA 3 and name that file"


def write_via(acts: Sequence[AnnotationAct]) -> dict[str, str]:
    """Return the content of `project.json`, with what the acts say as a beginning."""
    names = (MOMENT, _VIDEO_ID, *FIELDS)
    keys = {name: str(number) for number, name in enumerate(names, start=1)}
    attributes = {
        key: {
            "aname": name,
            "anchor_id": _OF_TIME if name == MOMENT else _OF_FILE,
            "type": _TEXT,
            "desc": "",
            "options": {},
            "default_option_id": "",
        }
        for name, key in keys.items()
    }
    files, views, metadata = {}, {}, {}
    for number, act in enumerate(acts, start=1):
        view = str(number)
        name = act.media or f"{act.video}.mp4"
        files[view] = {"fid": view, "fname": name, "type": _VIDEO, "loc": _ON_DISK, "src": name}
        views[view] = {"fid_list": [view]}
        fields = {keys[_VIDEO_ID]: act.video, **{keys[one]: text for one, text in field_texts(act).items()}}
        metadata[f"{view}_0"] = {"vid": view, "flg": 0, "z": [], "xy": [], "av": fields}
        for place, moment in enumerate(act.moments, start=1):
            span = {"vid": view, "flg": 0, "z": [moment.start, moment.end], "xy": [], "av": {keys[MOMENT]: MOMENT}}
            metadata[f"{view}_{place}"] = span
    project = {
        "project": {"pid": "__VIA_PROJECT_ID__", "rev": "__VIA_PROJECT_REV_ID__", "pname": "ecva-bench"},
        "config": {"file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}}},
        "attribute": attributes,
        "file": files,
        "metadata": metadata,
        "view": views,
    }
    return {"project.json": json.dumps(project, ensure_ascii=False, indent=1) + "\n"}


def read_via(data: dict[str, Any], path: Path, annotator: str | None) -> list[AnnotationAct]:
    """Return an act for each file of a project of which something is said; `DataError` where it is no such project."""
    if annotator is None:
        raise DataError("a project of VIA does not say who annotated", path, "name the annotator with --annotator")
    try:
        names = {key: one["aname"] for key, one in data["attribute"].items()}
        media = {view: data["file"][one["fid_list"][0]]["fname"] for view, one in data["view"].items()}
        said = [
            (str(one["vid"]), one["z"], {names[key]: str(text) for key, text in one["av"].items()})
            for one in data["metadata"].values()
        ]
        spans = {view: [(z[0], z[1]) for vid, z, _ in said if vid == view and len(z) == 2] for view in media}
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise DataError(f"it is no project of VIA 3 ({error!r:.80})", path, _SAVE) from None
    ids = ids_of(media.values(), path)
    texts: dict[str, dict[str, str]] = {view: {} for view in media}
    for view, z, fields in said:
        if view in texts and not z:
            texts[view] |= fields
    return [
        act_of(path, own.get(_VIDEO_ID) or ids[media[view]], annotator, spans[view], own, media=media[view], tool=TOOL)
        for view, own in texts.items()
        if spans[view] or any(own.get(name, "").strip() for name in FIELDS)
    ]
