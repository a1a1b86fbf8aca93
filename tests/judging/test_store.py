"""The store keeps what came first, alone and among others, and exports what it holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import JudgeError
from ecva_bench.judging.exports import key_of
from ecva_bench.judging.store import Reply, Store, default_store_path
from ecva_bench.records.base import canonical_json

REPLY = Reply("{}", expectations=(0.1, 1 / 3), tokens_in=3, left_out=("seed",))


def filled(path: Path | None, number: int = 3) -> tuple[Store, list[str]]:
    store = Store(path)
    requests = [canonical_json({"payload": {"text": f"é\u2028\n{n}"}}) for n in range(number)]
    store.put([(key_of(request), request, REPLY) for request in requests])
    return store, [key_of(request) for request in requests]


def test_what_is_put_is_got_bit_for_bit(tmp_path: Path) -> None:
    store, keys = filled(tmp_path / "s.sqlite", 1200)
    store.close()
    again = Store(tmp_path / "s.sqlite")
    assert again.get([*keys, "unknown"]) == dict.fromkeys(keys, REPLY)


def test_the_first_reply_counts() -> None:
    store, keys = filled(None, 1)
    both = {keys[0]: REPLY, "new": Reply("new")}
    assert store.put([(keys[0], "{}", Reply("later")), ("new", "{}", Reply("new"))]) == both == store.get(both)
    assert store.put([("twice", "{}", Reply("a")), ("twice", "{}", Reply("b"))]) == {"twice": Reply("a")}


def test_replies_that_are_put_together_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    unwritable = Reply("\ud83d")  # a lone surrogate, which no judge lets through, has no UTF-8
    with pytest.raises(UnicodeEncodeError):
        store.put([("first", "{}", REPLY), ("second", "{}", unwritable)])
    assert Store(tmp_path / "s.sqlite").get(["first", "second"]) == {}
    assert store.put([("first", "{}", REPLY)]) == Store(tmp_path / "s.sqlite").get(["first"])


@given(
    st.builds(
        Reply,
        st.text(),
        refusal=st.text(),
        expectations=st.none() | st.lists(st.floats(allow_nan=False, allow_infinity=False)).map(tuple),
        tokens_in=st.none() | st.integers(0),
        left_out=st.lists(st.text()).map(tuple),
    )
)
def test_a_reply_just_put_is_what_will_be_read(reply: Reply) -> None:
    store = Store(None)
    assert store.put([("key", "{}", reply)]) == {"key": reply} == store.get(["key"])


def test_an_export_is_imported_whole_and_exported_to_the_same_bytes(tmp_path: Path) -> None:
    store, keys = filled(None)
    assert store.export_jsonl(tmp_path / "a.jsonl", [*keys, keys[0]]) == 3
    other = Store(None)
    assert other.import_jsonl(tmp_path / "a.jsonl").sealed
    other.export_jsonl(tmp_path / "b.jsonl", reversed(keys))
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert other.get(keys) == store.get(keys)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: lines[:-1], "calls exported: 3, calls here: 2"),
        (lambda lines: [*lines[:-1], lines[-1][:-9]], "line 4"),
        (lambda lines: [lines[0], lines[1].replace("é", "e"), *lines[2:]], "line 2"),
        (lambda lines: lines[1:], "no export of judge calls"),
        (lambda lines: ["nothing"], "no export of judge calls"),
        (lambda lines: [lines[0], lines[1], "[]", lines[3]], "line 3"),
        (lambda lines: [*lines[:2], lines[2].replace('"content"', '"contents"'), lines[3]], "line 3"),
    ],
)
def test_a_damaged_export_is_refused_whole(damage: object, message: str, tmp_path: Path) -> None:
    store, keys = filled(None)
    path = tmp_path / "a.jsonl"
    store.export_jsonl(path, keys)
    path.write_text("\n".join(damage(path.read_text().split("\n")[:-1])) + "\n")  # type: ignore[operator]
    other = Store(None)
    with pytest.raises(JudgeError, match=message):
        other.import_jsonl(path)
    assert other.get(keys) == {}


def test_a_missing_export_and_a_file_that_is_no_store_are_named(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=r"absent\.jsonl"):
        Store(None).import_jsonl(tmp_path / "absent.jsonl")
    (tmp_path / "text").write_text("this is no database, however long it is " * 100)
    for place in (tmp_path / "text", tmp_path, tmp_path / "text" / "below"):
        with pytest.raises(JudgeError, match="cannot be used"):
            Store(place)


def test_an_export_takes_the_place_of_an_export_alone(tmp_path: Path) -> None:
    store, keys = filled(None)
    results = tmp_path / "results.jsonl"
    results.write_text('{"type":"run"}\n')
    for place in (results, tmp_path, results / "below"):
        with pytest.raises(JudgeError, match=r"export of judge calls|cannot be written"):
            store.export_jsonl(place, keys)
    assert results.read_text() == '{"type":"run"}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]
    (tmp_path / "empty").touch()
    assert store.export_jsonl(tmp_path / "empty", keys) == store.export_jsonl(tmp_path / "empty", keys) == 3


def test_fields_of_a_newer_version_are_passed_over() -> None:
    assert Reply.from_json('{"content": "x", "mood": "good"}') == Reply("x")


WRITER = """
import sys
from pathlib import Path
from ecva_bench.judging.exports import key_of
from ecva_bench.judging.store import Reply, Store
from ecva_bench.records.base import canonical_json
store = Store(Path(sys.argv[1]))
for n in range(400):
    request = canonical_json({"n": n})
    store.put([(key_of(request), request, Reply(sys.argv[2]))])
"""


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    keys = [key_of(canonical_json({"n": n})) for n in range(400)]
    found = Store(path).get(keys)
    assert len(found) == 400
    assert {reply.content for reply in found.values()} <= {"a", "b"}


def test_the_default_file_is_in_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path))
    assert default_store_path() == tmp_path / "judge.sqlite"


def test_the_published_form(tmp_path: Path) -> None:
    store, keys = filled(None, 1)
    store.export_jsonl(tmp_path / "a.jsonl", keys)
    line = json.loads((tmp_path / "a.jsonl").read_text().split("\n")[1])
    assert line["key"] == keys[0] == key_of(canonical_json(line["request"]))
    assert line["reply"]["expectations"] == [0.1, 1 / 3]
