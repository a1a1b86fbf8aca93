"""A results file is a chain of sealed lines, however it was written; what was changed is named and can be set aside."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ecva_bench.errors import ResultsBusy, ResultsError, SealBroken
from ecva_bench.journal.lines import is_results, parse_records
from ecva_bench.journal.merging import merge_results
from ecva_bench.journal.repairing import damages, quarantine
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal, end_of
from ecva_bench.records.answers import Event
from ecva_bench.records.seals import checksum_of
from tests.sealing import reseal, unseal
from tests.test_journal import answer, failure, manifest

IDS = tuple(f"{number}/cause" for number in range(6))
Lines = list[bytes]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A run of six answers: line 1 is its manifest, line 2 the first answer, line 8 its end."""
    path = tmp_path / "run.jsonl"
    with Journal(path, manifest(IDS)) as journal:
        for sample in IDS:
            journal.append(answer(sample, f"of {sample}"))
        journal.append(end_of(journal))
    return path


def lines_of(path: Path) -> Lines:
    return path.read_bytes().splitlines(keepends=True)


def test_a_line_has_the_checksum_of_the_one_before_and_its_own(path: Path) -> None:
    """By hand, from the words of design/results.md."""
    from hashlib import sha256

    before = "0" * 16
    for line in path.read_text().splitlines():
        told, own = json.loads(line)["seal"].split("-")
        head = line[: line.rindex(own)]
        assert line == f'{head}{own}"}}'
        assert (told, own) == (before, sha256(head.encode()).hexdigest()[:16])
        before = own
    assert json.loads(lines_of(path)[0])["sealed"] is True


def changed(number: int) -> Callable[[Lines], Lines]:
    return lambda lines: [
        line.replace(b'"type"', b'"tYpe"') if place == number else line for place, line in enumerate(lines, 1)
    ]


DAMAGE: dict[str, tuple[Callable[[Lines], Lines], int, str]] = {
    "a text": (lambda lines: [line.replace(b"of 3/cause", b"of 4/cause") for line in lines], 5, "line 5 was changed"),
    "a manifest": (changed(1), 1, "line 1 was changed"),
    "the end": (changed(8), 8, "line 8 was changed"),
    "a seal": (lambda lines: [*lines[:2], lines[2][:-4] + b'x"}\n', *lines[3:]], 3, "line 3 was changed"),
    "the name of a seal": (
        lambda lines: [*lines[:2], lines[2].replace(b'"seal"', b'"sea1"'), *lines[3:]],
        3,
        "no seal",
    ),
    "one seal removed": (
        lambda lines: [*lines[:2], lines[2][:-45] + b"}\n", *lines[3:]],
        3,
        "line 3 has no seal, as the file's others have",
    ),
    "the first seal": (lambda lines: [lines[0].replace(b'"seal"', b'"sea1"'), *lines[1:]], 1, "seals were removed"),
    "the first seal and its word": (
        lambda lines: [lines[0][:-45].replace(b',"sealed":true', b"") + b"}\n", *lines[1:]],
        2,
        "line 2 has a seal, and the first line has none",
    ),
    "all seals": (lambda lines: [line[:-45] + b"}\n" for line in lines], 1, "seals were removed or changed"),
    "a program that writes JSON anew": (
        lambda lines: [json.dumps(json.loads(line)).encode() + b"\n" for line in lines],
        1,
        "seals were removed or changed",
    ),
    "a line removed": (lambda lines: [*lines[:3], *lines[4:]], 4, "line 4 does not follow the line before it"),
    "the first line removed": (lambda lines: lines[1:], 1, "line 1 does not follow"),
    "lines swapped": (lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]], 4, "line 4 does not follow"),
    "a line twice": (lambda lines: [*lines[:4], lines[3], *lines[4:]], 5, "line 5 does not follow"),
    "a file behind it": (lambda lines: [*lines, *lines], 9, "line 9 is the first line of another file"),
    "a line of another program": (lambda lines: [*lines, b'{"type":"event","event":"x"}\n'], 9, "line 9 has no seal"),
    "a line break": (lambda lines: [*lines[:3], lines[3][:-1] + b" ", *lines[4:]], 4, "line 4"),
    "the last line break": (lambda lines: [*lines[:-1], lines[-1][:-1] + b"\x0b"], 8, "the end of line 8 was changed"),
    "a line break before a torn tail": (
        lambda lines: [*lines[:-1], lines[-1][:-1] + b'J{"answer":"half'],
        8,
        "the end of line 8 was changed",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_change_is_named_with_its_line_and_what_to_do(path: Path, name: str) -> None:
    damage, number, what = DAMAGE[name]
    sound = path.read_bytes()
    path.write_bytes(b"".join(damage(lines_of(path))))
    assert path.read_bytes() != sound
    with pytest.raises(SealBroken, match=what) as told:
        read_results(path)
    assert (told.value.line, told.value.where) == (number, path)
    assert told.value.remedy == f"see what is wrong with `ecva-bench repair {path}`"
    held = path.read_bytes()
    for use in (
        lambda: Journal(path, manifest(IDS)),
        lambda: Journal(path.with_name("new.jsonl"), manifest(IDS), reuse=[path]),
        lambda: merge_results([path], path.with_name("merged.jsonl")),
    ):
        with pytest.raises(SealBroken):
            use()
    assert path.read_bytes() == held
    assert list(path.parent.iterdir()) == [path]


def test_a_torn_tail_is_none_of_a_changed_file(path: Path) -> None:
    whole = path.read_bytes()
    for cut in range(1, len(lines_of(path)[-1]) + 1):
        path.write_bytes(whole[:-cut])
        assert len(read_results(path).answers) == 6


def test_a_chain_goes_on_whatever_happens_to_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with Journal(path, manifest(IDS[:2], description={})) as journal:
        journal.append(failure(IDS[0], retryable=True))
        journal.settle(journal.manifest.settled({"frames": 8}, {}))  # writes the file anew
        journal.extend([answer(one) for one in IDS[:2]])
        journal.append(end_of(journal))
    path.write_bytes(path.read_bytes() + b'{"answer":"half')
    with Journal(path, manifest(IDS, description={})) as journal:  # a manifest is appended
        journal.append(answer(IDS[2]))
        journal.extend([])
        journal.extend([answer(IDS[3]), answer(IDS[4])])
    with Journal(tmp_path / "other.jsonl", manifest(IDS, description={}), reuse=[path]) as journal:
        for one in journal.reusable.values():
            journal.append(one)
    merge_results([path, tmp_path / "other.jsonl"], tmp_path / "all.jsonl", incomplete=True)
    for file in (path, tmp_path / "other.jsonl", tmp_path / "all.jsonl"):
        assert read_results(file).sealed
        assert len(read_results(file).answers) == 5
        assert all(b'","seal":"' in line or b',"seal":"' in line for line in lines_of(file))


def test_a_record_that_could_not_be_written_breaks_no_chain(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Journal(path, manifest(IDS)) as journal:
        with monkeypatch.context() as patch:
            patch.setattr("os.write", lambda file, content: (_ for _ in ()).throw(OSError(28, "No space left")))
            with pytest.raises(ResultsError):
                journal.append(answer("8/cause"))
        journal.append(answer("9/cause"))
    assert [one.id for one in read_results(path).extra] == ["9/cause"]


def test_an_older_file_goes_on_without_seals_and_is_called_so(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unseal(path)
    with Journal(path, manifest((*IDS, "6/cause"))) as journal:
        journal.append(answer("6/cause"))
    assert not read_results(path).sealed
    assert len(read_results(path).answers) == 7
    assert b'"seal' not in path.read_bytes()
    assert capsys.readouterr().err.count(f"{path} is unsealed") == 1
    merge_results([path], tmp_path / "sealed.jsonl")
    assert read_results(tmp_path / "sealed.jsonl").sealed
    assert "sealed.jsonl is unsealed" not in capsys.readouterr().err


def repaired(path: Path) -> dict[str, object]:
    [event] = [one for one in parse_records(path) if isinstance(one, Event) and one.event == "repaired"]
    return event.detail


def test_bad_lines_are_shown_then_moved_and_their_questions_owed_again(path: Path) -> None:
    lines = changed(5)(lines_of(path))
    lines[6] = lines[6].replace(b"of 5/cause", b"of 6/cause")
    path.write_bytes(b"".join(lines) + b'{"answer":"half')
    assert [(one.what, one.reads) for one in damages(path)] == [
        ("line 5 was changed since it was written", "3/cause full of 3/cause"),
        ("line 7 was changed since it was written", "answer 5/cause full of 6/cause"),
    ]
    assert quarantine(path) == 3
    away = path.with_name("run.jsonl.quarantined").read_bytes().splitlines(keepends=True)
    assert away == [lines[4], lines[6], b'{"answer":"half\n']
    found = read_results(path)
    assert (len(found.answers), found.sealed, found.repaired) == (4, True, 2)
    assert repaired(path) == {"faults": 2, "quarantined": 3, "lines": [5, 7, 9]}
    assert damages(path) == []
    with Journal(path, manifest(IDS)) as journal:
        assert {one for one in IDS if f"key {one}" not in journal.answered} == {"3/cause", "5/cause"}
        for one in ("3/cause", "5/cause"):
            journal.append(answer(one, f"of {one}"))
    assert len(read_results(path).answers) == 6
    merge_results([path], path.with_name("all.jsonl"))
    assert read_results(path.with_name("all.jsonl")).repaired == 2


def test_bad_lines_are_on_disk_before_they_are_taken_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = lines_of(path)[4].replace(b"of 3/cause", b"of 4/cause")
    path.write_bytes(path.read_bytes().replace(b"of 3/cause", b"of 4/cause"))
    done, real_sync, real_rename = list[str](), os.fsync, Path.rename

    def fsync(file: int) -> None:
        done.append(f"{os.fstat(file).st_size} bytes")
        real_sync(file)

    def rename(source: Path, target: Path) -> Path:
        done.append("rename")
        return real_rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    assert quarantine(path) == 1
    assert done[0] == f"{len(bad)} bytes"
    assert "rename" in done[1:]


@pytest.mark.parametrize("name", [name for name in DAMAGE if name != "a file behind it"])
def test_whatever_was_changed_is_repaired_with_all_sound_answers(path: Path, name: str) -> None:
    damage, _, _ = DAMAGE[name]
    sound = {one.key for one in read_results(path).answers}
    path.write_bytes(b"".join(damage(lines_of(path))))
    before = path.read_bytes()
    with Journal(other := path.with_name("other.jsonl"), manifest(IDS)) as journal:
        journal.append(answer(IDS[0], f"of {IDS[0]}"))
    assert damages(path)
    moved = quarantine(path, manifest=other)
    away = path.with_name("run.jsonl.quarantined").read_bytes() if moved else b""
    held = path.read_bytes().splitlines()
    bodies = [line.rpartition(b',"seal":')[0] or line[:-1] for line in held]
    for line in before.splitlines(keepends=True):  # nothing of the original is lost
        assert line.rstrip(b"\n") in away or (line.rpartition(b',"seal":')[0] or line[:-2]) in bodies
    found = read_results(path)
    kept = {one.key for one in found.answers}
    assert kept <= sound
    if name in ("all seals", "a program that writes JSON anew"):
        assert found.repaired == 8  # nobody can tell which lines are sound
    else:
        assert moved <= 1
        assert len(kept) >= 6 - moved - (name in ("a line removed", "a line break"))
    assert found.repaired >= 1
    assert damages(path) == []


def test_without_a_manifest_another_file_of_the_run_has_to_give_it(path: Path) -> None:
    path.write_bytes(b"".join(changed(1)(lines_of(path))))
    held = path.read_bytes()
    with pytest.raises(ResultsError, match=r"no line says any more what run it is.*--out OTHER.*--manifest"):
        quarantine(path)
    assert path.read_bytes() == held
    assert list(path.parent.iterdir()) == [path]


def test_the_manifest_of_a_shorter_or_another_run_is_refused(path: Path) -> None:
    path.write_bytes(b"".join(changed(1)(lines_of(path))))
    held = path.read_bytes()
    with Journal(shorter := path.with_name("shorter.jsonl"), manifest(IDS[:2])) as journal:
        journal.append(answer(IDS[0], f"of {IDS[0]}"))
    with Journal(another := path.with_name("another.jsonl"), manifest(IDS)) as journal:
        journal.append(answer(IDS[0]).model_copy(update={"key": "f" * 64}))
    for other, why in ((shorter, r"of a shorter run: of 6 questions in run.jsonl it owes 2"), (another, "another key")):
        with pytest.raises(ResultsError, match=why):
            quarantine(path, manifest=other)
    assert path.read_bytes() == held
    assert not path.with_name("run.jsonl.quarantined").exists()


def test_a_file_that_cannot_be_written_is_not_repaired(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, kind: str, otherwise: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("ecva_bench.journal.growing.GrowingFile", denied)
    with pytest.raises(ResultsError) as caught:
        quarantine(path)
    assert str(caught.value) == f"the results file cannot be written (Permission denied): {path}"


def test_a_file_that_a_run_is_writing_is_not_repaired(path: Path) -> None:
    with Journal(path, manifest(IDS)), pytest.raises(ResultsBusy, match="a run is writing"):
        quarantine(path)


def test_two_runs_in_one_file_are_not_made_one(path: Path) -> None:
    content = path.read_bytes()
    other = manifest(IDS, mode="fast").model_copy(update={"run": "another"})
    with Journal(path.with_name("other.jsonl"), other):
        pass
    path.write_bytes(content + path.with_name("other.jsonl").read_bytes())
    held = path.read_bytes()
    with pytest.raises(ResultsError, match="several runs"):
        quarantine(path)
    assert path.read_bytes() == held


def test_an_older_file_with_a_bad_line_is_repaired_and_stays_unsealed(path: Path) -> None:
    unseal(path)
    lines = lines_of(path)
    path.write_bytes(b"".join([*lines[:3], lines[3][:-9] + b"\n", *lines[4:]]))
    with pytest.raises(ResultsError, match=r"line 4 is no record.*ecva-bench repair"):
        read_results(path)
    assert [one.what.partition(" (")[0] for one in damages(path)] == ["line 4 is no record"]
    assert quarantine(path) == 1
    found = read_results(path)
    assert (len(found.answers), found.sealed, found.repaired) == (5, False, 1)


def test_a_sealed_line_in_an_older_file_is_the_bad_one(path: Path) -> None:
    [*_, sealed] = lines_of(path)
    unseal(path)
    path.write_bytes(path.read_bytes() + sealed)
    assert [one.what.partition(",")[0] for one in damages(path)] == ["line 9 has a seal"]
    assert quarantine(path) == 1
    assert len(read_results(path).answers) == 6


@pytest.mark.parametrize("resumed", [0, 1, 4])
def test_a_file_without_its_first_line_is_still_one_of_results(resumed: int, tmp_path: Path) -> None:
    """Else `repair` took it for scores, which can be written again, and moved all its answers away."""
    path = tmp_path / "r.jsonl"
    for _ in range(resumed + 1):
        Journal(path, manifest(IDS)).close()
    with Journal(path, manifest(IDS)) as journal:
        journal.append(answer(IDS[0]))
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    assert is_results(path)


def test_whoever_knows_how_can_seal_anew(path: Path) -> None:
    """A seal is no signature: what seals do not promise, verification does."""
    path.write_bytes(path.read_bytes().replace(b"of 3/cause", b"of 4/cause"))
    reseal(path)
    assert read_results(path).answers[3].answer == "of 4/cause"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
def test_an_interrupt_within_a_record_breaks_no_chain(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes between a line and what is known of it waits: the line behind it, `interrupted`, follows it."""
    path = tmp_path / "r.jsonl"

    def disturbed(line: bytes) -> bytes:
        monkeypatch.undo()
        os.kill(os.getpid(), number)
        return checksum_of(line)

    before = signal.signal(number, signal.default_int_handler)
    try:
        with Journal(path, manifest(IDS)) as journal:
            monkeypatch.setattr("ecva_bench.journal.writer.checksum_of", disturbed)
            with pytest.raises(KeyboardInterrupt):
                journal.append(answer(IDS[0]))
            journal.event("interrupted")
    finally:
        signal.signal(number, before)
    assert [type(record).__name__ for record in parse_records(path)] == ["Manifest", "Answer", "Event"]
