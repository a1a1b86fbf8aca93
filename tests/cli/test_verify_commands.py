"""`submit --verify` and `leaderboard --build --verify`, from a run to a board, and what a submitter changed between."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sealing import reseal, resealed
from tests.verification import cheats
from tests.verification.cheats import CI, true_answers, write_lines


@pytest.fixture
def scored(tmp_path, ecva_bench):
    """A scored run of two videos."""
    path = tmp_path / "guess.jsonl"
    assert ecva_bench("run", "--model", "constant", "--task", "cause", "--limit", "2", "--out", path)[0] == 0
    assert ecva_bench("score", path)[0] == 0
    return path


def test_an_honest_run_is_verified_from_its_answers(scored, tmp_path, ecva_bench):
    boards = tmp_path / "boards"
    code, shown, errors = ecva_bench("submit", scored, "--with-answers", "--verify", "--to", boards)
    assert code == 0, errors
    assert shown.startswith("verified\n")
    assert (boards / "mini" / "answers" / "guess.jsonl").read_bytes() == scored.read_bytes()
    code, shown, _ = ecva_bench("leaderboard", "--build", boards, "--verify", "--no-published")
    assert code == 0
    assert shown.endswith("guess.json: verified\n")
    assert "baseline, verified" in (boards / "mini" / "leaderboard.md").read_text()


def test_answers_may_stay_in_a_folder_of_their_own(scored, tmp_path, ecva_bench):
    boards = tmp_path / "boards"
    ecva_bench("submit", scored, "--to", boards)
    _, shown, _ = ecva_bench("leaderboard", "--build", boards, "--verify", "--no-published")
    assert "guess.json: as stated: no answers with the hash" in shown
    _, shown, _ = ecva_bench("leaderboard", "--build", boards, "--verify", "--answers", tmp_path, "--no-published")
    assert shown.endswith("guess.json: verified\n")


def test_a_board_that_is_not_verified_says_so_and_refuses_what_contradicts_itself(scored, tmp_path, ecva_bench):
    boards = tmp_path / "boards"
    ecva_bench("submit", scored, "--to", boards)
    code, shown, _ = ecva_bench("leaderboard", "--build", boards, "--no-published")
    assert code == 0
    assert shown.endswith("scores are as stated: compute them again with --verify\n")
    path = boards / "mini" / "submissions" / "guess.json"
    found = json.loads(path.read_text())
    found["entries"][0]["coverage"]["answered"] = 1
    path.write_text(json.dumps(resealed(found)))
    for arguments in (("--build", boards), (path,)):
        code, _, errors = ecva_bench("leaderboard", *arguments)
        assert code == 2
        assert "owed of cause (full) is 2, should be 1" in errors


def test_files_that_others_put_beside_submissions_are_never_overwritten(scored, tmp_path, ecva_bench):
    boards, calls = tmp_path / "boards", tmp_path / "calls.jsonl"
    shutil.copy(CI / "judge.jsonl", calls)
    submit = ("submit", scored, "--with-answers", "--judge-calls", calls, "--to", boards, "--replace")
    assert ecva_bench(*submit)[0] == 0
    answers, export = (boards / "mini" / "answers" / name for name in ("guess.jsonl", "guess.judge.jsonl"))
    assert ecva_bench(*submit)[0] == 0  # the same again, and a run that has grown since, lose nothing
    ecva_bench("run", "--model", "constant", "--task", "cause", "--limit", "3", "--out", scored)
    ecva_bench("score", scored)
    assert ecva_bench(*submit)[0] == 0
    assert answers.read_bytes() == scored.read_bytes()
    other = tmp_path / "guess.judge.jsonl"  # its submission's answers would have the name of the calls
    other.write_bytes(scored.read_bytes())
    ecva_bench("score", other)
    submission = boards / "mini" / "submissions" / "guess.judge.json"
    for path, arguments in ((export, ("submit", other, "--with-answers", "--to", boards)), (answers, submit)):
        path.write_text(path.read_text() + '{"mine":1}\n')
        before = path.read_bytes()
        code, _, errors = ecva_bench(*arguments)
        assert code == 2
        assert f"another file has the name of what goes beside the submission: {path}: move" in errors
        assert path.read_bytes() == before
    assert not submission.exists()


def test_only_calls_that_are_whole_go_beside_a_submission(scored, tmp_path, ecva_bench):
    calls = tmp_path / "calls.jsonl"
    calls.write_bytes((CI / "judge.jsonl").read_bytes()[:-9])
    arguments = ("--with-answers", "--judge-calls", calls, "--to", tmp_path / "boards")
    code, _, errors = ecva_bench("submit", scored, *arguments)
    assert (code, f"{calls}, line " in errors) == (2, True)
    assert not (tmp_path / "boards").exists()


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")
def test_a_signed_submission_is_told_apart_from_one_that_was_changed_since(scored, tmp_path, ecva_bench):
    key, allowed, boards = tmp_path / "key", tmp_path / "allowed", tmp_path / "boards"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]
    subprocess.run(command, check=True)
    allowed.write_text(f"me@example.org {key.with_suffix('.pub').read_text()}")
    code, shown, _ = ecva_bench("submit", scored, "--to", boards, "--sign", key)
    submission = boards / "mini" / "submissions" / "guess.json"
    assert (code, f"wrote {submission}.sig" in shown) == (0, True)
    build = ("leaderboard", "--build", boards, "--verify", "--no-published", "--allowed-signers", allowed)
    assert "; signed by me@example.org\n" in ecva_bench(*build)[1]
    assert "--sign KEY" in ecva_bench("submit", scored, "--to", boards, "--usd", "1", "--replace")[2]
    assert "; wrong signature (" in ecva_bench(*build)[1]
    code, _, errors = ecva_bench("leaderboard", "--build", boards, "--allowed-signers", allowed)
    assert (code, "--allowed-signers is of --build --verify" in errors) == (2, True)


def test_a_signature_of_other_judge_calls_is_told_and_one_that_came_along_is_not(scored, tmp_path, ecva_bench):
    boards, calls = tmp_path / "boards", tmp_path / "calls.jsonl"
    shutil.copy(CI / "judge.jsonl", calls)
    submit = ("submit", scored, "--with-answers", "--judge-calls", calls, "--to", boards)
    assert "beware" not in ecva_bench(*submit)[2]
    signature = boards / "mini" / "answers" / "guess.judge.jsonl.sig"
    signature.write_text("of what stood there before")
    assert f"beware: {signature} may be of what stood there before" in ecva_bench(*submit)[2]
    calls.with_name("calls.jsonl.sig").write_text("of these")
    assert "beware" not in ecva_bench(*submit)[2]
    assert signature.read_text() == "of these"


def test_what_was_edited_is_not_submitted(scored, tmp_path, ecva_bench):
    text = scored.read_text()
    reference = json.loads(text.splitlines()[1])["reference"]
    scored.write_text(text.replace(reference, "something happens"))
    reseal(scored)
    ecva_bench("score", scored)
    code, _, errors = ecva_bench("submit", scored, "--to", tmp_path / "boards")
    assert code == 2
    assert "the answers cannot be as they are told: mini01/cause (full): reference is" in errors
    assert not (tmp_path / "boards").exists()


def changed(path: Path, cheat) -> Path:
    records = true_answers()
    cheat(records)
    write_lines(path, records)
    return path


def test_scores_are_by_the_data_set_and_the_header_says_how_many_answers_that_concerns(tmp_path, ecva_bench):
    path = changed(tmp_path / "run.jsonl", cheats.references_rewritten)
    code, shown, errors = ecva_bench("score", path, "--task", "cause", "--scorers", "rouge")
    assert code == 0
    assert "differences from the data set's annotation, which counts: 14, the first: mini01/cause (full)" in errors
    true = tmp_path / "true.jsonl"
    shutil.copy(CI / "motion.jsonl", true)
    _, honest, errors = ecva_bench("score", true, "--task", "cause", "--scorers", "rouge")
    assert "beware" not in errors
    figures = [[line for line in text.splitlines() if "rouge2" in line] for text in (shown, honest)]
    assert figures[0] == figures[1] != []
    assert '"corrected":14' in (tmp_path / "run.scores.jsonl").read_text().partition("\n")[0]
    assert "corrected" not in (tmp_path / "true.scores.jsonl").read_text()


@pytest.mark.parametrize("command", ["compare", "gate", "leaderboard"])
def test_scores_by_the_words_of_the_model_are_not_compared_gated_or_ranked(tmp_path, ecva_bench, command):
    """A scores file that was made by the file's own references, as versions before this one did."""
    path = changed(tmp_path / "run.jsonl", cheats.references_rewritten)
    ecva_bench("score", path, "--task", "cause", "--scorers", "rouge")
    scores = tmp_path / "run.scores.jsonl"
    scores.write_text(scores.read_text().replace('"corrected":14,', ""))
    reseal(scores)
    arguments = {"compare": (path, path), "gate": (path, "--against", path), "leaderboard": (path,)}[command]
    code, _, errors = ecva_bench(command, *arguments)
    assert code == 2
    assert "14 answers with another annotation than the data set's" in errors
    assert "score the answers again" in errors


def test_audit_finds_what_contradicts_the_data_set(tmp_path, ecva_bench):
    path = changed(tmp_path / "run.jsonl", cheats.one_key_made_up)
    code, shown, errors = ecva_bench("audit", path)
    assert code == 1
    assert "keys that are not those of their answers: 1" in errors
    assert "doubtful" in shown


def test_scores_by_a_data_set_that_is_not_at_hand_later_can_be_shown_and_compared(tmp_path, ecva_bench):
    """The data set counts where it is named; where it is not, nobody can tell which references it has otherwise."""
    data, said, run = (tmp_path / name for name in ("annotations.json", "m_cause.json", "m.jsonl"))
    rows = [{"video_name": f"0000{n}", "task": "Cause", "answer": f"A car number {n} brakes."} for n in (1, 2)]
    data.write_text(json.dumps(rows))
    said.write_text(json.dumps({"1": "A car brakes.", "2": "A bus."}))
    assert ecva_bench("import", said, "--data", data, "--name", "m", "--out", run)[0] == 0
    run.write_text(run.read_text().replace("A car number 2 brakes.", "A bus."))
    reseal(run)
    code, _, errors = ecva_bench("score", run, "--data", data, "--scorers", "rouge")
    assert (code, "differences from the data set's annotation, which counts: 1" in errors) == (0, True), errors
    for command in (
        ("summary", run),
        ("leaderboard", run),
        ("compare", run, run),
        ("compare", run, run, "--data", data),
    ):
        code, _, errors = ecva_bench(*command)
        assert code == 0, errors
    assert ecva_bench("score", run, "--scorers", "rouge")[0] == 0
    code, _, errors = ecva_bench("compare", run, run, "--data", data)
    assert (code, "1 answer with another annotation than the data set's" in errors) == (2, True), errors


@pytest.fixture
def imported(tmp_path, ecva_bench):
    """Two scored runs over a data set that is not embedded, `one.jsonl` and `other.jsonl`, and its annotations."""
    data = tmp_path / "annotations.json"
    rows = [{"video_name": f"0000{n}", "task": "Cause", "answer": f"A car number {n} brakes too late."} for n in (1, 2)]
    data.write_text(json.dumps(rows))
    for name in ("one", "other"):
        said = tmp_path / f"{name}_cause.json"
        said.write_text(json.dumps({"1": f"A car of {name}.", "2": f"A bus of {name}."}))
        run = tmp_path / f"{name}.jsonl"
        assert ecva_bench("import", said, "--data", data, "--name", name, "--out", run)[0] == 0
        assert ecva_bench("score", run, "--data", data, "--scorers", "rouge")[0] == 0
    return data


def rewritten(records):
    for one in cheats.answered(records):
        one["reference"] = one["answer"]


def made_up_key(records):
    cheats.answered(records)[0]["key"] = "d" * 64


def second_answer(records):
    first = cheats.answered(records)[0]
    records.append({**first, "answer": first["reference"]})


def second_under_a_made_up_key(records):
    first = cheats.answered(records)[0]
    records.append({**first, "answer": first["reference"], "key": "e" * 64})


@pytest.mark.parametrize(
    ("cheat", "said"),
    [
        (rewritten, "differences from the data set's annotation, which counts: 2"),
        (made_up_key, "keys that are not those of their answers: 1"),
        (second_answer, "second answers under one key, which are left out: 1"),
        (second_under_a_made_up_key, "keys that are not those of their answers: 1"),
        (cheats.an_answer_twice, "answers that are there again, which count once: 1"),
    ],
)
def test_every_command_says_what_is_wrong_with_a_file_of_a_data_set_that_is_named(imported, ecva_bench, cheat, said):
    run, other, scores = (imported.with_name(name) for name in ("one.jsonl", "other.jsonl", "one.scores.jsonl"))
    records = cheats.lines_of(run.read_bytes())
    cheat(records)
    write_lines(run, records)
    reseal(run)
    _, _, errors = ecva_bench("score", run, "--data", imported, "--scorers", "rouge")
    assert said in errors
    for arguments in (
        ("audit", run),
        *(("gate", file, "--against", other) for file in (run, scores)),
        *(("compare", other, file) for file in (run, scores)),
        *(("leaderboard", file) for file in (run, scores)),
    ):
        _, _, errors = ecva_bench(*arguments, "--data", imported)
        assert said in errors, arguments


def test_scores_by_the_words_of_the_model_are_refused_where_the_data_set_is_named(imported, ecva_bench):
    run, other = imported.with_name("one.jsonl"), imported.with_name("other.jsonl")
    records = cheats.lines_of(run.read_bytes())
    rewritten(records)
    write_lines(run, records)
    reseal(run)
    ecva_bench("score", run, "--scorers", "rouge")
    for arguments in (("gate", run, "--against", other), ("compare", other, run), ("leaderboard", run)):
        code, _, errors = ecva_bench(*arguments, "--data", imported)
        assert (code, "2 answers with another annotation than the data set's" in errors) == (2, True), errors


def test_scores_beside_other_answers_are_not_held_against_them(imported, ecva_bench):
    run, scores = imported.with_name("one.jsonl"), imported.with_name("one.scores.jsonl")
    records = cheats.lines_of(run.read_bytes())
    made_up_key(records)
    write_lines(run, records)
    reseal(run)
    code, _, errors = ecva_bench("leaderboard", scores, "--data", imported)
    assert (code, "keys" in errors) == (0, False), errors


def test_a_submission_is_held_against_the_data_set_that_is_named(imported, tmp_path, ecva_bench):
    boards = tmp_path / "boards"
    assert ecva_bench("submit", imported.with_name("one.jsonl"), "--data", imported, "--to", boards)[0] == 0
    (path,) = boards.glob("*/submissions/one.json")
    found = json.loads(path.read_text())
    path.write_text(json.dumps(resealed(json.loads(json.dumps(found).replace("00001", "00009")))))
    code, _, errors = ecva_bench("leaderboard", path, "--data", imported)
    assert (code, "00009" in errors) == (2, True), errors
