"""How many answers are read as a careful reader reads them: by this harness, by itself before, by public extractors.

    python -m benchmarks.reading [--styles] [--failures] [--rounds 5]

Over the answers of `tests/reading/corpus` and, where they are at hand (`../shared/cases`, or the folder named by
`ECVA_CASES`), those of the cases `class_answers` and `span_answers`. "Other value" is the error that nobody notices:
a class or spans are read that the answer does not name. Then the time that an answer takes.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ecva_bench.reading.classes.reader import read_class
from ecva_bench.reading.spans.reader import read_spans
from ecva_bench.taxonomy import load_taxonomy
from tests.reading import answers
from tests.reading.answers import Answer, Value, verdict

from . import before, extractors

CASES = Path(os.environ.get("ECVA_CASES", Path(__file__).resolve().parents[2] / "shared" / "cases"))
OFFERED = load_taxonomy("cuva").classes
NAMES = {one.code: one.name for one in OFFERED}
Reader = Callable[[Answer], Value]
_uncached = getattr(read_class, "__wrapped__", read_class)  # an answer is timed as if it were new


def our_class(answer: Answer) -> Value:
    """Return the class that this harness reads."""
    reading = _uncached(answer.text, OFFERED)
    return reading.labels[0].major if reading.status == "read" else None


def our_spans(answer: Answer) -> Value:
    """Return the spans that this harness reads, in seconds."""
    reading = read_spans(answer.text, unit=answer.unit, duration=answer.duration, frame_rate=answer.frame_rate)
    return reading.spans if reading.status == "read" else ()


OURS = "this harness"
READERS: dict[str, dict[str, Reader]] = {
    "class": {
        OURS: our_class,
        "this harness, before": lambda answer: before.read_class(answer.text),
        "lmms-eval, MCQ": lambda answer: extractors.lmms_eval_mcq(answer.text, NAMES),
        "lmms-eval, MMMU": lambda answer: extractors.lmms_eval_mmmu(answer.text, NAMES),
        "VLMEvalKit": lambda answer: extractors.vlmevalkit(answer.text, NAMES),
    },
    "spans": {
        OURS: our_spans,
        "this harness, before": lambda answer: before.read_spans(answer.text, answer.unit),
        "lmms-eval, TimeLens": lambda answer: extractors.lmms_eval_timelens(answer.text),
        "lmms-eval, Charades-STA": lambda answer: extractors.lmms_eval_charades(answer.text),
        "Time-R1": lambda answer: extractors.time_r1(answer.text),
    },
}
PUBLIC = {"class": "lmms-eval, MCQ", "spans": "lmms-eval, TimeLens"}  # whose time ours is divided by


def collections(kind: str) -> dict[str, list[Answer]]:
    """Return the answers by collection: our own, and those of the case where it is at hand."""
    name = answers.FILES[kind]
    found = {
        f"tests/reading/corpus/{name}.json": answers.own(kind),
        f"tests/reading/corpus/unseen_{name}.json": answers.own(kind, unseen=True),
    }
    if (CASES / name).is_dir():
        found[f"cases/{name}"] = answers.of_case(CASES / name, kind)
    return found


def table(title: str, asked: list[Answer], readers: dict[str, Reader]) -> None:
    """Print how often each reader is right, reads another value, and reads nothing."""
    print(f"{title}, {len(asked)} answers\n")
    print(f"| {'reader':24s} | {'right':>13s} | {'other value':>13s} | {'unread':>13s} |")
    print(f"| {'---':24s} | {'---:':>13s} | {'---:':>13s} | {'---:':>13s} |")
    for name, reader in readers.items():
        count = Counter(verdict(answer.value, reader(answer)) for answer in asked)
        shares = (f"{count[key]:4d} ({count[key] / len(asked):6.1%})" for key in ("right", "other", "unread"))
        print(f"| {name:24s} | " + " | ".join(f"{share:>13s}" for share in shares) + " |")
    print()


def styles(asked: list[Answer], readers: dict[str, Reader]) -> None:
    """Print how many answers of each style each reader reads rightly."""
    print("| style, right | answers | " + " | ".join(readers) + " |")
    print("| --- |" + " ---: |" * (1 + len(readers)))
    for style in dict.fromkeys(answer.style for answer in asked):
        of_style = [answer for answer in asked if answer.style == style]
        right = (sum(verdict(one.value, reader(one)) == "right" for one in of_style) for reader in readers.values())
        print(f"| {style} | {len(of_style)} | " + " | ".join(map(str, right)) + " |")
    print()


def failures(asked: list[Answer], reader: Reader) -> None:
    """Print each answer that is not read rightly, with the value that is meant and the one that is read."""
    for answer in asked:
        read = reader(answer)
        if (said := verdict(answer.value, read)) != "right":
            print(f"{answer.id} {answer.style}, {said}: {answer.text!r}\n    meant {answer.value}, read {read}")
    print()


def subclasses(asked: list[Answer]) -> None:
    """Print how many of the sub-classes that are named are read."""
    deep = [answer for answer in asked if answer.sub]
    readings = [_uncached(answer.text, OFFERED) for answer in deep]
    right = sum(bool(r.labels) and r.labels[0].sub == answer.sub for r, answer in zip(readings, deep, strict=True))
    print(f"sub-classes read rightly: {right} of {len(deep)} that are named\n")


def timing(asked: list[Answer], readers: dict[str, Reader], public: str, rounds: int) -> None:
    """Print the CPU time that an answer takes, the best of some rounds taken in turn, and ours over a public one's."""
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(rounds):
        for name, reader in readers.items():
            started = time.process_time()
            for answer in asked:
                reader(answer)
            best[name] = min(best[name], (time.process_time() - started) / len(asked))
    print("CPU time per answer: " + ", ".join(f"{name} {1e6 * seconds:.0f} µs" for name, seconds in best.items()))
    print(f"{OURS} takes {best[OURS] / best[public]:.1f} times as long as {public}\n")


def main() -> None:
    """Print the tables of both kinds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--styles", action="store_true", help="count also by style of answer")
    parser.add_argument("--failures", action="store_true", help="list what this harness does not read rightly")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of timing")
    options = parser.parse_args()
    for kind, readers in READERS.items():
        found = collections(kind)
        for title, asked in found.items():
            table(title, asked, readers)
            if options.styles:
                styles(asked, readers)
            if options.failures:
                failures(asked, readers[OURS])
        everything = [answer for asked in found.values() for answer in asked]
        if kind == "class":
            subclasses(everything)
        timing(everything, readers, PUBLIC[kind], options.rounds)


if __name__ == "__main__":
    main()
