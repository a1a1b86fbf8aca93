"""Descriptions of a user's own data: every key, every format, and what is wrong with files and descriptions."""

from __future__ import annotations

import gc
import json
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.data.described.times import SpanReader, spans_in
from ecva_bench.errors import DataError, EcvaError, UsageError
from ecva_bench.records import Annotation, Moment
from ecva_bench.records.annotations import Finding, Query
from ecva_bench.samples import samples
from ecva_bench.tasks import TASKS, prompt_for

from .field_shapes import lines, table, vau_bench, written

ROWS = [
    {"clip": "a.mp4", "from": "1.5", "to": "3", "why": "It rains.", "kind": "fire"},
    {"clip": "b.mp4", "from": "0", "to": "2", "why": "It snows.", "kind": "Falls Over"},
]
PORCH = """
name = "porch"
id = "clip"
cause = "why"
times = {{ unit = "seconds", start = "from", end = "to" }}
classification = {{ column = "kind", classes = ["fire", "falls_over"] }}
splits = {{ test = ["{file}"] }}
"""


def describe(folder: Path, text: str, name: str = "my.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rules(dataset: Dataset) -> Counter[str]:
    return Counter(finding.rule for finding in dataset.findings)


def write_rows(folder: Path, suffix: str) -> Path:
    """Write `ROWS` in one of the formats."""
    cells = [tuple(ROWS[0]), *(tuple(row.values()) for row in ROWS)]
    name = f"rows.{suffix}"
    if suffix == "csv":
        return table(folder, name, *cells)
    if suffix == "tsv":
        return table(folder, name, *cells, delimiter="\t")
    if suffix == "json":
        return written(folder, name, ROWS)
    if suffix == "jsonl":
        return lines(folder, name, *ROWS)
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), folder / name)
    return folder / name


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "parquet"])
def test_every_format_says_the_same(suffix: str, tmp_path: Path) -> None:
    write_rows(tmp_path, suffix)
    dataset = load_dataset(describe(tmp_path, PORCH.format(file=f"rows.{suffix}")), videos=tmp_path)
    assert [(each.video, each.media, each.cause) for each in dataset.annotations] == [
        ("a", "a.mp4", "It rains."),
        ("b", "b.mp4", "It snows."),
    ]
    assert [each.moments for each in dataset.annotations] == [
        (Moment(start=1.5, end=3.0),),
        (Moment(start=0.0, end=2.0),),
    ]
    assert [each.label and dataset.taxonomy.describe(each.label) for each in dataset.annotations] == [
        "fire",
        "falls_over",
    ]
    assert rules(dataset) == {"class-irregular": 1}
    assert dataset.name == "porch"


def test_a_description_may_be_json_and_other_meaning_is_another_data_set(tmp_path: Path) -> None:
    table(tmp_path, "rows.csv", tuple(ROWS[0]), *(tuple(row.values()) for row in ROWS))
    keys = {"name": "porch", "id": "clip", "cause": "why", "splits": {"test": ["rows.csv"]}}
    first = load_dataset(describe(tmp_path, json.dumps(keys), "my.json"))
    titled = load_dataset(describe(tmp_path, json.dumps({**keys, "title": "Porch"}), "titled.json"))
    other = load_dataset(describe(tmp_path, json.dumps({**keys, "effect": "why"}), "other.json"))
    assert [each.cause for each in first.annotations] == ["It rains.", "It snows."]
    assert first.sha256 == titled.sha256 != other.sha256


def test_splits_are_named_behind_a_colon(tmp_path: Path) -> None:
    table(tmp_path, "one.csv", ("clip", "why"), ("a", "x"))
    table(tmp_path, "two.csv", ("clip", "why"), ("b", "y"))
    path = describe(
        tmp_path, 'name = "p"\nid = "clip"\ncause = "why"\nsplits = {test = ["one.csv"], val = ["two.csv"]}'
    )
    assert [load_dataset(f"{path}{split}").annotations[0].video for split in ("", ":test", ":val")] == ["a", "a", "b"]
    with pytest.raises(UsageError, match="p has no split 'train': its splits are test, val"):
        load_dataset(f"{path}:train")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('tmies = { unit = "seconds" }', r"no key 'tmies'; did you mean 'times'\?"),
        ('times = { unit = "seconds", strt = "a", end = "b" }', r"no key 'times.strt'; did you mean 'start'\?"),
        ('times = { unit = "sec", start = "a", end = "b" }', "times.unit: Input should be 'seconds', 'frames', 'mmss'"),
        ('times = { start = "a", end = "b" }', "times.unit: Field required"),  # a unit is never guessed
        ('times = { unit = "frames", start = "a", end = "b" }', "frames need fps"),
        ('times = { unit = "seconds", start = "a" }', "name either spans, or start and end"),
        ('detection = { column = "a", normal = ["x"] }', "detection.anomalous: Field required"),
        ('classification = { column = "a", classes = [] }', "name every class once"),
        ('classification = { column = "a", classes = ["x"], pattern = "((" }', "no regular expression"),
        ('choice = { question = "a", answer = "b", answer_is = "letter" }', "name either options or always"),
        ('splits = { test = ["../rows.csv"] }', "does not lie below the folder"),
        ('splits = { test = ["/etc/passwd"] }', "does not lie below the folder"),
        ('splits = { test = ["C:\\\\rows.csv"] }', "does not lie below the folder"),
        ("splits = {}", "names no annotation file"),
        ("cause = 5", "cause: Input should be a valid string"),
        ("[[rows]]\nfiels = []", r"no key 'rows.1.fiels'; did you mean 'files'\?"),
        ("cause =", "no TOML in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_description_is_said_with_file_and_key(text: str, says: str, tmp_path: Path) -> None:
    path = describe(tmp_path, f'name = "p"\nid = "clip"\n{text}')
    with pytest.raises(DataError, match=says) as raised:
        load_dataset(path)
    assert str(path) in str(raised.value)


def test_a_description_needs_an_id_in_every_kind_of_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="rows 1 names no column as id"):
        load_dataset(describe(tmp_path, 'name = "p"\n[[rows]]\ncause = "why"'))


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    write_rows(tmp_path, "csv")
    path = describe(tmp_path, PORCH.format(file="rows.csv").replace('"why"', '"whyy"'))
    with pytest.raises(
        DataError, match=r"no column 'whyy'|column 'whyy'; did you mean 'why'\? there are clip, from, kind"
    ):
        load_dataset(path)


def test_hostile_cells_are_findings(tmp_path: Path) -> None:
    head = ("clip", "from", "to", "why")
    rows = [
        ("a", "1", "2", "=HYPERLINK(1)"), ("b", "3", "", "Error: timeout"), ("c", "9", "4", "#REF!"),
        ("", "1", "2", "x"), ("d", "nan", "4", "y"), ("../../f.mp4", "1,5", "2", "z"), ("g", "-1", "-1", ""),
        ("h", "1", "2", "text \ufffd"), ("h", "1", "2", "text \ufffd"), ("h", "1", "2", "another"),
        ("k", "1e999", "2", "w"),
    ]  # fmt: skip
    with table(tmp_path, "rows.csv", head, *rows).open("a") as file:
        file.write("short,row\n")
    text = 'missing = "-1"\nplaceholders = ["Error*"]\ntimes = {unit = "seconds", start = "from", end = "to"}'
    path = describe(tmp_path, f'name = "p"\nid = "clip"\ncause = "why"\n{text}\nsplits = {{test = ["rows.csv"]}}')
    dataset = load_dataset(path, videos=tmp_path)
    assert rules(dataset) == {
        "cell-formula": 1, "text-placeholder": 1, "cell-error": 1, "row-broken": 2, "moment-open": 1,
        "moment-reversed": 1, "moment-malformed": 3, "text-missing": 1, "moments-missing": 1, "text-damaged": 2,
        "duplicate-row": 2, "no-anomaly": 2, "name-outside": 1,
    }  # fmt: skip
    assert {each.video for each in dataset.annotations} == {"a", "c", "d", "f", "h", "k"}
    assert dataset.media_path(next(each for each in dataset.annotations if each.video == "f")) == tmp_path / "f.mp4"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("rows.csv", "clip,why\na,b\n".encode("utf-16"), "UTF-16"),
        ("rows.csv", "clip,why\na,caf\xe9\n".encode("cp1252"), "not UTF-8 .byte 0xe9"),
        ("rows.csv", b"", "names no columns"),
        ("rows.csv", b"clip,clip\na,b\n", "two columns are called 'clip'"),
        ("rows.csv", b"clip,why\n", "no row can be used"),
        ("rows.csv", b'clip,why\n"a,b\n', "table cannot be read"),
        ("rows.csv", b'clip,why\na,"b\nc"\nd,"e\nf,g\n', "in the row that begins in line 4"),
        ("rows.csv", b"clip;why\na;b\n", "separated by ';'"),
        ("rows.csv", b"clip\twhy\na\tb\n", "separated by '.t'"),
        ("rows.csv", b"clip;why\na;b, c\n", "separated by ';'"),
        ("rows.tsv", b"clip,why\na,b\n", "separated by ','"),
        ("rows.csv", b"clip,why\na," + b"x" * ((1 << 20) + 1) + b"\n", "field larger"),
        ("rows.json", b"[" * 200_000, "no whole JSON"),
        ("rows.json", b"7", "holds no records"),
        ("rows.json", b"[1, 2]", "no row can be used"),
        ("rows.jsonl", b"{\n}\n", "no row can be used"),
        ("rows.parquet", b"PAR1 and nothing", "parquet"),
        ("rows.bin", b"x", "nothing says what format"),
        ("rows.txt", b"a b c", "names no columns"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_error(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    path = describe(tmp_path, f'name = "p"\nid = "clip"\ncause = "why"\nsplits = {{ test = ["{name}"] }}')
    with pytest.raises(DataError, match=says):
        load_dataset(path)


@given(st.binary(max_size=300), st.sampled_from(["csv", "tsv", "json", "jsonl", "txt", "parquet"]))
def test_no_bytes_are_a_traceback(tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / f"rows.{suffix}").write_bytes(content)
    text = f'columns = ["clip", "why..."]\nid = "clip"\ncause = "why"\nsplits = {{ test = ["rows.{suffix}"] }}'
    annotations: tuple[Annotation, ...] = ()
    with suppress(EcvaError):  # and no other error
        annotations = load_dataset(describe(folder, f'name = "p"\n{text}')).annotations
    assert all(each.video.strip() and each.cause for each in annotations)


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda one: st.lists(one, max_size=3))
)
def test_no_cell_of_times_is_a_traceback(value: object) -> None:
    for span in spans_in(value):
        for unit in ("seconds", "frames", "mmss", "h:m:s"):
            moment, _ = SpanReader(unit, lambda one: one is None, ()).read(span, 25.0)  # type: ignore[arg-type]
            assert moment is None or 0 <= moment[0] <= moment[1]


def test_a_key_that_an_object_has_twice_is_found(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('{"a": {"why": "first"}, "a": {"why": "second"}, "b": {"why": "x"}}')
    path = describe(tmp_path, 'name = "p"\nid = "@key"\ncause = "why"\nsplits = {test = ["rows.json"]}')
    dataset = load_dataset(path)
    assert [(each.video, each.cause) for each in dataset.annotations] == [("a", "first"), ("b", "x")]
    assert [(one.video, one.rule) for one in dataset.findings] == [("a", "duplicate-row")]


@pytest.mark.parametrize(
    ("unit", "span", "seconds", "rule"),
    [
        ("seconds", (1, "2.5"), (1.0, 2.5), None),
        ("frames", (30, 45), (3.0, 4.5), None),
        ("mmss", ("0102", "0200"), (62.0, 120.0), None),
        ("mmss", ("102.0", 200), (62.0, 120.0), "mmss-as-seconds"),
        ("mmss", ("0070", "0102"), None, "moment-seconds"),
        ("h:m:s", ("0:30", "1:02:03.5"), (30.0, 3723.5), None),
        ("h:m:s", ("0:75", "2:00"), None, "moment-seconds"),
        ("h:m:s", ("30", "40"), None, "moment-malformed"),
        ("seconds", (5, 2), (2.0, 5.0), "moment-reversed"),
        ("seconds", (-3, 2), None, "moment-malformed"),
        ("seconds", (True, 2), None, "moment-malformed"),
        ("seconds", (1,), None, "moment-open"),
    ],
)
def test_units(unit: str, span: tuple[object, ...], seconds: tuple[float, float] | None, rule: str | None) -> None:
    moment, notes = SpanReader(unit, lambda one: one is None, ()).read(span, 10.0)  # type: ignore[arg-type]
    assert moment == seconds
    assert [note.rule for note in notes] == ([rule] if rule else [])


def test_frame_rates_stand_in_a_column_and_one_that_is_missing_is_found(tmp_path: Path) -> None:
    lines(tmp_path, "rows.jsonl", {"v": "a", "s": [[10, 20]], "r": 5}, {"v": "b", "s": [[1, 2]], "r": None})
    text = 'id = "v"\ntimes = { unit = "frames", fps = "r", spans = "s" }\nsplits = { test = ["rows.jsonl"] }'
    dataset = load_dataset(describe(tmp_path, f'name = "p"\n{text}'))
    assert dataset.annotations[0].moments == (Moment(start=2.0, end=4.0),)
    assert rules(dataset) == {"frame-rate-missing": 1, "no-anomaly": 1}


@pytest.mark.parametrize(
    ("answer_is", "answer", "index", "rule"),
    [
        ("letter", "B", 1, None), ("letter", " b) ", 1, None), ("letter", "C. It rains.", 2, "key-malformed"),
        ("letter", "C. It snows.", None, "key-malformed"), ("letter", "Z", None, "key-malformed"),
        ("index0", 2, 2, None), ("index1", "2", 1, None), ("index1", 0, None, "key-malformed"),
        ("index0", 1.5, None, "key-malformed"), ("text", "It Rains", 2, None), ("text", "no", None, "key-malformed"),
        ("letter", None, None, "key-missing"),
    ],
)  # fmt: skip
def test_keys_of_choices(answer_is: str, answer: object, index: int | None, rule: str | None, tmp_path: Path) -> None:
    row = {"v": "a", "q": "What?", "o": ["A fire.", "A fall.", "It rains."], "k": answer, "why": "so"}
    lines(tmp_path, "rows.jsonl", row)
    choice = f'choice = {{ question = "q", options = "o", answer = "k", answer_is = "{answer_is}" }}'
    text = f'name = "p"\nid = "v"\ncause = "why"\n{choice}\nsplits = {{ test = ["rows.jsonl"] }}'
    dataset = load_dataset(describe(tmp_path, text))
    queries = dataset.annotations[0].queries
    assert [query.answer for query in queries] == ([] if index is None and rule == "key-malformed" else [index])
    assert list(rules(dataset)) == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("options", "answer_is", "answer", "index", "shown"),
    [
        (["A. A fire.", "B. A fall."], "letter", "B", 1, ("A fire.", "A fall.")),
        (["(a) A fire.", "(b) A fall."], "letter", "B. A fall.", 1, ("A fire.", "A fall.")),
        (["A: A fire.", "B: A fall."], "text", "B: A fall.", 1, ("A fire.", "A fall.")),
        (["A) A fire.", "B) A fall."], "text", "A fall.", 1, ("A fire.", "A fall.")),
        (["A. A fire.", "C. A fall."], "letter", "B", 1, None),
        (["B. A fire.", "A. A fall."], "letter", "B", 1, None),
        (["A fire.", "B fall."], "letter", "B", 1, None),
        (["A. A fire.", "A fall."], "letter", "B", 1, None),
    ],
)
def test_options_lose_the_letters_they_begin_with(
    options: list[str], answer_is: str, answer: str, index: int, shown: tuple[str, ...] | None, tmp_path: Path
) -> None:
    lines(tmp_path, "rows.jsonl", {"v": "a", "q": "What?", "o": options, "k": answer, "why": "so"})
    choice = f'choice = {{ question = "q", options = "o", answer = "k", answer_is = "{answer_is}" }}'
    text = f'name = "p"\nid = "v"\ncause = "why"\n{choice}\nsplits = {{ test = ["rows.jsonl"] }}'
    dataset = load_dataset(describe(tmp_path, text))
    (query,) = dataset.annotations[0].queries
    assert (query.answer, query.options) == (index, shown or tuple(options))
    assert rules(dataset).get("lettered-options", 0) == (shown is not None)


@pytest.mark.parametrize(("cell", "shown"), [("['a', 'b']", "['a', 'b']"), ({"A": "a"}, '{"A": "a"}'), (None, "")])
def test_options_that_are_no_list_are_shown(cell: object, shown: str, tmp_path: Path) -> None:
    lines(tmp_path, "rows.jsonl", {"v": "a", "q": "What?", "o": cell, "k": "A", "why": "so"})
    choice = 'choice = { question = "q", options = "o", answer = "k", answer_is = "letter" }'
    text = f'name = "p"\nid = "v"\ncause = "why"\n{choice}\nsplits = {{ test = ["rows.jsonl"] }}'
    (found,) = load_dataset(describe(tmp_path, text)).findings
    assert (found.rule, found.before) == ("options-few", shown)


def test_a_record_made_unchecked_is_the_checked_one() -> None:
    moment = {"start": 1.0, "end": 2.0}
    assert Moment.unchecked(moment) == Moment(start=1.0, end=2.0)
    checked = Annotation(video="a", media="a.mp4", moments=(Moment(start=1.0, end=2.0),), cause="x")
    made = Annotation.unchecked({**dict(checked), "moments": (Moment.unchecked(moment),)})
    assert (made, made.model_dump_json()) == (checked, checked.model_dump_json())
    assert made.model_copy(update={"cause": "y"}).cause == "y"
    assert Annotation.model_validate_json(made.model_dump_json()) == checked


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_what_is_read_passes_every_check_of_its_type(suffix: str, tmp_path: Path) -> None:
    write_rows(tmp_path, suffix)
    choice = '[choice]\nquestion = "why"\nalways = ["fire", "rain"]\nanswer = "kind"\nanswer_is = "text"'
    dataset = load_dataset(describe(tmp_path, PORCH.format(file=f"rows.{suffix}") + choice))
    for kind, records in ((Annotation, dataset.annotations), (Finding, dataset.findings)):
        for one in records:
            assert kind.model_validate(one.model_dump()) == one
            assert set(vars(one)) == set(kind.model_fields)
    asked = [query for each in dataset.annotations for query in each.queries]
    assert asked == [Query.model_validate(query.model_dump()) for query in asked]
    assert len(asked) == 1


def detected(folder: Path, detection: str, *kinds: str) -> list[bool | None]:
    table(folder, "d.csv", ("clip", "kind"), *((f"v{n}", kind) for n, kind in enumerate(kinds)))
    text = f'name = "d"\nid = "clip"\ncause = "clip"\ndetection = {detection}\nsplits = {{ test = ["d.csv"] }}\n'
    return [each.anomalous for each in load_dataset(describe(folder, text)).annotations]


def test_a_text_that_fits_both_kinds_of_patterns_is_refused_unless_one_is_nearer(tmp_path: Path) -> None:
    both = '{ column = "kind", normal = ["*normal*"], anomalous = ["*abnormal*"] }'
    assert detected(tmp_path, both, "normal") == [False]
    with pytest.raises(DataError, match=r"'Abnormal' fits '[*]normal[*]' of normal and '[*]abnormal[*]' of anomalous"):
        detected(tmp_path, both, "Abnormal")
    literal = '{ column = "kind", normal = ["*normal*"], anomalous = ["abnormal"] }'
    assert detected(tmp_path, literal, "Abnormal", "normal street") == [True, False]
    rest = '{ column = "kind", normal = ["Normal*"], anomalous = ["*"] }'
    assert detected(tmp_path, rest, "normal_3", "fire") == [False, True]
    other = '{ column = "kind", normal = ["*"], anomalous = ["fire"] }'
    assert detected(tmp_path, other, "normal_3", "Fire") == [False, True]


@pytest.mark.parametrize(
    ("unit", "fps", "start", "rule"),
    [("frames", -3.0, 10, "frame-rate-missing"), ("frames", 0.0, 10, "frame-rate-missing"),
     ("mmss", None, 0.30, "moment-malformed"), ("mmss", None, "1.5", "moment-malformed")],
)  # fmt: skip
def test_times_of_no_sense_are_findings_and_no_moments(unit: str, fps: float | None, start: object, rule: str) -> None:
    moment, notes = SpanReader(unit, lambda value: False, ()).read((start, 200), fps)  # type: ignore[arg-type]
    assert moment is None
    assert [note.rule for note in notes] == [rule]


def test_a_name_that_leads_out_of_the_folder_is_a_finding(tmp_path: Path) -> None:
    rows = [("clip", "from", "to", "why", "kind"), ("../../etc/passwd", "0", "1", "w", "fire")]
    table(tmp_path, "rows.csv", *rows)
    dataset = load_dataset(describe(tmp_path, PORCH.format(file="rows.csv")))
    assert rules(dataset)["name-outside"] == 1
    assert ".." not in dataset.annotations[0].media


ASKED = """
name = "asked"
id = "clip"
media = "file"
choice = { question = "why", options = ["a", "b"], answer = "key", answer_is = "letter", name = "called" }
splits = { test = ["rows.jsonl"] }
"""


def asked(folder: Path, *rows: dict[str, object]) -> Dataset:
    same = {"why": "It rains?", "a": "yes", "b": "no", "key": "A", "file": None, "called": None}
    lines(folder, "rows.jsonl", *({**same, **row} for row in rows))
    return load_dataset(describe(folder, ASKED))


def ids(dataset: Dataset) -> list[str]:
    prompt = prompt_for(TASKS["choice"])
    return [sample.id for each in dataset.annotations for sample in samples(each, TASKS["choice"], prompt)]


def test_a_name_that_can_be_no_id_is_a_finding_and_the_other_videos_are_asked_about(tmp_path: Path) -> None:
    fine = {"clip": "fine.mp4"}
    dataset = asked(tmp_path, {"clip": "a\nb.mp4"}, {"clip": "x" * 501}, {"clip": "c", "file": "c\td.mp4"}, fine)
    assert rules(dataset) == {"id-unusable": 3}
    assert ids(dataset) == ["fine/choice/1"]
    with pytest.raises(DataError, match=r"(?s)no row can be used.*U\+000A"):
        asked(tmp_path, {"clip": "a\nb.mp4"})


def test_names_of_queries_are_told_apart_and_can_be_part_of_an_id(tmp_path: Path) -> None:
    called = [
        {"clip": "1.mp4", "called": name, "why": f"Why {n}?"} for n, name in enumerate(("2", None, "a\nb", "x" * 401))
    ]
    found = ids(asked(tmp_path, *called))
    assert found == ["1/choice/2", "1/choice/3", "1/choice/4", "1/choice/5"]
    twice = asked(tmp_path, {"clip": "1.mp4", "called": "q"}, {"clip": "1", "called": "q", "why": "And why?"})
    assert (len(ids(twice)), rules(twice)["duplicate-row"]) == (1, 1)
    for name in ("a\nb", "x" * 401):
        with pytest.raises(ValueError, match="cannot name a query"):
            Query(task="choice", name=name, text="Why?")


@pytest.mark.parametrize("other", ["1.mp4", "1", "1.avi"])
def test_a_question_is_asked_once_under_whatever_name_of_the_video_it_is_repeated(other: str, tmp_path: Path) -> None:
    first, second = {"clip": "1.mp4", "why": "Why?"}, {"clip": "1.mp4", "why": "And why?"}
    same = asked(tmp_path, first, second, second | {"clip": other}, first | {"clip": other})
    if other == "1.avi":  # another video
        assert ids(same) == ["1.avi/choice/1", "1.avi/choice/2", "1.mp4/choice/1", "1.mp4/choice/2"]
        assert rules(same) == {}
    else:
        assert ids(same) == ["1/choice/1", "1/choice/2"]
        assert rules(same) == {"duplicate-row": 2}


@pytest.fixture
def nothing_frozen() -> Iterator[None]:
    """The collector of cycles as a user's process has it, and not as these tests do (tests/conftest.py)."""
    gc.unfreeze()
    yield
    gc.collect()
    gc.freeze()


@pytest.mark.usefixtures("nothing_frozen")
def test_loading_keeps_nothing_else_of_the_process(tmp_path: Path) -> None:
    class Model:
        own: Model

    model = Model()
    model.own = model
    seen = weakref.ref(model)
    load_dataset(describe(tmp_path, PORCH.format(file=lines(tmp_path, "rows.jsonl", *ROWS).name)))
    del model
    gc.collect()
    assert seen() is None
    assert gc.isenabled()
    assert not gc.get_freeze_count()


@pytest.mark.usefixtures("nothing_frozen")
def test_loading_leaves_frozen_what_the_process_had_frozen(tmp_path: Path) -> None:
    path = describe(tmp_path, PORCH.format(file=lines(tmp_path, "rows.jsonl", *ROWS).name))
    gc.freeze()
    frozen = gc.get_freeze_count()
    load_dataset(path)
    assert frozen / 2 < gc.get_freeze_count() <= frozen  # those that have died since are not counted


def test_a_table_of_a_described_set_says_whose_it_is(tmp_path: Path) -> None:
    path = vau_bench(tmp_path)
    with pytest.raises(DataError, match=r"fits the description of vau-bench.*vau-bench:"):
        load_dataset(path)


def test_a_long_description_in_json_is_one(tmp_path: Path) -> None:
    write_rows(tmp_path, "csv")
    about = {"name": "p", "id": "clip", "cause": "why", "splits": {"test": ["rows.csv"]}, "notes": "x" * 200_000}
    assert len(load_dataset(written(tmp_path, "my.json", about)).annotations) == len(ROWS)


@pytest.mark.parametrize("start", ["0", "5"])
def test_a_start_alone_is_an_open_moment_at_any_second(start: str) -> None:
    assert [note.rule for note in SpanReader("seconds", lambda value: False, ()).read((start,), None)[1]] == [
        "moment-open"
    ]
