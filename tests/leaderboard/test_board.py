"""Leaderboards and score sheets of runs made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import UsageError
from ecva_bench.leaderboard import board
from ecva_bench.leaderboard.by_view import view_scores
from ecva_bench.leaderboard.details import dataset_tables
from ecva_bench.leaderboard.forms import as_text
from ecva_bench.leaderboard.groups import group_submissions, labels
from ecva_bench.leaderboard.published import published_tables
from ecva_bench.leaderboard.sheet import score_sheets, signature_tables
from ecva_bench.leaderboard.submission import submission
from ecva_bench.records.answers import Lacking
from ecva_bench.scoring.score import score_results
from ecva_bench.statistics.paired import paired_bootstrap
from tests.leaderboard.scored import scored
from tests.scoring.build import answer, label, moments, results
from tests.scoring.judges import RuleJudge, lexical

OWED = tuple(f"v{n}/classification" for n in range(4))


def run(model, *texts, owed=OWED, protocol="standard", view="full", **fields):
    """A run that gives these answers to the first videos, whose class is 5, and none to the others."""
    answers = [
        answer(f"v{n}", text, task="classification", view=view, label=label(5), reference="5-1")
        for n, text in enumerate(texts)
    ]
    return score_results(results(answers, model=model, expects={view: owed}, **fields), protocol=protocol, draws=200)


def leaderboards(scores, **options):
    return board.leaderboards([submission(one) for one in scores], **options)


def column(table, name):
    place = table.header.index(name)
    return [row[place].text for row in table.rows]


@pytest.mark.parametrize("curves", [0, 1, 3])
def test_without_importance_curves_severity_is_ranked_by_moments_and_nothing_is_a_failure(curves):
    def severe(model, text):
        about = {"task": "severity", "duration": 12.0, "moments": moments((3.0, 9.0))}
        known = [{"curve": ((0.0, 0.0), (6.0, 1.0), (12.0, 0.0))} if n < curves else {} for n in range(3)]
        answers = [answer(f"v{n}", text, **about, **known[n]) for n in range(3)]
        return score_results(results(answers, model=model), draws=100)

    (board,) = leaderboards(
        [severe("good", "0 3 1\n3 9 8\n9 12 1"), severe("bad", "0 3 8\n3 12 1"), severe("mute", "?")]
    )
    assert board.header[7] == ("hit1 %" if curves else "frame_auc %")
    if not curves:
        assert (column(board, "model"), column(board, "rank")) == (["good", "bad", "mute"], ["1", "2", "3"])
    failures = dict(zip(column(board, "model"), column(board, "parse failures"), strict=True))
    assert [failures[model] for model in ("good", "bad", "mute")] == ["0", "0", "3"]


def test_models_are_ranked_by_the_mean_with_missing_as_zero():
    few = run("few", "[5]")
    all_ = run("all", "[5]", "[5]", "[1]", "[1]")
    tied = run("tied", "[5]", "[5]", "[1]", "none")
    (board,) = leaderboards([few, all_, tied])
    assert column(board, "model") == ["all", "tied", "few"]
    assert column(board, "rank") == ["1", "1", "3"]
    assert column(board, "answered") == ["4/4", "4/4", "1/4"]
    assert column(board, "accuracy %") == ["50.00", "50.00", "25.00"]


@pytest.mark.parametrize(
    ("task", "name", "scorer", "signatures", "own"),
    [
        (
            "cause",
            "gated",
            "anomeval",
            ("anomeval|weights:20,40,40|judge:strict", "anomeval|weights:20,40,40|judge:lenient"),
            "judge:lenient",
        ),
        (
            "cause",
            "gated",
            "anomeval",
            ("anomeval|weights:20,40,40|judge:x", "anomeval|weights:100,0,0|judge:x"),
            "weights:100,0,0",
        ),
        ("timestamp", "iou", "timestamp", ("timestamp|bare:seconds", "timestamp|bare:minutes"), "bare:minutes"),
    ],
)
def test_who_chose_another_judge_or_reading_does_not_rank_before_the_others(task, name, scorer, signatures, own):
    common, other = (f"{signature}|v:1" for signature in signatures)
    said = [("a", 0.3, common), ("b", 0.4, common.replace("v:1", "v:2")), ("chose", 1.0, other)]
    runs = [
        scored({task: {"v1": value, "v2": value}}, model=model, column=name, scorer=scorer, signature=signature)
        for model, value, signature in said
    ]
    most, alone = leaderboards(runs)
    assert column(most, "model") == ["b", "a"]
    assert column(alone, "model") == ["chose"]
    assert own in alone.title
    assert own not in most.title


def test_where_less_is_better_the_least_is_first():
    """The accuracy of these runs is read as an error, so that the wrong answers stand first, at rank 1."""
    texts = {"right": ("[5]", "[5]"), "half": ("[5]", "[1]"), "wrong": ("[1]", "[1]")}
    scores = []
    for model, said in texts.items():
        one = run(model, *said, owed=OWED[:2])
        kept = [s.model_copy(update={"higher_is_better": False}) for s in one.summaries if s.column == "accuracy"]
        scores.append(one.model_copy(update={"summaries": tuple(kept)}))
    (board,) = leaderboards(scores)
    assert column(board, "model") == ["wrong", "half", "right"]
    assert column(board, "accuracy %") == ["0.00", "50.00", "100.00"]
    (group,) = group_submissions([submission(one) for one in scores])
    assert [group.standings["accuracy"][model].rank for model in ("wrong", "half", "right")] == [1, 2, 3]


def test_the_best_is_marked_and_so_is_who_is_not_told_apart_from_it():
    owed = tuple(f"v{n}/classification" for n in range(40))
    runs = [run(f"{right} right", *["[5]"] * right, *["[1]"] * (40 - right), owed=owed) for right in (40, 38, 0)]
    (board,) = leaderboards(runs)
    place = board.header.index("accuracy %")
    assert [row[place].marks for row in board.rows] == [{"best"}, {"tie"}, frozenset()]
    (board,) = leaderboards(runs[:1])
    assert not board.rows[0][place].marks


def test_the_best_of_nothing_is_not_marked():
    (board,) = leaderboards([run(name, "[1]", "[1]", "[1]", "[1]") for name in ("a", "b")])
    assert column(board, "rank") == ["1", "1"]
    assert column(board, "accuracy %") == ["0.00", "0.00"]
    assert not board.rows[0][board.header.index("accuracy %")].marks


def test_a_run_that_nothing_was_scored_of_stands_unranked():
    bare = run("m", "[5]").model_copy(update={"summaries": (), "aggregates": (), "scores": ()})
    (board,) = leaderboards([bare])
    assert (column(board, "model"), column(board, "rank")) == (["m"], [""])


def test_a_sheet_says_what_each_number_is():
    scores = run("m", "[5]", "[1]", "no class", "[5]")
    (board,) = leaderboards([scores])
    assert column(board, "parse failures") == ["1"]
    (sheet,) = score_sheets(scores)
    found = dict(zip(column(sheet, "score"), sheet.rows, strict=True))["accuracy"]
    summary = next(one for one in scores.summaries if one.column == "accuracy")
    shown = dict(zip(sheet.header, found, strict=True))
    assert shown["mean"].text == "2/4 = 50.00 %"
    assert (shown["n"].value, shown["of"].value) == (4, 4)
    assert shown["missing as 0"].value == 50
    assert shown["shuffled floor"].value == pytest.approx(100 * summary.floor)


def test_a_sheet_says_of_whom_a_column_lacks_a_value_and_which():
    both = [answer("v0", "a car", view=v, reference="a car", key_sentences=("a car",)) for v in ("full", "anomaly")]
    alone = answer("v1", "a car", reference="a car", key_sentences=("a car",))
    owed = {"full": ("v0/cause", "v1/cause"), "anomaly": ("v0/cause", "v1/cause")}
    scores = score_results(results([*both, alone], expects=owed), judge=RuleJudge(), scorers=["anomeval"], draws=50)
    notes = [note for sheet in score_sheets(scores) for note in sheet.notes]
    assert any(
        note.startswith("anomeval: 1 x no answer on the anomaly view: without s3") and note.endswith(": v1/cause")
        for note in notes
    )


def test_baselines_stand_behind_the_models_and_take_no_rank():
    oracle = run("oracle", "[5]", "[5]", "[5]", "[5]", spec={"baseline": True})
    constant = run("constant", "[1]", "[1]", "[1]", "[1]", spec={"baseline": True})
    (board,) = leaderboards([constant, run("model", "[5]", "[1]", "[1]", "[1]"), oracle])
    assert column(board, "model") == ["model", "oracle", "constant"]
    assert column(board, "kind") == ["run", "baseline", "baseline"]
    assert column(board, "rank") == ["1", "", ""]


def test_only_rows_over_the_same_samples_under_the_same_protocol_share_a_table():
    runs = [
        run("a", "[5]"),
        run("b", "[5]", owed=OWED[:3]),
        run("c", "[5]", protocol="ecva-2024"),
        run("d", "[5]", view="anomaly"),
        run("e", "[1]"),
    ]
    boards = leaderboards(runs)
    assert sorted(tuple(sorted(column(board, "model"))) for board in boards) == [("a", "e"), ("b",), ("c",), ("d",)]
    assert all("protocol" in board.title for board in boards)


def judged(model, text, judge=None):
    """A run whose one answer shares words with its reference or not, judged by shared words where there is a judge."""
    pair = [answer("v", text, view=view, reference="a car", key_sentences=("a car",)) for view in ("full", "anomaly")]
    return score_results(results(pair, model=model), judge=judge, draws=50)


def test_text_tasks_are_ranked_by_the_judge_only_where_all_were_judged():
    right, wrong = judged("right", "a car", RuleJudge()), judged("wrong", "a bus a car", RuleJudge(lambda *_: [0]))
    board = next(table for table in leaderboards([wrong, right]) if "full video" in table.title)
    assert column(board, "model") == ["right", "wrong"]
    assert board.notes[0].startswith("Ranked by gated.")
    assert sum("not comparable" in note for note in board.notes) == 0
    mixed = next(table for table in leaderboards([wrong, judged("plain", "none")]) if "full video" in table.title)
    assert mixed.notes[0].startswith("Ranked by rouge2.")
    assert column(mixed, "gated %") == ["0.00", ""] or column(mixed, "gated %")[::-1] == ["0.00", ""]


def test_two_runs_of_one_model_are_told_apart():
    (board,) = leaderboards([run("m", "[5]", name="first"), run("m", "[1]", name="second")])
    assert column(board, "model") == ["m (first)", "m (second)"]


def test_two_runs_of_one_model_and_name_keep_their_own_ranks():
    """Results files in two folders are often both called `results`."""
    best = run("m", "[5]", "[5]", "[5]", "[5]", name="results")
    worst = run("m", "[1]", "[1]", "[1]", "[1]", name="results")
    (board,) = leaderboards([worst, best])
    assert column(board, "model") == ["m (results) #2", "m (results) #1"]
    assert column(board, "rank") == ["1", "2"]
    assert column(board, "accuracy %") == ["100.00", "0.00"]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "a (b)"]), st.sampled_from(["a", "b"])), max_size=8))
def test_no_two_runs_are_called_alike(runs):
    called = labels(runs)
    assert len(set(called)) == len(runs)
    assert all(label.startswith(model) for label, (model, _) in zip(called, runs, strict=True))


def test_another_version_of_a_scorer_is_pointed_out():
    one, other = run("one", "[5]"), run("other", "[5]")
    changed = [s.model_copy(update={"signature": s.signature + ".1"}) for s in other.summaries]
    (board,) = leaderboards([one, other.model_copy(update={"summaries": tuple(changed)})])
    assert sum("not comparable" in note for note in board.notes) == 2
    (board,) = leaderboards([one, other])
    assert not any("not comparable" in note for note in board.notes)


ECVA = {"dataset": {"name": "ecva"}}


def test_published_rows_stand_below_and_unranked():
    published = published_tables()
    (elsewhere,) = leaderboards([run("mine", "[5]", "[5]", "[1]", "[1]")], published=published)
    assert column(elsewhere, "model") == ["mine"]  # figures of another data set do not compare
    (board,) = leaderboards([run("mine", "[5]", "[5]", "[1]", "[1]", spec=ECVA)], published=published)
    assert board.title == "classification, full video, protocol standard, 4 samples of ecva"
    models = column(board, "model")
    assert models[0] == "mine"
    assert {"Video-LLaMa2", "Video-llava"} < set(models)
    assert column(board, "kind") == ["run", *["as printed"] * 14]
    shown = dict(zip(models, column(board, "accuracy %"), strict=True))
    assert (shown["mine"], shown["Video-LLaMa2"], shown["Video-llava"], shown["VILA"]) == (
        "50.00",
        "46.42",
        "23.75",
        "N/A",
    )
    assert column(board, "rank") == ["1", *[""] * 14]
    (edited,) = leaderboards([run("mine", "[5]", view="anomaly", spec=ECVA)], published=published)
    assert column(edited, "model") == ["mine"]


def test_rows_that_were_shown_other_files_of_the_same_videos_are_named():
    def shown(model: str, *files: str):
        given = [
            answer(f"v{n}", "[5]", task="classification", label=label(5), reference="5-1", video_sha256=file * 64)
            for n, file in enumerate(files)
        ]
        return score_results(results(given, model=model, expects={"full": OWED}), draws=200)

    alike = [shown("one", "a", "b", "c", "d"), shown("two", "a", "b", "c", "d"), shown("three", "a", "")]
    (board,) = leaderboards(alike)
    assert not any("files" in note for note in board.notes)
    (board,) = leaderboards([*alike, shown("odd", "a", "e", "c", "f")])
    assert [note for note in board.notes if "files" in note] == [
        "odd was shown other files than other rows here, of 2 of 4 videos: v1, v3."
    ]
    (changed,) = leaderboards([*alike, shown("odd", "a"), shown("odd", "b")])
    assert "odd (run) #2 was shown other files than other rows here, of 1 of 1 video: v0." in changed.notes


def test_a_video_that_changed_during_a_run_is_another_than_either():
    given = [
        answer("v0", "[5]", task=task, label=label(5), reference="5-1", video_sha256=file * 64)
        for task, file in (("classification", "b"), ("cause", "a"))
    ]
    assert score_results(results(given), draws=50).header.videos == {"v0": "a" * 16 + "+" + "b" * 16}


def test_answers_that_are_empty_or_were_cut_off_are_told_below_a_board():
    (plain,) = leaderboards([run("whole", "[5]", "[5]", "[5]", "[5]")])
    assert not any("mpty" in note or "cut off" in note for note in plain.notes)
    given = [
        answer(f"v{n}", text, task="classification", label=label(5), reference="5-1", finish=finish)
        for n, (text, finish) in enumerate(
            [("[5]", "stop"), ("<think>[5]", "length"), ("It is", "length"), ("", "stop")]
        )
    ]
    cut = score_results(results(given, model="cut", expects={"full": OWED}), draws=200)
    (board,) = leaderboards([run("whole", "[5]", "[5]", "[5]", "[5]"), cut])
    assert "Empty answers: cut 2 of 4." in board.notes
    assert "Answers cut off before their end: cut 2 of 4." in board.notes
    (sheet,) = score_sheets(cut)
    assert "0 missing; 2 empty, 2 cut off, 0 extra" in sheet.title


def test_nothing_to_rank_is_an_error():
    with pytest.raises(UsageError, match="nothing to rank"):
        leaderboards([run("a", "[5]")], task="cause")
    with pytest.raises(UsageError, match="nothing to rank"):
        leaderboards([])


def test_the_score_sheet_prints_coverage_before_any_mean():
    scores = run("m", "[5]", "[5]", "none")
    (sheet,) = score_sheets(scores)
    text = as_text(sheet)
    assert text.startswith(
        "m, classification, full video: 3 of 4 answered (75.00 %), 0 failed, 1 missing; 0 empty, 0 cut off, 0 extra, "
        "0 duplicate\n"
    )
    assert "2/3 = 66.67 %" in text
    assert "50.00 %" in text
    assert "majority_baseline 100.00 %" in text
    (signatures,) = signature_tables(scores)
    assert as_text(signatures).count("classification|parse:named.v1|match:major|strip:specials|v:") == 1


def test_a_run_that_lacks_parts_is_noted_on_its_board_and_its_sheet():
    short = run("short", "[5]", "[5]", lacking=Lacking(parts=(3,), of=4))
    (board,) = leaderboards([short, run("whole", "[5]", "[5]", "[5]", "[1]")])
    assert column(board, "answered") == ["4/4", "2/4"]
    assert [note for note in board.notes if "absent" in note] == ["short: not the whole run: part 3 of 4 is absent."]
    assert "not the whole run: part 3 of 4 is absent" in as_text(score_sheets(short)[0])


def test_what_nobody_can_be_asked_is_counted_on_the_sheet_and_shares_a_board():
    why = {"anomaly": {"v2/classification": "no frame is left", "v3/classification": "no annotated moment"}}
    runs = [run(model, "[5]", "[1]", owed=OWED[:2], view="anomaly", unasked=why) for model in ("a", "b")]
    (board,) = leaderboards(runs)
    assert column(board, "answered") == ["2/2", "2/2"]
    (sheet,) = score_sheets(runs[0])
    assert sheet.title.endswith("0 duplicate, 2 unscorable")
    assert sheet.notes[:2] == (
        "unscorable for anyone: 1 x no annotated moment",
        "unscorable for anyone: 1 x no frame is left",
    )


def test_a_video_without_the_view_a_column_needs_is_no_parse_failure():
    why = {"anomaly": {"w/cause": "no frame is left"}}
    told = {"v": "a car", "w": "a car", "u": "a lost car"}
    whole = [answer(video, text, reference="a car", key_sentences=("a car",)) for video, text in told.items()]
    edited = [answer(video, "a bus", view="anomaly", reference="a car") for video in "vu"]
    judge = RuleJudge(lambda name, payload: None if "lost" in payload["candidate"] else lexical(name, payload))
    judged = score_results(results([*whole, *edited], unasked=why), judge=judge, draws=50)
    board = next(table for table in leaderboards([judged]) if "full video" in table.title)
    assert "Ranked by gated." in board.notes[0]
    assert column(board, "parse failures") == ["1"]  # the verdict on u, and not that w has no other view


def test_a_board_of_a_view_that_no_video_has_is_empty():
    why = {"control": dict.fromkeys(OWED, "half")}
    boards = leaderboards([run(model, "[5]", unasked=why) for model in ("a", "b")])
    empty = next(board for board in boards if "0 samples" in board.title)
    assert column(empty, "answered") == ["0/0", "0/0"]
    assert column(empty, "rank") == ["", ""]


def test_a_blank_score_stands_beside_the_score_over_the_same_samples_alone():
    def both(model, full, blank, owed=OWED):
        answers = [
            answer(f"v{n}", text, task="classification", view=view, label=label(5), reference="5-1")
            for view, texts in (("full", full), ("blank", blank))
            for n, text in enumerate(texts)
        ]
        found = results(answers, model=model, expects={"full": OWED, "blank": owed})
        return score_results(found, draws=50)

    right, wrong = ("[5]",) * 4, ("[1]",) * 4
    runs = [both("sees", right, ["[5]", *wrong[1:]]), both("few", wrong, right[:2], OWED[:2]), run("none", *right)]
    (board,) = leaderboards(runs)
    assert column(board, "model") == ["none", "sees", "few"]
    assert column(board, "blank") == ["", "25.00", ""]
    assert all(len(row) == len(board.header) for row in board.rows)
    assert any(note.startswith("blank: accuracy of the same model") for note in board.notes)
    (without,) = leaderboards([run("none", *right)])
    assert "blank" not in without.header
    tables = dataset_tables([submission(one) for one in runs])
    (views,) = [one for one in tables if one.title.endswith("what the models use")]
    rows = [[cell.text for cell in row] for row in views.rows]
    assert [(row[0], row[4], row[5], row[6]) for row in rows] == [
        ("sees", "full", "100.00", ""),
        ("sees", "blank", "25.00", "75.00"),
        ("few", "full", "0.00", ""),
        ("few", "blank", "100.00", "-100.00"),  # of the two videos that both were asked about
    ]
    assert [row[-1] for row in rows] == ["4", "4", "4", "2"]


def test_a_drop_is_a_loss_where_less_is_better_too():
    """Accuracy read as an error: 4 errors more without pictures is a loss of all."""
    answers = [
        answer(f"v{n}", text, task="classification", view=view, label=label(5), reference="5-1")
        for view, text in (("full", "[1]"), ("blank", "[5]"))
        for n in range(4)
    ]
    one = score_results(results(answers, expects={"full": OWED, "blank": OWED}), draws=50)
    kept = [s.model_copy(update={"higher_is_better": False}) for s in one.summaries if s.column == "accuracy"]
    found = view_scores(submission(one.model_copy(update={"summaries": tuple(kept)})))
    assert [(score.view, score.score, score.drop) for score in found] == [("full", 0.0, None), ("blank", 1.0, 1.0)]


def test_several_questions_about_a_video_are_drawn_together():
    """Twelve questions about six videos: the interval is that of six means, each of two."""
    answers = [
        answer(f"v{n}", text, task="classification", view=view, label=label(5), reference="5-1").model_copy(
            update={"id": f"v{n}/classification/q{k}", "key": f"{n}{k}{view}"}
        )
        for n in range(6)
        for k in range(2)
        for view, text in (("full", "[5]"), ("blank", "[5]" if n < 2 else "[1]"))
    ]
    owed = tuple(sorted({one.id for one in answers}))
    scores = score_results(results(answers, expects={"full": owed, "blank": owed}), draws=50)
    _, blank = view_scores(submission(scores))
    assert (blank.n, blank.videos, blank.drop) == (12, 6, pytest.approx(4 / 6))
    expected = paired_bootstrap([0.0, 0.0, 1.0, 1.0, 1.0, 1.0], range(6), seed=0).interval()
    assert blank.drop_interval == pytest.approx(expected)
