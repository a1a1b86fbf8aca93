"""Annotators are let in, or sent back, by the thresholds that stand in the guide."""

from __future__ import annotations

from ecva_bench.annotation.screening import Screening, screen
from ecva_bench.records.acts import AnnotationAct

from .acts import act


def gold(videos: int = 60, normal: int = 10) -> list[AnnotationAct]:
    return [
        act(f"v{n}", "adjudicated", [] if n < normal else [(2.0, 8.0)], f"{1 + n % 5}-1", duration=10)
        for n in range(videos)
    ]


def done(wrong_class: int = 0, shift: float = 0.0, seconds: float = 30, videos: int = 60) -> list[AnnotationAct]:
    found = []
    for n, right in enumerate(gold(videos)):
        spans = [(one.start + shift, one.end + shift) for one in right.moments]
        code = "6-1" if n < wrong_class else f"{1 + n % 5}-1"
        found.append(act(right.video, "ann", spans, code, duration=10, seconds_spent=seconds))
    return found


def only(found: list[Screening]) -> Screening:
    [one] = found
    return one


def test_an_annotator_who_says_what_was_adjudicated_passes() -> None:
    one = only(screen(done(), gold()))
    assert (one.passed, one.reasons, one.batch) == (True, (), ())
    assert (one.class_alpha, one.time_alpha, one.mean_iou) == (1, 1, 1)


def test_each_threshold_fails_by_itself() -> None:
    for acts, words in (
        (done(wrong_class=15), "class alpha"),
        (done(shift=1.2), "mean IoU"),
        (done(seconds=4.9), "less than half their length"),
    ):
        one = only(screen(acts, gold()))
        assert one.passed is False
        assert [reason for reason in one.reasons if words in reason], words
    assert only(screen(done(seconds=5), gold())).passed


def test_too_few_videos_tell_nothing() -> None:
    one = only(screen(done(videos=49), gold(49)))
    assert one.passed is None
    assert "49 videos of 50" in one.reasons[0]
    assert only(screen(done(), gold(normal=0))).passed is None


def test_the_last_forty_decide_on_the_batch() -> None:
    early, late = done(), done()
    for n in range(15):
        early[n] = act(f"v{n}", "ann", [(0.0, 1.0)], "6-1", duration=10)
        late[59 - n] = act(f"v{59 - n}", "ann", [(0.0, 1.0)], "6-1", duration=10)
    assert only(screen(early, gold())).batch == ()
    assert any("class alpha" in reason for reason in only(screen(late, gold())).batch)


def test_who_was_shown_others_work_is_not_screened() -> None:
    assert screen([one.model_copy(update={"blind": False}) for one in done()], gold()) == []
