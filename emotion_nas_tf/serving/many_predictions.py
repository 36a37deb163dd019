"""Predicts many recordings, to the console or into a table."""

import dataclasses
import sys
from collections.abc import Iterator, Sequence

from emotion_nas_tf.config import PredictConfig
from emotion_nas_tf.serving.model_folder import model_digest
from emotion_nas_tf.serving.prediction_table import PredictionTable, Row
from emotion_nas_tf.serving.predictor import Prediction, Predictor
from emotion_nas_tf.serving.progress import Progress
from emotion_nas_tf.serving.recordings import Recording
from tfrecords_builder.errors import WorkError

Answers = list[tuple[Recording, Prediction | WorkError]]


def print_lines(
    predictor: Predictor,
    recordings: Sequence[Recording],
    config: PredictConfig,
) -> int:
    """Prints a line for each recording; returns how many could not be heard.

    Those, and notes, go to standard error.
    """
    num_broken = 0
    for answers in _answers(predictor, recordings, config.batch_size):
        for recording, answer in answers:
            if isinstance(answer, WorkError):
                num_broken += 1
                _say(f"Skipped: {answer}")
                continue
            answer = dataclasses.replace(answer, path=recording.name)
            print(
                answer.to_json() if config.json else answer.to_line(),
                flush=True,
            )
            if answer.notes:
                _say(f"Note: {recording.name}: {'; '.join(answer.notes)}.")
    return num_broken


def write_table(
    predictor: Predictor,
    recordings: Sequence[Recording],
    config: PredictConfig,
) -> int:
    """Writes `config.output`; returns how many could not be heard.

    How far it is goes to standard error, the result in a sentence to standard
    output.

    Raises:
      UsageError: when the file is there and is no such table.
      OSError: when the disk is full; what was written is kept.
    """
    table = PredictionTable(
        config.output, predictor.columns, model_digest(config.model)
    )
    left = table.open(recordings)
    kept = len(recordings) - len(left)
    if kept:
        _say(f"{kept} of {len(recordings)} rows are there already.")
    progress, num_broken = Progress(len(left), say=_say), 0
    for answers in _answers(predictor, left, config.batch_size):
        table.add((recording, _row(answer)) for recording, answer in answers)
        heard = [a for _, a in answers if isinstance(a, Prediction)]
        num_broken += len(answers) - len(heard)
        progress.add(len(answers), sum(each.heard_seconds for each in heard))
    table.finish(recordings)
    print(
        f"{config.output}: {len(recordings)} rows, {len(left)} of them new"
        + (f" ({progress.to_text()})" if left else "")
        + ".",
        flush=True,
    )
    return num_broken


def _answers(
    predictor: Predictor, recordings: Sequence[Recording], batch_size: int
) -> Iterator[Answers]:
    """The answers in the recordings' order, some at a time."""
    waiting = iter(recordings)
    paths = [each.path for each in recordings]
    for answers in predictor.predict_many(paths, batch_size):
        yield [(next(waiting), answer) for answer in answers]


def _row(answer: Prediction | WorkError) -> Row:
    if isinstance(answer, WorkError):
        return {"error": str(answer)}
    return answer.to_row()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
