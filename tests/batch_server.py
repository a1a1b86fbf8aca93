"""OpenAI's files and batches on loopback, as its reference documents them, over any of the other servers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .judging.server import Fault, Outcome, Request, error
from .metering import Meter


class BatchMeter(Meter):
    """An endpoint with batches. A batch goes one state on each time it is looked at; its requests are then billed.

    `ends` is the state batches end with, and `lacking` how many requests of each are not answered by then. A request in
    which the text `filters` stands is turned down, one in which `thinks` stands gets nothing but thoughts, and all fail
    with the status `fails`, where that is not 0.
    """

    def __init__(self, model: str, answer: str = "", *, ends: str = "completed", lacking: int = 0) -> None:
        super().__init__(model, answer)
        self.ends, self.lacking, self.filters = ends, lacking, ""
        self.thinks = ""
        self.fails = 0
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.billed_half: list[tuple[int, int, int]] = []
        self.paths: list[str] = []

    def usd(self, input_: float, output: float, cached: float) -> float:
        whole = super().usd(input_, output, cached)
        half, self.usages = self.usages, self.billed_half
        in_batches = super().usd(input_, output, cached)
        self.usages = half
        return whole + in_batches / 2

    def outcome(self, request: Request) -> Fault:
        path = request.path.partition("?")[0]
        self.paths.append(path)
        if path == "/v1/chat/completions":
            return super().outcome(request)
        if path == "/v1/files":
            return Fault(body=self._uploaded(request))
        if path.startswith("/v1/files/") and path.endswith("/content"):
            return Fault(body=self.files[path.split("/")[3]])
        if path == "/v1/batches" and not request.raw:
            data = list(self.batches.values())
            return Fault(body={"object": "list", "data": data, "has_more": False, "first_id": None, "last_id": None})
        if path == "/v1/batches":
            return Fault(body=self._begun(json.loads(request.raw)))
        if path.startswith("/v1/batches/"):
            return Fault(body=self._looked_at(path.split("/")[3]))
        return Fault(404, error("no such path"))

    def said(self, request: Request) -> Outcome:
        reply = super().said(request)
        if self.thinks and self.thinks.encode() in request.raw:
            assert isinstance(reply, dict)
            reply["choices"][0] |= {"finish_reason": "length", "message": {"role": "assistant", "content": ""}}
        return reply

    def _uploaded(self, request: Request) -> dict[str, Any]:
        boundary = request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
        parts = [part.partition(b"\r\n\r\n") for part in request.raw.split(b"--" + boundary)]
        content = next(body for head, _, body in parts if b"filename=" in head).removesuffix(b"\r\n")
        assert any(b'name="purpose"' in head and body.strip() == b"batch" for head, _, body in parts)
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return {"id": name, "object": "file", "bytes": len(content), "created_at": 0, "filename": "b.jsonl",
                "purpose": "batch", "status": "processed"}  # fmt: skip

    def _begun(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        assert asked["endpoint"] == "/v1/chat/completions"
        assert asked["completion_window"] == "24h"
        name = f"batch_{len(self.batches)}"
        total = len(self.files[asked["input_file_id"]].splitlines())
        self.batches[name] = {
            "id": name, "object": "batch", "endpoint": asked["endpoint"], "completion_window": "24h", "created_at": 0,
            "input_file_id": asked["input_file_id"], "status": "validating", "errors": None, "output_file_id": None,
            "error_file_id": None, "request_counts": {"total": total, "completed": 0, "failed": 0},
        }  # fmt: skip
        return self.batches[name]

    def _looked_at(self, name: str) -> dict[str, Any]:
        batch = self.batches[name]
        if batch["status"] == "validating":
            batch["status"] = "failed" if self.ends == "failed" else "in_progress"
            if self.ends == "failed":
                batch["errors"] = {"object": "list", "data": [{"code": "invalid", "message": "line 1 is no request"}]}
        elif batch["status"] == "in_progress":
            self._end(batch)
        return batch

    def _end(self, batch: dict[str, Any]) -> None:
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        done: list[dict[str, Any]] = []
        for line in lines[: len(lines) - self.lacking]:
            assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
            raw = json.dumps(line["body"]).encode()
            if self.filters and self.filters.encode() in raw:
                status, said = 400, error("filtered", code="content_filter")
            elif self.fails:
                status, said = self.fails, error("out of credit")
            else:
                status, said = 200, self.said(Request(line["url"], {}, raw))
                self.billed_half.append(self.usages.pop())
            assert isinstance(said, Mapping)
            done.append({"id": "r", "custom_id": line["custom_id"], "error": None,
                         "response": {"status_code": status, "request_id": "q", "body": {**said}}})  # fmt: skip
        left = [{"id": "r", "custom_id": line["custom_id"], "response": None, "error": {"code": "batch_expired"}}
                for line in lines[len(lines) - self.lacking :]]  # fmt: skip
        batch["status"] = self.ends
        for field, results in (("output_file_id", done[::-1]), ("error_file_id", left)):
            if results:
                batch[field] = f"file-{len(self.files)}"
                self.files[batch[field]] = b"".join(json.dumps(result).encode() + b"\n" for result in results)
