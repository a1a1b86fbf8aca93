"""Whether an answer says that there is an anomaly: shapes as models give them, read by hand."""

from __future__ import annotations

import pytest

from ecva_bench.reading.yes_no import read_yes_no

YES = (
    "Yes",
    "yes.",
    "**Yes**",
    "Yes, a man is hit by a car.",
    "Answer: Yes",
    "The answer is yes.",
    "<think>No, wait.</think>Yes",
    "\\boxed{yes}",
    "<answer>Yes</answer>",
    '{"answer": "yes"}',
    '{"anomaly": true}',
    "An anomaly exists, specifically a traffic accident.",
    "There is an anomaly in this video.",
    "The video shows an abnormal event: a man falls.",
    "This video is not normal.",
    "The traffic is normal at first, but then an abnormal event takes place.",
    "The scene isn't normal.",
    "Overall, the video is abnormal.",
    "是",
    "是的，有一辆车撞人。",
    "有异常",
    "答案是：是",
    "视频中存在异常。",
    "No doubt, there is an anomaly.",
    "Wait. No. Actually yes.",
    "A car hits a man. So yes.",
)
NO = (
    "No",
    "no.",
    "No.",
    "**No**",
    "No, everything is as it should be.",
    "No anomaly is visible.",
    "No abnormal event takes place.",
    "There is nothing abnormal.",
    "There are no anomalies in the video.",
    "The video is normal.",
    "The video does not contain any abnormal events.",
    "Nothing unusual happens.",
    "The footage shows people walking without any abnormal behaviour.",
    "Everything looks normal.",
    "I see no sign of an anomaly.",
    "I don't see any abnormal event.",
    "Answer: no",
    "The answer is no, there is no abnormal event.",
    '{"answer": "no"}',
    '{"anomaly": false}',
    "否",
    "没有",
    "不是",
    "没有异常。",
    "视频是正常的。",
    "未发现异常",
    "答案：否",
    "Final answer: No",
    "This is a normal video.",
)
OTHERWISE = {
    "unread": (
        "",
        "I cannot tell from the video.",
        "I'm sorry, but I can't determine whether there is an anomaly.",
        "A man walks down a street.",
        "There may be an anomaly.",
        "<think>Yes",
        "Anomaly detection is hard to say.",
    ),
    "ambiguous": ("Yes. No.", "The answer is yes or the answer is no."),
}


@pytest.mark.parametrize(("text", "said"), [*((text, True) for text in YES), *((text, False) for text in NO)])
def test_an_answer_says_whether_there_is_an_anomaly(text: str, said: bool) -> None:
    assert read_yes_no(text).yes is said


@pytest.mark.parametrize(("status", "text"), [(status, text) for status, texts in OTHERWISE.items() for text in texts])
def test_what_says_neither_is_not_read(status: str, text: str) -> None:
    reading = read_yes_no(text)
    assert (reading.status, reading.yes) == (status, None)
