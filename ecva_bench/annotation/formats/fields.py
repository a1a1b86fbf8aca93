"""What tools are asked to annotate beside moments, each as one text, and an act made of such texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...data.cells import parse_label
from ...errors import DataError
from ...records.acts import AnnotationAct
from ...records.annotations import Label
from ...records.base import first_problem

MOMENT = "anomaly"  # what a marked span is called
NOTHING = "none"  # the class of a video in which nothing anomalous was found
FIELDS = ("class", "description", "cause", "effect", "key_sentences")


def field_texts(act: AnnotationAct) -> dict[str, str]:
    """Return the fields of an act as texts: the class as `5-1,4`, key sentences one a line; without empty ones."""
    texts = {
        "class": class_text(act.label) if act.label else NOTHING if act.anomalous is False else "",
        "description": act.description or "",
        "cause": act.cause or "",
        "effect": act.effect or "",
        "key_sentences": "\n".join(" ".join(sentence.split()) for sentence in act.key_sentences),
    }
    return {name: text for name, text in texts.items() if text}


def class_text(label: Label) -> str:
    """Return a class as annotators write it, without brackets: `5-1,4`."""
    return label.code if label.severity is None else f"{label.code},{label.severity}"


def act_of(
    where: Path, video: str, annotator: str, spans: Iterable[tuple[float, float]], texts: Mapping[str, str], **more: Any
) -> AnnotationAct:
    """Return an act of spans in seconds and of the texts of its fields.

    Without a span nothing was found where the class is `none`, or `more` says so; else moments are not annotated.
    `DataError`, which names the video, where something is no such value: a class that cannot be read, a span that ends
    before it starts.
    """
    code = texts.get("class", "").strip()
    found_none = code.casefold() == NOTHING
    label = parse_label(f"[{code.strip('[]')}]")[0] if code and not found_none else None
    if code and label is None and not found_none:
        raise DataError(
            f"the class of video {video!r} is {code!r:.60}", where, "write a code, such as 5-1 or 5-1,4, or none"
        )
    moments = [{"start": start, "end": end} for start, end in sorted(spans)]
    values = {
        "video": video,
        "annotator": annotator,
        "label": label,
        "moments": moments,
        "anomalous": True if moments else False if found_none else None,
        **{name: texts[name].strip() for name in ("description", "cause", "effect") if texts.get(name, "").strip()},
        "key_sentences": [line.strip() for line in texts.get("key_sentences", "").splitlines() if line.strip()],
        **more,
    }
    try:
        return AnnotationAct.model_validate(values)
    except ValidationError as error:
        raise DataError(f"the annotation of video {video!r}: {first_problem(error)}", where, "mend it there") from None
