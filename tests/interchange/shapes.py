"""Answer files in the shapes that people have them in, each written from the same answers.

The shapes of other programs are as their own code writes them: lmms-eval's samples (`save_results_samples`, which
leaves the document out) and its older log, VLMEvalKit's tables (`infer_data_job_video`), inspect's logs (`EvalSample`),
the batch files of OpenAI's service, LLaVA's and ms-swift's inference files, CUVA's and the authors' rows.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl

VIDEOS = ("00001", "00002", "00003")
TASKS = ("description", "cause")
QUESTIONS = {  # lmms-eval's for CUVA
    "description": "Watch the video and describe any anomaly events you see in the order they happen.",
    "cause": "Explain why the anomaly in the video are happening. Use the root reasons behind these anomalies.",
}
CUVA_TASKS = {"description": "Description", "cause": "Cause"}

Rows = Sequence[dict[str, Any]]


def reference(video: str, task: str) -> str:
    """Return what the annotation says."""
    return f"annotated {task} of {video}"


def answer(video: str, task: str) -> str:
    """Return what the model says."""
    return f"{task} that the model gives for {video}"


def annotations(folder: Path) -> Path:
    """Write the annotations of the videos and return the file."""
    rows = [
        {"video_name": f"{video}.mp4", "task": CUVA_TASKS[task], "answer": reference(video, task)}
        for video in VIDEOS
        for task in TASKS
    ]
    rows += [{"video_name": f"{video}.mp4", "task": "Timestamp", "answer": "[0001,0003]"} for video in VIDEOS]
    path = folder / "annotations.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def as_lines(rows: Rows) -> bytes:
    return b"".join(as_json(row) + b"\n" for row in rows)


def as_table(rows: Rows, delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_workbook(sheets: dict[str, Rows]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def long(tasks: Sequence[str] = TASKS, **names: str) -> list[dict[str, Any]]:
    """Return a row for each answer, its fields under the names given; without `task=` they do not tell it."""
    rows = []
    for task in tasks:
        for video in VIDEOS:
            told = {
                "video": f"{video}.mp4",
                "answer": answer(video, task),
                "task": task,
                "reference": reference(video, task),
            }
            rows.append({name: told[field] for field, name in names.items()})
    return rows


def wide() -> list[dict[str, Any]]:
    return [{"video_id": video, **{task: answer(video, task) for task in TASKS}} for video in VIDEOS]


def cuva_rows() -> Rows:
    rows = long(video="visual_input", answer="output", task="task")
    return [
        {"ID": number, "instruction": QUESTIONS[row["task"]], **row, "task": CUVA_TASKS[row["task"]]}
        for number, row in enumerate(rows, start=900)
    ]


def lmms_samples() -> Rows:
    """Return rows as lmms-eval writes them since it leaves the document out: no field names the video."""
    rows = []
    for task in TASKS:
        for video in VIDEOS:
            text, target = answer(video, task), reference(video, task)
            metric = {"pred": text, "answer": target, "task": CUVA_TASKS[task]}
            rows.append(
                {
                    "doc_id": len(rows),
                    "target": target,
                    "filtered_resps": [text],
                    "doc_hash": "0" * 64,
                    "cuva_BLEU": metric,
                    "cuva_ROUGE": metric,
                    "input": QUESTIONS[task],
                }
            )
    return rows


def lmms_log() -> dict[str, Any]:
    logs = [
        {
            "doc_id": number,
            "doc": {"video_name": f"{video}.mp4", "task": CUVA_TASKS[task], "answer": reference(video, task)},
            "target": reference(video, task),
            "arguments": [QUESTIONS[task], {"max_new_tokens": 16}, "cuva_test", "test"],
            "resps": [[answer(video, task)]],
            "filtered_resps": [answer(video, task)],
        }
        for number, (task, video) in enumerate((task, video) for task in TASKS for video in VIDEOS)
    ]
    return {
        "args": {"model": "llava_vid", "tasks": "cuva_test"},
        "model_configs": {},
        "logs": logs,
        "time": "0101_0000",
    }


def vlmevalkit() -> list[dict[str, Any]]:
    rows = long(video="video", reference="answer", answer="prediction", task="category")
    return [{"index": 500 + number, "question": QUESTIONS[row["category"]], **row} for number, row in enumerate(rows)]


def inspect_samples() -> list[dict[str, Any]]:
    samples = []
    for task in TASKS:
        for video in VIDEOS:
            asked = {
                "role": "user",
                "content": [{"type": "text", "text": QUESTIONS[task]}, {"type": "video", "video": f"/v/{video}.mp4"}],
            }
            message = {"role": "assistant", "content": [{"type": "text", "text": answer(video, task)}]}
            samples.append(
                {
                    "id": f"{video}_{task}",
                    "epoch": 1,
                    "input": [asked],
                    "target": reference(video, task),
                    "messages": [asked, message],
                    "output": {
                        "model": "openai/gpt-4o",
                        "choices": [{"message": message, "stop_reason": "stop"}],
                        "completion": answer(video, task),
                    },
                    "metadata": {},
                }
            )
    return samples


INSPECT = {"version": 2, "status": "success", "eval": {"task": "ecva", "model": "openai/gpt-4o", "dataset": {}}}


def inspect_archive(compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        archive.writestr("_journal/start.json", as_json({"version": 2, "eval": INSPECT["eval"], "plan": {}}))
        for sample in inspect_samples():
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", as_json(sample))
        archive.writestr("header.json", as_json(INSPECT))
    return content.getvalue()


def openai_batch() -> Rows:
    return [
        {
            "id": f"batch_req_{number}",
            "custom_id": f"{video}/{task}",
            "response": {
                "status_code": 200,
                "body": {
                    "model": "gpt-4o-mini",
                    "choices": [
                        {"message": {"role": "assistant", "content": answer(video, task)}, "finish_reason": "stop"}
                    ],
                },
            },
            "error": None,
        }
        for number, (video, task) in enumerate((video, task) for task in TASKS for video in VIDEOS)
    ]


def conversations() -> Rows:
    return [
        {
            "id": number,
            "video": f"clips/{video}.mp4",
            "conversations": [
                {"from": "human", "value": f"<video>\n{QUESTIONS[task]}"},
                {"from": "gpt", "value": answer(video, task)},
            ],
        }
        for number, (video, task) in enumerate((video, task) for task in TASKS for video in VIDEOS)
    ]


def swift() -> Rows:
    return [
        {
            "response": answer(video, task),
            "labels": reference(video, task),
            "logprobs": None,
            "messages": [
                {"role": "user", "content": f"<video>{QUESTIONS[task]}"},
                {"role": "assistant", "content": answer(video, task)},
            ],
            "videos": [f"/data/{video}.mp4"],
        }
        for task in TASKS
        for video in VIDEOS
    ]


def llava() -> Rows:
    return [
        {"question_id": f"{video}-{task}", "prompt": QUESTIONS[task], "text": answer(video, task), "model_id": "llava"}
        for task in TASKS
        for video in VIDEOS
    ]  # fmt: skip


def parquet() -> bytes:
    import pyarrow
    import pyarrow.parquet

    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(long(video="video", answer="response", task="task")), content)
    return content.getvalue()


def said(row: dict[str, Any]) -> str:
    """Return the answer in a row of a batch's output."""
    return str(row["response"]["body"]["choices"][0]["message"]["content"])


def responses(row: dict[str, Any]) -> Rows:
    """Return the output of OpenAI's newer interface: a thought, then the message."""
    content = [{"type": "output_text", "text": said(row), "annotations": []}]
    return [
        {"type": "reasoning", "summary": []},
        {"type": "message", "status": "completed", "role": "assistant", "content": content},
    ]


CAUSES = {video: answer(video, "cause") for video in VIDEOS}

# Name of the shape -> name of its file, its content, and the tasks it answers.
SHAPES: dict[str, tuple[str, Callable[[], bytes], tuple[str, ...]]] = {
    "authors' rows": (
        "m_reason.json",
        lambda: as_json(long(["cause"], video="video_file", answer="output")),
        ("cause",),
    ),
    "authors' rows with task_type": (
        "answers.json",
        lambda: as_json(long(video="video_file", answer="output", task="task_type")),
        TASKS,
    ),
    "CUVA's rows": ("test_out.json", lambda: as_json(cuva_rows()), TASKS),
    "rows of other names": ("preds.json", lambda: as_json(long(video="video_name", answer="pred", task="task")), TASKS),
    "reference and prediction": (
        "out.json",
        lambda: as_json(long(video="video_name", reference="answer", answer="pred", task="task")),
        TASKS,
    ),
    "id to text": ("m_cause.json", lambda: as_json(CAUSES), ("cause",)),
    "id to task to text": (
        "m.json",
        lambda: as_json({video: {task: answer(video, task) for task in TASKS} for video in VIDEOS}),
        TASKS,
    ),
    "task to id to text": (
        "m2.json",
        lambda: as_json({task: {f"{video}.mp4": answer(video, task) for video in VIDEOS} for task in TASKS}),
        TASKS,
    ),
    "id to fields": (
        "m_cause2_cause.json",
        lambda: as_json({video: {"question": "Why?", "prediction": text} for video, text in CAUSES.items()}),
        ("cause",),
    ),
    "id to a list": (
        "m3.json",
        lambda: as_json({v: [{"task": t, "response": answer(v, t)} for t in TASKS] for v in VIDEOS}),
        TASKS,
    ),
    "rows in an envelope": (
        "m4.json",
        lambda: as_json({"model": "m", "task": "cause", "results": long(["cause"], video="video", answer="answer")}),
        ("cause",),
    ),
    "pairs": ("m_cause3_cause.json", lambda: as_json(list(CAUSES.items())), ("cause",)),
    "lists by column": (
        "m5.json",
        lambda: as_json({"video": [*VIDEOS], "task": ["cause"] * 3, "answer": [*CAUSES.values()]}),
        ("cause",),
    ),
    "JSON lines": ("m.jsonl", lambda: as_lines(long(video="video", answer="answer", task="task")), TASKS),
    "JSON lines by sample id": (
        "samples.jsonl",
        lambda: as_lines([{"id": f"{v}/{t}", "answer": answer(v, t)} for v in VIDEOS for t in TASKS]),
        TASKS,
    ),
    "CSV": ("m_cause.csv", lambda: as_table(long(["cause"], video="video", answer="answer")), ("cause",)),
    "CSV, a column a task": ("wide.csv", lambda: as_table(wide()), TASKS),
    "CSV with semicolons": ("m.csv", lambda: as_table(long(video="Video", answer="Answer", task="Task"), ";"), TASKS),
    "TSV": ("m.tsv", lambda: as_table(long(video="video id", answer="Model Output", task="Task"), "\t"), TASKS),
    "Excel's Unicode text": (
        "m.txt",
        lambda: as_table(long(video="video", answer="answer", task="task"), "\t").decode().encode("utf-16"),
        TASKS,
    ),
    "workbook": ("m.xlsx", lambda: as_workbook({"Sheet1": long(video="video", answer="answer", task="task")}), TASKS),
    "workbook, a column a task": ("wide.xlsx", lambda: as_workbook({"Sheet1": wide()}), TASKS),
    "workbook, a sheet a task": (
        "sheets.xlsx",
        lambda: as_workbook({task: long([task], video="video", answer="answer") for task in TASKS}),
        TASKS,
    ),
    "parquet": ("m.parquet", parquet, TASKS),
    "lmms-eval's samples": ("20260101_000000_samples_cuva_test.jsonl", lambda: as_lines(lmms_samples()), TASKS),
    "lmms-eval's older log": ("cuva_test.json", lambda: as_json(lmms_log()), TASKS),
    "VLMEvalKit's workbook": ("Qwen_ECVA.xlsx", lambda: as_workbook({"Sheet1": vlmevalkit()}), TASKS),
    "VLMEvalKit's TSV": ("Qwen_ECVA.tsv", lambda: as_table(vlmevalkit(), "\t"), TASKS),
    "VLMEvalKit's JSON": ("Qwen_ECVA.json", lambda: as_json(vlmevalkit()), TASKS),
    "inspect's JSON log": ("log.json", lambda: as_json({**INSPECT, "samples": inspect_samples()}), TASKS),
    "inspect's .eval log": ("log.eval", inspect_archive, TASKS),
    "OpenAI's batch output": ("batch_output.jsonl", lambda: as_lines(openai_batch()), TASKS),
    "LLaVA's conversations": ("conv.json", lambda: as_json(conversations()), TASKS),
    "LLaVA's answers": ("merge.jsonl", lambda: as_lines(llava()), TASKS),
    "ms-swift's results": ("infer.jsonl", lambda: as_lines(swift()), TASKS),
    "OpenAI's batch output of responses": (
        "responses.jsonl",
        lambda: as_lines([{**row, "response": {"body": {"output": responses(row)}}} for row in openai_batch()]),
        TASKS,
    ),
    "Anthropic's batch output": (
        "anthropic.jsonl",
        lambda: as_lines([
            {"custom_id": row["custom_id"], "result": {"type": "succeeded", "message": {
                "role": "assistant", "content": [{"type": "text", "text": said(row)}], "stop_reason": "end_turn"}}}
            for row in openai_batch()
        ]),
        TASKS,
    ),
    "Gemini's batch output": (
        "gemini.jsonl",
        lambda: as_lines([
            {"key": row["custom_id"], "response": {"candidates": [{"content": {"role": "model", "parts": [
                {"text": "Let me see.", "thought": True}, {"text": said(row)[:5]}, {"text": said(row)[5:]}]}}]}}
            for row in openai_batch()
        ]),
        TASKS,
    ),
    "LLaMA-Factory's predictions": (
        "generated_predictions_cause.jsonl",
        lambda: as_lines([{"prompt": "Why?", "predict": CAUSES[v], "label": reference(v, "cause")} for v in VIDEOS]),
        ("cause",),
    ),
    "HELM's states": (
        "scenario_state_cause.json",
        lambda: as_json({"adapter_spec": {"model": "m"}, "request_states": [
            {"instance": {"id": v, "input": {"text": "Why?"}}, "result": {"completions": [{"text": CAUSES[v]}]}}
            for v in VIDEOS
        ]}),
        ("cause",),
    ),
    "Markdown table": (
        "m_cause.md",
        lambda: "".join(["| video | answer |\n|:---|---|\n", *(f"| {v} | {CAUSES[v]} |\n" for v in VIDEOS)]).encode(),
        ("cause",),
    ),
    "lines of id and text": (
        "m_cause.txt",
        lambda: "".join(f"{v}.mp4: {CAUSES[v]}\n" for v in VIDEOS).encode(),
        ("cause",),
    ),
    "JSON lines, gzip": (
        "m.jsonl.gz",
        lambda: gzip.compress(as_lines(long(video="video", answer="answer", task="task"))),
        TASKS,
    ),
    "CSV, gzip": (
        "m_cause.csv.gz",
        lambda: gzip.compress(as_table(long(["cause"], video="video", answer="answer"))),
        ("cause",),
    ),
    "results by task in an envelope": (
        "m6.json",
        lambda: as_json({"model": "m", "results": {"cause": CAUSES}}),
        ("cause",),
    ),
    "CSV of Excel, semicolons and a mark": (
        "excel_cause.csv",
        lambda: b"\xef\xbb\xbf" + as_table(long(["cause"], video="video", answer="answer"), ";"),
        ("cause",),
    ),
    "UTF-16 without a mark": (
        "u16_cause.csv",
        lambda: as_table(long(["cause"], video="video", answer="answer")).decode().encode("utf-16-le"),
        ("cause",),
    ),
}  # fmt: skip


def write_shape(name: str, folder: Path) -> Path:
    """Write the answer file of a shape and return it."""
    file, content, _ = SHAPES[name]
    path = folder / file
    path.write_bytes(content())
    return path
