"""Predicts emotions of audio files with an exported model alone."""

import itertools
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import joblib
import numpy as np
import tensorflow as tf

from emotion_nas_tf.serving.metadata import read_metadata
from emotion_nas_tf.serving.model_folder import check_model_folder
from emotion_nas_tf.serving.streams import output_name
from tfrecords_builder.audio import Audio, AudioError, load_audio
from tfrecords_builder.errors import UsageError, WorkError

# Beyond what the model hears, so that resampling has no edge within it.
_MARGIN_SECONDS = 1.0


@dataclass(frozen=True)
class Prediction:
    """What the model hears in one file.

    Attributes:
      path: the file, as it was named.
      label: the most probable class.
      probabilities: of every class, in the model's order.
      duration_seconds: length of the file.
      heard_seconds: how much of it, from the start, the model hears.
      notes: what makes the answer doubtful, in words.
      streams: each stream's own probabilities, where there are several.
    """

    path: str
    label: str
    probabilities: dict[str, float]
    duration_seconds: float
    heard_seconds: float
    notes: tuple[str, ...] = ()
    streams: dict[str, dict[str, float]] = field(default_factory=dict)

    def to_line(self) -> str:
        """One line: path, label and probabilities, separated by tabs."""
        parts = [self.path, self.label, _shares(self.probabilities)]
        parts += [
            f"{name}: {_shares(probabilities)}"
            for name, probabilities in self.streams.items()
        ]
        return "\t".join(parts)

    def to_json(self) -> str:
        """One line of JSON."""
        fields = {
            "path": self.path,
            "label": self.label,
            "probabilities": self.probabilities,
            "duration_seconds": self.duration_seconds,
            "heard_seconds": self.heard_seconds,
        }
        if self.streams:
            fields["streams"] = self.streams
        return json.dumps(fields, ensure_ascii=False)

    def to_row(self) -> dict[str, str]:
        """Values of a `PredictionTable`'s row."""
        return {
            "predicted": self.label,
            **{
                column_name(label, stream): f"{value:.6f}"
                for stream, values in {
                    "": self.probabilities,
                    **self.streams,
                }.items()
                for label, value in values.items()
            },
            "seconds": f"{self.duration_seconds:.3f}",
            "heard_seconds": f"{self.heard_seconds:.3f}",
            "warnings": "; ".join(self.notes),
        }


def column_name(label: str, stream: str = "") -> str:
    """Of a class' probability in a table."""
    return f"p_{stream}_{label}" if stream else f"p_{label}"


class Predictor:
    """An exported model, loaded.

    Args:
      model: the SavedModel's folder.

    Raises:
      UsageError: when there is none, it is damaged, or this project did not
        export it.
    """

    def __init__(self, model: Path):
        self._model = _load(Path(model))
        self.metadata = read_metadata(self._model, Path(model))
        heard = [
            stream["heard_seconds"]
            for stream in self.metadata["streams"].values()
        ]
        self._longest, self._shortest = max(heard), min(heard)

    @property
    def label_names(self) -> list[str]:
        """The classes, in the order of the probabilities."""
        return self.metadata["label_names"]

    @property
    def stream_names(self) -> list[str]:
        """The streams with answers of their own: none, or more than one."""
        names = list(self.metadata["streams"])
        return names if len(names) > 1 else []

    @property
    def columns(self) -> tuple[str, ...]:
        """Of `Prediction.to_row`: the probabilities."""
        return tuple(
            column_name(label, stream)
            for stream in ("", *self.stream_names)
            for label in self.label_names
        )

    def predict(self, path: str | Path) -> Prediction:
        """Hears one file of any sample rate.

        Raises:
          AudioError: when the file holds no usable audio.
          WorkError: when the model's answer is not a number.
        """
        [answer] = self._predict([self._read(path)])
        if isinstance(answer, WorkError):
            raise answer
        return answer

    def predict_many(
        self, paths: Iterable[str | Path], batch_size: int = 16
    ) -> Iterator[list[Prediction | WorkError]]:
        """Hears many files, some at a time, while the next are being read.

        Args:
          paths: the files.
          batch_size: utterances computed together, those of like lengths.

        Yields:
          The predictions, or errors, of the next files, in their order.
        """
        paths = iter(paths)
        window = 2 * batch_size
        pool = ThreadPoolExecutor(joblib.cpu_count())
        waiting: deque[Future] = deque()
        try:
            while True:
                missing = 2 * window - len(waiting)
                waiting.extend(
                    pool.submit(self._try_to_read, path)
                    for path in itertools.islice(paths, missing)
                )
                if not waiting:
                    return
                read = [
                    waiting.popleft().result()
                    for _ in range(min(window, len(waiting)))
                ]
                yield self._predict_window(read, batch_size)
        finally:
            # Not to read on after Ctrl-C.
            pool.shutdown(wait=False, cancel_futures=True)

    def _predict_window(
        self, read: Sequence[tuple[str, Audio] | AudioError], batch_size: int
    ) -> list[Prediction | WorkError]:
        answers: list = list(read)
        places = [i for i, each in enumerate(read) if isinstance(each, tuple)]
        # Of like lengths: a batch is as long as its longest.
        places.sort(key=lambda place: len(read[place][1].waveform))
        for start in range(0, len(places), batch_size):
            batch = places[start : start + batch_size]
            for place, answer in zip(
                batch, self._predict([read[i] for i in batch]), strict=True
            ):
                answers[place] = answer
        return answers

    def _try_to_read(self, path: str | Path) -> tuple[str, Audio] | AudioError:
        try:
            return self._read(path)
        except AudioError as error:
            return error

    def _read(self, path: str | Path) -> tuple[str, Audio]:
        if Path(path).is_dir():
            raise AudioError(
                f"{path} is a folder; name audio files.", "unreadable"
            )
        audio = load_audio(
            path,
            self.metadata["sample_rate_hz"],
            self._longest + _MARGIN_SECONDS,
        )
        return str(path), audio

    def _predict(
        self, read: Sequence[tuple[str, Audio]]
    ) -> list[Prediction | WorkError]:
        rate = self.metadata["sample_rate_hz"]
        longest = round(self._longest * rate)
        waveforms = [audio.waveform[:longest] for _, audio in read]
        answers = self._ask(waveforms)
        predictions: list[Prediction | WorkError] = []
        for i, (path, audio) in enumerate(read):
            rows = {name: values[i] for name, values in answers.items()}
            if not all(np.isfinite(row).all() for row in rows.values()):
                predictions.append(
                    WorkError(f"{path}: the model answers with NaN.")
                )
                continue
            predictions.append(self._prediction(path, audio, rows))
        return predictions

    def _ask(self, waveforms: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        lengths = np.array([len(each) for each in waveforms], np.int32)
        batch = np.zeros((len(waveforms), lengths.max()), np.float32)
        for row, waveform in zip(batch, waveforms, strict=True):
            row[: len(waveform)] = waveform
        signatures = self._model.signatures
        if "padded" in signatures:
            answer = signatures["padded"](
                waveform=tf.constant(batch), num_samples=tf.constant(lengths)
            )
        else:
            # Models from before there were several streams take any padding.
            answer = signatures["serving_default"](waveform=tf.constant(batch))
        return {name: value.numpy() for name, value in answer.items()}

    def _prediction(
        self, path: str, audio: Audio, rows: dict[str, np.ndarray]
    ) -> Prediction:
        def named(values: np.ndarray) -> dict[str, float]:
            return {
                name: float(value)
                for name, value in zip(self.label_names, values, strict=True)
            }

        values = rows["probabilities"]
        return Prediction(
            path=path,
            label=self.label_names[int(values.argmax())],
            probabilities=named(values),
            duration_seconds=audio.duration_seconds,
            heard_seconds=min(audio.duration_seconds, self._longest),
            notes=self._notes(audio),
            streams={
                name: named(rows[output_name(name)])
                for name in self.stream_names
            },
        )

    def _notes(self, audio: Audio) -> tuple[str, ...]:
        """What the user should know before believing the answer."""
        duration = audio.duration_seconds
        heard = " and ".join(
            f"{stream['heard_seconds']:.3g} s"
            + (f" ({name})" if self.stream_names else "")
            for name, stream in self.metadata["streams"].items()
        )
        facts = {
            "it is silent": audio.silent,
            "it is very quiet": audio.very_quiet,
            "it is clipped": audio.clipped,
            f"it lasts {duration:.1f} s, only the first {heard} are heard": (
                duration > self._shortest
            ),
        }
        return tuple(note for note, is_so in facts.items() if is_so)


def _shares(probabilities: dict[str, float]) -> str:
    return " ".join(f"{k}={v:.3f}" for k, v in probabilities.items())


def _load(model: Path):
    check_model_folder(model)
    try:
        return tf.saved_model.load(str(model))
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"The model in {model} is damaged ({reason}). Export it again."
        ) from None
