"""The names under which answer files hold a video, an answer, a task, a view and what was asked: one table.

Names are compared by their letters and digits alone. Of several kinds of name the first kind that a file has counts:
where there is a `prediction`, an `answer` beside it is the annotation's.
"""

from __future__ import annotations

from .words import bare_name

VIDEO_NAMES = (
    frozenset({
        "video", "videoid", "videoname", "videofile", "videopath", "videofilename", "videos", "vid", "visualinput",
        "visual", "media", "mediapath", "clip", "clipid", "clipname", "filename", "file", "filepath", "path",
        "sourcevideo", "视频", "视频名", "视频名称", "视频编号",
    }),
    frozenset({"id", "ids", "sampleid", "questionid", "customid", "qid", "uid", "key", "name", "itemid", "编号"}),
)  # fmt: skip
ANSWER_NAMES = (
    frozenset({
        "prediction", "predictions", "pred", "preds", "predict", "predicted", "predictedanswer", "predanswer",
        "predictiontext", "predtext", "modelanswer", "modeloutput", "modelresponse", "modelprediction", "response",
        "generated", "generatedtext", "generatedanswer", "generation", "completion", "completions",
        "filteredresps", "hypothesis",
        "candidate", "reply", "llmanswer", "llmoutput", "outputtext", "预测", "模型回答", "模型输出",
    }),
    frozenset({"output", "outputs", "answer", "answers", "anwser", "text", "caption", "content", "回答", "答案"}),
    frozenset({"resps", "responses"}),
    frozenset({"messages", "conversations", "conversation"}),
)  # fmt: skip
TASK_NAMES = frozenset({
    "task", "tasktype", "taskname", "questiontype", "qatype", "qtype", "category", "dimension", "dim", "type", "subset",
    "subtask", "subdataset", "split", "sheet", "任务",
})  # fmt: skip
VIEW_NAMES = frozenset({"view", "videoview", "editedview", "edited"})
PROMPT_NAMES = ("prompt", "question", "instruction", "query", "input", "messages", "conversations")
# What a row says of who answered: of several such columns the first kind counts.
MODEL_NAMES = ("model", "modelname", "modelid", "modelversion")
FINISH_NAMES = ("finish_reason", "finish", "stop_reason")
REFERENCE_NAMES = frozenset({
    "reference", "ref", "target", "groundtruth", "gt", "gold", "label", "labels", "solution", "humanexpertanswer",
})  # fmt: skip
# Fields below which programs keep what they know of a question, or the question itself, and never an answer.
NOT_ANSWERS_BELOW = frozenset({
    "doc", "metadata", "reference", "references", "target", "args", "arguments", "config", "meta", "info", "input",
    "inputs", "instance", "request", "prompt", "question",
})  # fmt: skip

_KNOWN = frozenset().union(*VIDEO_NAMES, *ANSWER_NAMES, TASK_NAMES, VIEW_NAMES, map(bare_name, PROMPT_NAMES))


def is_known(name: object) -> bool:
    """Return whether a field's name is one of the table's."""
    return isinstance(name, str) and bare_name(name) in _KNOWN
