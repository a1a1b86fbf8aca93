"""A folder that makes our questions a task of lmms-eval: `lmms_eval --include_path FOLDER --tasks NAME --log_samples`.

lmms-eval and this package need different versions of PyAV, so that no environment has both: the folder imports nothing
of ours. There the task says only which answers are not empty; the log it writes is imported and scored here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from ..errors import ResultsError
from ..writing import holds, write_whole
from .questions import FilmedSample

_YAML = """# Written by ecva-bench: lmms_eval --include_path FOLDER --tasks {name} --log_samples
task: {name}
dataset_path: json
dataset_kwargs:
  data_files: {questions}
test_split: train
output_type: generate_until
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_target: answer
process_results: !function utils.process_results
generation_kwargs:
  max_new_tokens: 1024
  temperature: 0
  do_sample: false
metric_list:
  - metric: ecva_answered
    aggregation: !function utils.share
    higher_is_better: true
metadata:
  version: 1
"""

_UTILS = '''"""Written by ecva-bench: shows a video's file and keeps the id of the question with the answer."""


def doc_to_visual(doc):
    return [doc["media"]]


def doc_to_text(doc, lmms_eval_specific_kwargs=None):
    return doc["question"]


def process_results(doc, results):
    own = {name: doc[name] for name in ("id", "video_name", "task", "options")}
    return {"ecva_answered": {**own, "prediction": results[0]}}


def share(results):
    return sum(bool(one["prediction"].strip()) for one in results) / len(results)
'''


def write_lmms_task(asked: Sequence[FilmedSample], name: str, folder: Path) -> list[Path]:
    """Write the task's folder and return its files; one that has them already stays.

    Raises `ResultsError` where the folder has something else, or is none.
    """
    rows = [
        {
            "id": one.sample.id,
            "video_name": one.sample.video,
            "media": str(one.media.resolve()),
            "task": one.sample.task,
            "question": one.sample.question,
            "answer": one.sample.reference,
            "options": json.dumps(one.sample.options, ensure_ascii=False),
        }
        for one in asked
    ]
    questions = folder / "questions.jsonl"
    texts = {
        questions: "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows),
        folder / f"{name}.yaml": _YAML.format(name=name, questions=json.dumps(str(questions.resolve()))),
        folder / "utils.py": _UTILS,
    }
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            if not all(holds(path, text) for path, text in texts.items()):
                raise ResultsError("something else has the name of the folder", folder, "name a new one with --out")
            return list(texts)
        for path, text in texts.items():
            write_whole(path, text)
    except OSError as error:
        raise ResultsError(f"the folder cannot be written ({error.strerror})", folder, "name another --out") from error
    return list(texts)
