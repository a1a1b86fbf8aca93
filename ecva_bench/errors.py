"""Every exception this package raises on purpose.

    EcvaError
     ├── UsageError                a request that cannot be met as it stands: unknown name, bad option
     ├── DataError                 annotations that cannot be read at all (a bad row is a finding, not an error)
     ├── VideoError                a file that cannot be shown to a model; `code` is stable, for records and tests
     │    ├── VideoMissing         file_missing
     │    ├── VideoAmbiguous       file_ambiguous: two files may be the video
     │    ├── VideoEmpty           file_empty: zero bytes
     │    ├── NotAVideo            not_a_video: text, noise, an error page
     │    ├── StillImage           still_image
     │    ├── HeaderDamaged        header_damaged: a video once, but its index is cut off
     │    ├── NoVideoStream        no_video_stream: sound only
     │    ├── CodecUnsupported     codec_unsupported
     │    ├── VideoTooLarge        video_too_large: more pixels, frames or bytes than are read of any video
     │    ├── VideoFatal           video_fatal: runs were killed while they were at it
     │    ├── NoFrames             no_frames: nothing decodes, or an edit left nothing
     │    ├── VideoChanged         video_changed: the file on disk is not the one that was indexed
     │    ├── StorageTrouble       storage_trouble (retryable): a full disk, no permission, too many open files
     │    ├── ViewUnavailable      view_unavailable: the edit asked for cannot be made of this video
     │    ├── DecodeTimeout        decode_timeout (retryable)
     │    └── DecoderDied          decoder_died: the isolated decoder process crashed
     ├── CacheError                a folder of cached files that others may write to
     ├── CheckpointError           weights, or files beside them, that are not there or cannot be used
     ├── AdapterError              a model that could not be loaded or broke its interface
     │    ├── AnswerRefused        refusal: the model, or a content filter, refuses to answer a question
     │    ├── AnswerCutOff         cut_off: nothing but thoughts fitted into the most tokens of a reply
     │    ├── AnswerPending        the question waits for others, to be asked together: no failure
     │    ├── AnswerLost           no_answer (retryable): the model was asked and no answer came
     │    ├── ModelGone            no later question could be answered either: the run ends and can be resumed
     │    └── OutOfMemory          a model had too little memory for a batch of questions (retryable)
     ├── TrainingError             a training that cannot begin or go on: no samples, a loss that is no number
     ├── WorkerLost                worker processes or machines that died (retryable)
     ├── ResultsError              a results or scores file that cannot be used
     │    ├── ResultsBusy          another process writes it
     │    ├── SealBroken           it, or a submission, was changed since it was written; `line` is the first that was
     │    └── SpecMismatch         it belongs to a run with other settings
     ├── ScoringError              a score that cannot be computed for anyone (bad items are `unscored`, not errors)
     └── JudgeError                a judge that cannot be asked at all: no key, no such model, refused
          └── BudgetExhausted      the run's budget of money or tokens is used up; earlier replies are stored

    Terminated                    SIGTERM came; it is no `EcvaError`, so that nothing but the command itself takes it

Messages follow *what happened: to which file or record: what to do*.
"""

from __future__ import annotations

from typing import ClassVar


class EcvaError(Exception):
    """Base of all errors raised on purpose; its text can be shown to a user as it is.

    `code` names the cause in records, where that is more specific than the class; `retryable` says whether the same
    request may succeed when it is repeated.

    >>> import ecva_bench as eb

    >>> str(eb.EcvaError("a row is broken", "set.xlsx", "mend it"))
    'a row is broken: set.xlsx: mend it'
    """

    code: ClassVar[str] = ""
    retryable: ClassVar[bool] = False

    def __init__(self, what: str, where: object = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(": ".join(str(part) for part in (what, where, remedy) if part is not None))


class UsageError(EcvaError):
    """A request that cannot be met as it stands.

    >>> import ecva_bench as eb

    >>> try:
    ...     eb.run("moton")
    ... except eb.UsageError as error:
    ...     print(error.what)
    no model is called 'moton'
    """


class DataError(EcvaError):
    """Annotations that cannot be read at all.

    >>> import ecva_bench as eb

    >>> try:
    ...     eb.load_dataset("ecva:absent.xlsx")
    ... except eb.DataError as error:
    ...     print(error.where)
    absent.xlsx
    """


class VideoError(EcvaError):
    """A video that cannot be shown to a model. `code` names the cause."""

    code: ClassVar[str] = "video_error"


class VideoMissing(VideoError):
    """There is no such file."""

    code = "file_missing"


class VideoAmbiguous(VideoError):
    """Two files may be the video, and nothing tells which is."""

    code = "file_ambiguous"


class VideoEmpty(VideoError):
    """The file has zero bytes."""

    code = "file_empty"


class NotAVideo(VideoError):
    """The bytes are no known container: text, noise, a saved error page."""

    code = "not_a_video"


class StillImage(VideoError):
    """The file is a picture under a video's name."""

    code = "still_image"


class HeaderDamaged(VideoError):
    """A known container whose header or index is missing or cut off."""

    code = "header_damaged"


class NoVideoStream(VideoError):
    """A known container without moving pictures."""

    code = "no_video_stream"


class CodecUnsupported(VideoError):
    """The installed FFmpeg has no decoder for the stream."""

    code = "codec_unsupported"


class VideoTooLarge(VideoError):
    """It has more pixels a frame or more frames, or is asked for more frames at once, than this machine is to bear."""

    code = "video_too_large"


class VideoFatal(VideoError):
    """Runs were killed, or crashed, while they were at this video: it is not asked about until it is asked for."""

    code = "video_fatal"


class NoFrames(VideoError):
    """Nothing decodes, or an edit left no frame."""

    code = "no_frames"


class VideoChanged(VideoError):
    """The file on disk is not the one that was indexed."""

    code = "video_changed"


class StorageTrouble(VideoError):
    """The machine and not the file is at fault: a full disk, no permission, too many open files."""

    code = "storage_trouble"
    retryable = True


class ViewUnavailable(VideoError):
    """The edit asked for cannot be made of this video."""

    code = "view_unavailable"


class DecodeTimeout(VideoError):
    """Decoding took longer than its time limit."""

    code = "decode_timeout"
    retryable = True


class DecoderDied(VideoError):
    """The isolated decoder process crashed."""

    code = "decoder_died"


class CacheError(EcvaError):
    """Cached files that others may have written, so that what is in them cannot be taken for what was computed here."""


class CheckpointError(EcvaError):
    """Weights, or files beside them, that are not there or cannot be used: damaged, incomplete, another model's."""


class AdapterError(EcvaError):
    """A model that could not be loaded or broke the Adapter interface."""


class AnswerRefused(AdapterError):
    """The model, or a content filter, refuses to answer this question. Asking again would not help."""

    code = "refusal"


class AnswerCutOff(AdapterError):
    """The reply ended at its most tokens before an answer began. Asking again for as many would not help."""

    code = "cut_off"


class AnswerLost(AdapterError):
    """The model was asked, with retries, and no answer came: a server that is down, overloaded or too slow."""

    code = "no_answer"
    retryable = True


class AnswerPending(AdapterError):
    """The question waits for others, to be asked together; the answer is to be had later in the same run."""


class ModelGone(AdapterError):
    """No later question could be answered either: a rejected key, a budget that is used up, a server that died.

    It ends the run. The answers so far are in the results file, and the same command goes on from there.
    """


class OutOfMemory(AdapterError):
    """A model had too little memory for the questions it was asked together."""

    retryable = True


class TrainingError(EcvaError):
    """A training that cannot begin or go on."""


class WorkerLost(EcvaError):
    """Worker processes or machines died."""

    retryable = True


class ResultsError(EcvaError):
    """A results or scores file that cannot be used."""


class ResultsBusy(ResultsError):
    """Another process is writing the results file."""


class SealBroken(ResultsError):
    """A results or scores file, or a submission, that was changed since it was written: damaged, or edited.

    `line` is the first line that was, from 1; None for a submission.
    """

    def __init__(self, what: str, where: object = None, remedy: str | None = None, *, line: int | None = None) -> None:
        super().__init__(what, where, remedy)
        self.line = line


class SpecMismatch(ResultsError):
    """The results file belongs to a run with other settings."""


class ScoringError(EcvaError):
    """A score that cannot be computed for anyone."""


class JudgeError(EcvaError):
    """A judge that cannot be asked at all."""


class BudgetExhausted(JudgeError):
    """The budget of money or tokens is used up. Earlier replies are stored, and the same command goes on from there."""


class Terminated(BaseException):
    """SIGTERM came. No `SystemExit`, which a plug-in may raise, and no interrupt, which some commands wait for."""
