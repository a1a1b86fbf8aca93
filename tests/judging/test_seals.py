"""Checksums of stored and exported calls: what was changed is an error that names its place, and no other verdict."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.errors import JudgeError
from ecva_bench.judging.exports import read_export, seal_of
from ecva_bench.judging.replays import replayed_judge
from ecva_bench.judging.store import Reply, Store
from ecva_bench.records.base import canonical_json

FROZEN = Path(__file__).resolve().parents[2] / "leaderboards" / "ci" / "judge.jsonl"
Replies = dict[str, Reply]
some = pytest.mark.parametrize("count", [60, pytest.param(500, marks=pytest.mark.slow)])


@pytest.fixture(scope="module")
def calls() -> list[tuple[str, str, Reply]]:
    """Real calls: every 40th of the frozen ones."""
    frozen = read_export(FROZEN)
    return [(one.key, one.request, Reply.from_json(one.reply)) for one in frozen.calls[::40]]


@pytest.fixture(scope="module")
def export(calls: list[tuple[str, str, Reply]], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    with closing(Store(None)) as store:
        store.put(calls)
        path = tmp_path_factory.mktemp("exports") / "calls.jsonl"
        store.export_jsonl(path, [key for key, _, _ in calls])
    assert read_export(path).sealed
    return path.read_bytes()


def replayed(path: Path, keys: list[str]) -> Replies | JudgeError:
    """What a replay reads: the replies, or the error."""
    try:
        replayed_judge(path)
        with closing(Store(None)) as store:
            store.import_jsonl(path)
            return store.get(keys)
    except JudgeError as error:
        return error


def stored(path: Path, keys: list[str]) -> Replies | JudgeError:
    try:
        with closing(Store(path)) as store:
            return store.get(keys)
    except JudgeError as error:
        return error


def flipped(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << dice.randrange(8)]) + content[place + 1 :]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(leaf for name, one in items for leaf in leaves(one, (*path, name)))]


def edited(content: bytes, dice: random.Random) -> bytes:
    """The file with one field of one line changed, taken out, or given the value of another line's."""
    lines = [json.loads(line) for line in content.splitlines()]
    line = dice.choice(lines)
    *above, last = dice.choice([path for path in leaves(line) if path])
    holder = line
    for name in above:
        holder = holder[name]
    if isinstance(last, str) and dice.random() < 0.3:
        del holder[last]
    else:
        holder[last] = dice.choice(["", "x", 0, 1, 4, None, True, [], {}, '{"verdicts": [5]}'])
    return b"".join(canonical_json(one).encode() + b"\n" for one in lines)


def survivors(
    changed: Callable[[bytes, random.Random], bytes], content: bytes, truth: Replies, path: Path, count: int, read: Any
) -> int:
    """Change a file so often, and return how often other replies were read from it than are in it."""
    dice, wrong, told = random.Random(5), 0, 0
    for _ in range(count):
        path.write_bytes(changed(content, dice))
        found = read(path, list(truth))
        if isinstance(found, JudgeError):
            told += 1
            assert str(path) in str(found)
            assert "delete" not in str(found)
        else:
            wrong += any(found[key] != truth[key] for key in found)
    assert told > count / 20  # else the test changes what is not read
    return wrong


@some
@pytest.mark.parametrize("changed", [flipped, edited])
def test_no_flip_and_no_edit_of_an_export_gives_another_reply(changed, count, calls, export, tmp_path):
    truth = {key: reply for key, _, reply in calls}
    path = tmp_path / "calls.jsonl"
    path.write_bytes(export)
    assert replayed(path, list(truth)) == truth
    assert survivors(changed, export, truth, path, count, replayed) == 0


@some
def test_no_flip_in_a_store_gives_another_reply(count, calls, tmp_path):
    truth = {key: reply for key, _, reply in calls[:12]}
    path = tmp_path / "judge.sqlite"
    with closing(Store(path)) as store:
        store.put(calls[:12])
    assert stored(path, list(truth)) == truth
    assert survivors(flipped, path.read_bytes(), truth, path, count, stored) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda call: call["reply"].update(content='{"verdicts": [5]}'), "line 3: keep the file"),
        (lambda call: call["reply"].update(refusal="no"), "changed since it was written"),
        (lambda call: call["request"].update(model="other"), "does not match its address"),
        (lambda call: call.pop("seal"), "seals were removed"),
        (lambda call: call.update(seal="0" * 32), "changed since it was written"),
    ],
)
def test_a_changed_call_is_named_by_its_line(change, message, export, tmp_path):
    lines = [json.loads(line) for line in export.splitlines()]
    change(lines[2])
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(canonical_json(line) + "\n" for line in lines))
    for read in (read_export, replayed_judge):
        with pytest.raises(JudgeError, match=message) as told:
            read(path)
        assert "line 3" in str(told.value)


def test_a_call_that_is_there_twice_and_seals_without_a_head_that_says_so_are_named(export, tmp_path):
    head, *lines = export.decode().splitlines()
    path = tmp_path / "calls.jsonl"
    path.write_text("\n".join([head, *lines[:-1], lines[0]]) + "\n")
    with pytest.raises(JudgeError, match="twice"):
        read_export(path)
    path.write_text("\n".join([head.replace(',"sealed":true', ""), *lines]) + "\n")
    with pytest.raises(JudgeError, match="line 2: keep the file"):
        read_export(path)


def test_a_reply_that_another_call_got_is_noticed_in_a_store(calls, tmp_path):
    path = tmp_path / "judge.sqlite"
    (one, _, _), (other, _, _) = calls[:2]
    with closing(Store(path)) as store:
        store.put(calls[:2])
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE calls SET reply = (SELECT reply FROM calls WHERE key = ?)", (other,))
    with closing(Store(path)) as store:
        assert store.get([other])
        with pytest.raises(JudgeError, match="changed since it was written") as told:
            store.get([one])
        with pytest.raises(JudgeError, match="changed since it was written"):
            store.export_jsonl(tmp_path / "calls.jsonl", [one])
    assert str(path) in str(told.value)
    assert not (tmp_path / "calls.jsonl").exists()


def test_a_request_that_was_changed_in_a_store_is_not_exported(calls, tmp_path):
    path = tmp_path / "judge.sqlite"
    with closing(Store(path)) as store:
        store.put(calls[:1])
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("UPDATE calls SET request = '{}'")
    with closing(Store(path)) as store, pytest.raises(JudgeError, match="changed since it was written"):
        store.export_jsonl(tmp_path / "calls.jsonl", [calls[0][0]])


def test_a_store_of_an_older_version_is_read_and_goes_on_with_seals(calls, tmp_path):
    path = tmp_path / "judge.sqlite"
    (key, request, reply), later = calls[0], calls[1]
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("CREATE TABLE calls (key TEXT PRIMARY KEY, request TEXT, reply TEXT)")
        base.execute("INSERT INTO calls VALUES (?, ?, ?)", (key, request, reply.to_json()))
    for _ in range(2):
        with closing(Store(path)) as store:
            store.put([later])
            assert store.get([key, later[0]]) == {key: reply, later[0]: later[2]}
    with closing(sqlite3.connect(path)) as base:
        kept = dict(base.execute("SELECT key, reply FROM calls"))
    said = later[2].to_json()
    assert kept == {key: reply.to_json(), later[0]: seal_of(later[0], said) + said}
