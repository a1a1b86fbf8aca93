"""How many planted answers `ecva-bench audit` finds, and how many honest ones it names: no more than one may be.

    python -m benchmarks.answer_audit [--seed 0]

Honest answers are those that the authors released (`../shared/data`, or the folder named by `ECVA_DATA`), and those of
a model that looks at pixels to the rendered videos of `mini`. Forms that were at hand when the rules were made, and
forms that were written afterwards, are counted apart.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ecva_bench.data import load_dataset
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.journal.results import read_results
from ecva_bench.records.answers import Results
from tests.answer_audit import plants
from tests.answer_audit.planting import Count, copies_found, false_alarms, labels_found, words_to_a_judge_found
from tests.verification.cheats import CI

CASES = 200  # of each form of a copy
ENTRIES = 40  # of each form of a label
DATA = Path(os.environ.get("ECVA_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "ecva"


def released() -> list[Results]:
    dataset = load_dataset("ecva", DATA / "annotations.xlsx")
    files = sorted((DATA / "answers").glob("*.json"))
    return [import_answers([AnswerSource(file)], dataset).results() for file in files]


def show(title: str, counts: list[Count]) -> None:
    found, planted = (sum(one[place] for one in counts) for place in (1, 2))
    print(f"{title}: {found} of {planted}, {100 * found / planted:.1f} %")
    for one in counts:
        print(f"  {one.form}: {one.found} of {one.planted}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    runs = released() if DATA.is_dir() else []
    mini = [read_results(CI / f"{name}.jsonl") for name in ("motion", "constant", "second-round")]
    for run in (*runs, *mini):
        print(f"false alarms: {run.name}: {false_alarms(run)} of {len(run.answers)} answers")
    texts = {
        run.name: [one for one in run.answers if one.view == "full" and one.task in WORDS] for run in (*runs, mini[0])
    }
    for name, answers in texts.items():
        if not answers:
            continue
        for half, forms in (("first", plants.FIRST_COPIES), ("held out", plants.HELD_OUT_COPIES)):
            show(f"copies, {half} forms, in {name}", copies_found(answers, forms, CASES, seed))
        for half, ways in (
            ("first", plants.FIRST_WAYS),
            ("held_out", plants.HELD_OUT_WAYS),
            ("untouched", plants.HELD_OUT_WAYS),
        ):
            show(
                f"words to a judge, {half}, in {name}",
                words_to_a_judge_found(answers, plants.judge_texts(half), ways, seed),
            )
    for run in runs:
        if run.answers[0].task == "classification":
            for half, kinds in (("first", plants.FIRST_LABELS), ("held out", plants.HELD_OUT_LABELS)):
                show(f"labels, {half} forms, entries of {run.name}", labels_found(run, kinds, ENTRIES, seed))


WORDS = ("cause", "description", "effect")

if __name__ == "__main__":
    main()
