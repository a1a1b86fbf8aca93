"""What the page shows of one video and run, as JSON values.

A run's entry of a video is {tracks, said, severe, answers}: what the model was shown, the spans it named, the curve of
severity where it has one, and its answers by question (a task, or a task and a query's name: the sample's id without
the video) and view. An answer on the full video is a text with marked words; one on an edited view is its difference to
it. Of a question that was asked several times it is the first answer, with the others as `again`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..leaderboard.sheet import value_text
from ..reading.severities import read_severities
from ..reading.spans.reader import Span
from ..reading.text import join_descriptions
from ..reading.thoughts import final_answer_range, without_thought
from ..records import Annotation, Label
from ..records.annotations import LETTERS, question_of, sample_parts
from ..records.answers import Answer, Failure
from ..records.readings import Reading
from ..records.scores import Score
from ..taxonomy import TAXONOMY, load_taxonomy
from . import tracks
from .run import MetricKey, Run, column_label
from .verdicts import shown_verdicts
from .videos import class_in_words
from .words import content_words, marked_places, marked_words, shared_words, word_difference

# The tasks whose answers are texts that may state the annotated key sentences.
FREE_TEXT = ("description", "cause", "effect")
COVERAGE = "coverage"  # the judge's question which key sentences an answer states
DIGITS = 6


def run_entry(
    run: Run, answers: Sequence[Answer], failures: Iterable[Failure], places: Mapping[MetricKey, int]
) -> dict[str, Any]:
    """Return the entry of a run on one video, of which these are all answers and failures.

    `places` are the numbers by which the page knows its metrics.
    """
    begins = {answer.key: final_answer_range(answer.answer)[0] for answer in answers}
    answers = [_without_thought(answer) for answer in answers]
    answers.sort(key=lambda answer: sample_parts(answer.id).repeat)
    found: dict[str, dict[str, Any]] = {}
    full = {_question(answer): answer for answer in reversed(answers) if answer.view == "full"}
    answered = {(_question(answer), answer.view) for answer in answers}
    for failure in failures:
        if (_question(failure), failure.view) not in answered:
            said = {"stage": failure.stage, "error": failure.error, "message": failure.message}
            found.setdefault(_question(failure), {})[failure.view] = {"error": said}
    for answer in answers:
        scored = run.items.get((answer.id, answer.view), [])
        if first := found.get(_question(answer), {}).get(answer.view):
            first.setdefault("again", []).append(_again(run, answer, scored))
            continue
        entry = _scores(scored, places)
        if answer.view == "full" or _question(answer) not in full:
            entry |= _text(answer, [score for score, _ in scored], begins[answer.key])
        else:
            segments = word_difference(full[_question(answer)].answer, answer.answer)
            entry["difference"] = [operation + text for operation, text in segments]
        if reading := reading_of(scored):
            entry["reading"] = _shown(reading, answer)
        found.setdefault(_question(answer), {})[answer.view] = entry | _circumstances(answer)
    return {
        "tracks": [track | {"times": _rounded(track["times"])} for track in tracks.frame_tracks(answers)],
        "said": _spans(run, answers),
        **({"severe": severe} if (severe := _severities(run, answers)) else {}),
        "answers": found,
    }


def video_entry(video: str, answers: Sequence[Answer], annotation: Annotation | None) -> dict[str, Any]:
    """Return what is known of a video without any model: its tracks, and per task the reference and key sentences."""
    of_video = (answer.moments for answer in answers if answer.task != "grounding")  # those are a sentence's
    annotated = annotation.moments if annotation else next(filter(None, of_video), ())
    annotated_curve = annotation.severity_curve if annotation else ()
    queries = {query.name: query.text for query in annotation.queries} if annotation else {}
    return {
        "video": video,
        "end": round(tracks.axis_end(annotation, answers), 3),
        "moments": tracks.as_spans(annotated),
        "curve": next((answer.curve for answer in answers if answer.curve), annotated_curve),
        "tasks": {
            _question(answer): {
                "reference": _reference(answer, queries),
                "keys": answer.key_sentences if answer.task in FREE_TEXT else (),
                "asked": queries.get(_query(answer), ""),
            }
            for answer in reversed(answers)
        },
    }


def _again(run: Run, answer: Answer, scored: Iterable[tuple[Score, str]]) -> dict[str, Any]:
    """Return a further answer to a question: which sample it is, from 1, its text, and what it scores."""
    metrics = {metric.key: metric for metric in run.metrics}
    values = {}
    for score, protocol in scored:
        for name, value in score.values.items():
            column = column_label(name, protocol)
            if metric := metrics.get((score.task, score.scorer, column)):
                values[column] = f"{value_text(value, metric.unit, metric.decimals)} {metric.unit}"
    return {"sample": sample_parts(answer.id).repeat + 1, "answer": answer.answer, **values}


def _question(record: Answer | Failure) -> str:
    return question_of(record.id).removeprefix(f"{record.video}/")


def _query(answer: Answer) -> str:
    """Return the name of the query that an answer is to; empty where its task alone says what was asked."""
    return sample_parts(answer.id).name.partition("@")[0]


def _reference(answer: Answer, queries: Mapping[str, str]) -> str:
    """Return what an answer is held against: with the words of its query, and for a choice the options as shown."""
    asked = queries.get(_query(answer), "")
    options = [f"{letter}. {option}" for letter, option in zip(LETTERS, answer.options, strict=False)]
    if answer.task != "choice":
        named = answer.label if not answer.options and answer.label and answer.label.code == answer.reference else None
        text = join_descriptions(answer.reference) if answer.task == "description" else answer.reference
        return "\n".join(filter(None, [asked, _class(named) if named else text]))
    right = [text for text, option in zip(options, answer.options, strict=False) if option == answer.reference]
    return "\n".join([*filter(None, [asked]), *options, f"→ {' or '.join(right) or answer.reference}"])


def _without_thought(answer: Answer) -> Answer:
    """Return an answer with what is thought in its text among its steps, as runs of this version record it."""
    said, thought = without_thought(answer.answer)
    steps = {**(answer.steps or {}), "thought": thought} if thought else answer.steps
    return answer.model_copy(update={"answer": said, "steps": steps})


def _spans(run: Run, answers: Sequence[Answer]) -> tuple[Span, ...]:
    """Return the spans that answers name on the full video, as they were scored, else as they are read here."""
    for answer in answers:
        if (answer.task, answer.view) == ("timestamp", "full"):
            reading = reading_of(run.items.get((answer.id, answer.view), []))
            return reading.spans if reading else tracks.predicted_spans([answer], run.time_unit)
    return ()


def _severities(run: Run, answers: Sequence[Answer]) -> dict[str, Any]:
    """Return the curve that the answer about severity names on the full video, as it was scored, else as read here."""
    for answer in answers:
        if (answer.task, answer.view) == ("severity", "full"):
            reading = reading_of(run.items.get((answer.id, answer.view), []))
            found = reading or read_severities(answer.answer, unit=run.time_unit, duration=answer.duration)
            return tracks.predicted_severities(found)
    return {}


def reading_of(scored: Iterable[tuple[Score, str]]) -> Reading | None:
    """Return how an answer was read; under the standard protocol, where it was scored under several."""
    readings = [
        (protocol != "standard", n, score.reading) for n, (score, protocol) in enumerate(scored) if score.reading
    ]
    return min(readings, key=lambda one: one[:2])[2] if readings else None


def _shown(reading: Reading, answer: Answer) -> dict[str, Any]:
    """Return a reading as text: what was read, or why nothing was, by which rule, and what else was named."""
    values = [_class(label) for label in reading.labels if not answer.options]
    values += [_option(label.major, answer) for label in reading.labels if answer.options]
    values += [] if reading.yes is None else ["yes" if reading.yes else "no"]
    severities = [f": {severity:g}" for severity in reading.severities] or [""] * len(reading.spans)
    values += [f"{start:g} to {end:g} s{said}" for (start, end), said in zip(reading.spans, severities, strict=True)]
    values += [f"{start:g} to {end:g} s: not read" for start, end in reading.unparsed]
    shown = {"as": values, "status": reading.status, "rule": reading.rule, "by": reading.by, "others": reading.others}
    return {name: value for name, value in shown.items() if value}


def _class(label: Label) -> str:
    return class_in_words(label, load_taxonomy(TAXONOMY).describe)


def _option(number: int, answer: Answer) -> str:
    """Return an option as a question shows it: by a letter in a choice, by its number in a list of classes."""
    return f"{LETTERS[number - 1] if answer.task == 'choice' else number} {answer.options[number - 1]}"


def _text(answer: Answer, scores: Sequence[Score], begin: int) -> dict[str, Any]:
    """Return an answer's text with what it was read from marked, or words of the key sentences that it states.

    Of key sentences also which ones it states, and who decided that. `begin` is where the text begins in the record.
    """
    if places := next((score.reading.places for score in scores if score.reading), ()):
        return {"text": marked_places(answer.answer, [(start - begin, end - begin) for start, end in places])}
    if answer.task not in FREE_TEXT or not answer.key_sentences:
        return {"text": [answer.answer]}
    parts = [score.parts[COVERAGE] for score in scores if COVERAGE in score.parts]
    if parts and len(parts[0].values) == len(answer.key_sentences):
        by, found = "judge", list(parts[0].values)
    else:
        by, found = "words", list(map(float, shared_words(answer.key_sentences, answer.answer)))
    stated = [sentence for sentence, value in zip(answer.key_sentences, found, strict=True) if value]
    words = frozenset[str]().union(*map(content_words, stated))
    return {"text": marked_words(answer.answer, words), "found": found, "by": by}


def _scores(scored: Sequence[tuple[Score, str]], places: Mapping[MetricKey, int]) -> dict[str, Any]:
    """Return values and gaps by the number of the metric, and the judge's verdicts by `scorer/column`."""
    values: dict[int, float] = {}
    gaps: dict[int, str] = {}
    unscored: dict[str, str] = {}
    for score, protocol in scored:
        for name, value in score.values.items():
            if (place := places.get((score.task, score.scorer, column_label(name, protocol)))) is not None:
                values[place] = round(value, DIGITS)
        for name, why in score.gaps.items():
            if (place := places.get((score.task, score.scorer, column_label(name, protocol)))) is not None:
                gaps[place] = why
        if score.status == "unscored" and not score.gaps:
            unscored[score.scorer] = score.reason
    entry = {"scores": values, "gaps": gaps, "unscored": unscored, "judge": shown_verdicts(scored)}
    return {name: value for name, value in entry.items() if value}


def _circumstances(answer: Answer) -> dict[str, Any]:
    """Return how an answer was made: its steps, the time it took, and anything unusual."""
    noted: dict[str, Any] = {}
    if answer.finish != "stop":
        noted["finish"] = answer.finish
    if seconds := round(sum(answer.time.values()), 1):
        noted["seconds"] = seconds
    if answer.frames and (answer.frames.substituted or answer.frames.corrupt):
        noted["damaged"] = len(answer.frames.substituted) + len(answer.frames.corrupt)
    if answer.trained_on:
        noted["trained"] = True
    if answer.steps:
        noted["steps"] = answer.steps
    return noted


def _rounded(times: Iterable[float]) -> list[float]:
    return [round(seconds, 2) for seconds in times]
