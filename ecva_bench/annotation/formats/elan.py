"""ELAN: one `.eaf` file a video, in milliseconds, with a tier for each field and annotator (`moments@ann`).

It is XML from others: a file that declares a document type, and so could declare entities, is refused.
Form: https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ...errors import DataError
from ...names import ids_of
from ...records.acts import AnnotationAct
from .fields import FIELDS, MOMENT, act_of, field_texts

TOOL = "elan"
_MOMENTS = "moments"
_VIDEO_ID = "ecva:video"
# Control characters but tabs and line breaks, and what is no character; a carriage return would become a line break.
_NOT_XML = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_elan(acts: Sequence[AnnotationAct]) -> dict[str, str]:
    """Return the content of a file for each act, by its name, with what the act says as a beginning.

    A video in a folder has `%2F` in the name of its file: an underscore could be that of another video.
    """
    return {f"{act.video.replace('%', '%25').replace('/', '%2F')}.eaf": _document(act) for act in acts}


def read_elan(content: bytes, path: Path, annotator: str | None) -> list[AnnotationAct]:
    """Return an act for each annotator who says something in a file; with `annotator`, all tiers are that one's.

    `DataError` where it is no such file, or declares a document type.
    """
    root = _parsed(content, path)
    if root.tag != "ANNOTATION_DOCUMENT":
        raise DataError(f"it is no file of ELAN: its root is {root.tag!r:.40}", path, "save it in ELAN as .eaf")
    unit = next((one.get("TIME_UNITS", "milliseconds") for one in root.iter("HEADER")), "milliseconds")
    if unit != "milliseconds":
        raise DataError(f"its times are in {unit!r:.40}", path, "save it with milliseconds")
    media = next((one.get("MEDIA_URL", "") for one in root.iter("MEDIA_DESCRIPTOR")), "") or f"{path.stem}.mp4"
    known = next((one.text for one in root.iter("PROPERTY") if one.get("NAME") == _VIDEO_ID), None)
    video = known or ids_of([media], path)[media]
    slots = {one.get("TIME_SLOT_ID"): one.get("TIME_VALUE") for one in root.iter("TIME_SLOT")}
    spans: dict[str, list[tuple[float, float]]] = {}
    texts: dict[str, dict[str, str]] = {}
    for tier in root.iter("TIER"):
        name, _, owner = tier.get("TIER_ID", "").partition("@")
        who = annotator or tier.get("PARTICIPANT") or owner
        if name not in (_MOMENTS, *FIELDS):
            continue
        if not who:
            raise DataError(f"tier {name!r} names no participant", path, "name the annotator with --annotator")
        spans.setdefault(who, [])
        texts.setdefault(who, {})
        for one in tier.iter("ALIGNABLE_ANNOTATION"):
            text = "".join(one.itertext()).strip()
            if name == _MOMENTS:
                start, end = (_seconds(slots.get(one.get(f"TIME_SLOT_REF{number}")), path) for number in (1, 2))
                spans[who].append((start, end))
            elif text:
                texts[who][name] = "\n".join(filter(None, (texts[who].get(name), text)))
    return [
        act_of(path, video, who, spans[who], texts[who], media=media, tool=TOOL)
        for who in spans
        if spans[who] or texts[who]
    ]


def _parsed(content: bytes, path: Path) -> Element:
    """Return the root of an XML text that declares no document type."""
    builder, parser = TreeBuilder(), expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise DataError("it declares a document type, which is not read", path, "take the <!DOCTYPE …> out of it")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
        return builder.close()
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise DataError(f"it is no XML ({error})", path, "save it in ELAN as .eaf") from None


def _seconds(milliseconds: str | None, path: Path) -> float:
    if milliseconds is None or not (milliseconds.isascii() and milliseconds.isdecimal() and len(milliseconds) < 16):
        raise DataError("a moment has an end without a time", path, "align its ends in ELAN, and save it")
    return int(milliseconds) / 1000


def _document(act: AnnotationAct) -> str:
    """Return an act as a file of ELAN. Texts stand beside the whole video, each on its tier."""
    last = act.duration or max((moment.end for moment in act.moments), default=1.0)
    tiers = [(_MOMENTS, [(moment.start, moment.end, MOMENT) for moment in act.moments])]
    texts = field_texts(act)
    tiers += [(name, [(0.0, last, texts[name])] if name in texts else []) for name in FIELDS]
    ends = [time for _, rows in tiers for start, end, _ in rows for time in (start, end)]
    slots = "".join(
        f'    <TIME_SLOT TIME_SLOT_ID="ts{number}" TIME_VALUE="{round(1000 * time)}"/>\n'
        for number, time in enumerate(ends, start=1)
    )
    media = _xml(act.media or f"{act.video}.mp4")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ANNOTATION_DOCUMENT AUTHOR="" DATE="2000-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0">\n'
        '  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">\n'
        f'    <MEDIA_DESCRIPTOR MEDIA_URL="{media}" MIME_TYPE="video/mp4"/>\n'
        f'    <PROPERTY NAME="{_VIDEO_ID}">{_xml(act.video)}</PROPERTY>\n  </HEADER>\n'
        f"  <TIME_ORDER>\n{slots}  </TIME_ORDER>\n"
        f"{''.join(_tiers(tiers, _xml(act.annotator)))}"
        '  <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true" GRAPHIC_REFERENCES="false"/>\n'
        "</ANNOTATION_DOCUMENT>\n"
    )


def _tiers(tiers: Sequence[tuple[str, Sequence[tuple[float, float, str]]]], who: str) -> Iterator[str]:
    number = 0
    for name, rows in tiers:
        yield f'  <TIER TIER_ID="{name}@{who}" PARTICIPANT="{who}" LINGUISTIC_TYPE_REF="default-lt">\n'
        for _, _, text in rows:
            number += 1
            yield (
                f'    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}" TIME_SLOT_REF1="ts{2 * number - 1}" '
                f'TIME_SLOT_REF2="ts{2 * number}"><ANNOTATION_VALUE>{_xml(text)}</ANNOTATION_VALUE>'
                "</ALIGNABLE_ANNOTATION></ANNOTATION>\n"
            )
        yield "  </TIER>\n"


def _xml(text: str) -> str:
    """Return a text for XML, with a blank for each character that it has no place for."""
    return escape(_NOT_XML.sub(" ", text))
