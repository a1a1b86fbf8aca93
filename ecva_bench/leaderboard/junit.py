"""A gate's cases as JUnit XML, which every CI service shows. Knows cases and the format."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence

from .verdict import Case, exit_code

# Characters XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHILD = {"FAIL": "failure", "WARN": "failure", "INCONCLUSIVE": "skipped", "INVALID": "error"}


def as_junit(cases: Sequence[Case], *, suite: str, strict: bool = False) -> str:
    """Return one test case per case, named by metric within the class of its task.

    FAIL is a failure, INVALID an error, INCONCLUSIVE skipped; a WARN passes with its text as output. `strict`: WARN and
    INCONCLUSIVE are failures, as they are for the exit code.
    """
    root = ElementTree.Element("testsuites")
    element = ElementTree.SubElement(root, "testsuite", name=_clean(suite), tests=str(len(cases)))
    kinds: Counter[str] = Counter()
    for case in cases:
        task, _, metric = case.name.rpartition("/")
        named = {"classname": _clean(f"ecva-bench.{task}" if task else "ecva-bench"), "name": _clean(metric)}
        test = ElementTree.SubElement(element, "testcase", named)
        kind = _kind(case, strict)
        if kind:
            kinds[kind] += 1
            text = _clean(case.text)
            ElementTree.SubElement(test, kind, message=text, type=case.verdict).text = text
        else:
            ElementTree.SubElement(test, "system-out").text = _clean(f"{case.verdict}: {case.text}")
    element.attrib |= {f"{kind}s" if kind != "skipped" else kind: str(kinds[kind]) for kind in _CHILD.values()}
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _kind(case: Case, strict: bool) -> str | None:
    if strict and exit_code(case.verdict, strict=True) in (1, 3):
        return "failure"
    return None if case.verdict in ("PASS", "WARN") else _CHILD[case.verdict]


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
