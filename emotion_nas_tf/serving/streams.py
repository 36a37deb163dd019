"""What a served model consists of: streams and, over them, a fusion.

    waveform -> features -> network -> probabilities      a stream
                        probabilities of all -> fused     the fusion

Everything is TensorFlow operations, so that it can be part of a SavedModel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

# (batch, samples) float32 and (batch,) int32 real samples, to the network's
# input.
Features = Callable[[tf.Tensor, tf.Tensor], Any]
# Per-stream probabilities, (batch, K) each, to (batch, K).
Fuse = Callable[[Sequence[tf.Tensor]], tf.Tensor]


@dataclass(frozen=True, eq=False)
class Stream:
    """One branch: its front end and its network.

    Attributes:
      name: one of `systems.STREAMS`.
      system: which network it is, one of `systems.SYSTEMS`.
      features: the front end.
      network: from features to logits.
      heard_samples: how many samples, from the start, reach the network.
      description: what the model carries about it, JSON values; its
        `fingerprint` is the front end's.
      reference: the same by the way of training: a waveform (samples,),
        through the records' features and the trained network, to (K,).
      variables: of front end and network.
    """

    name: str
    system: str
    features: Features
    network: Callable[..., tf.Tensor]
    heard_samples: int
    description: dict
    reference: Callable[[np.ndarray], np.ndarray]
    variables: Sequence[tf.Variable] = ()

    def probabilities(
        self, waveform: tf.Tensor, num_samples: tf.Tensor
    ) -> tf.Tensor:
        """(batch, K) of waveforms, see `Features`."""
        features = self.features(waveform, num_samples)
        return tf.nn.softmax(self.network(features, training=False))


@dataclass(frozen=True, eq=False)
class Fusion:
    """What makes one answer of several.

    Attributes:
      system: which it is, e.g. `fusion_mean`.
      fuse: see `Fuse`; the streams' order is the model's.
      reference: the same by the way of evaluation, (n, K) each to (n, K).
      description: what the model carries about it, JSON values.
      variables: its own.
    """

    system: str
    fuse: Fuse
    reference: Callable[[Sequence[np.ndarray]], np.ndarray]
    description: dict
    variables: Sequence[tf.Variable] = ()


@dataclass(frozen=True, eq=False)
class ServedModel:
    """All that is exported.

    Attributes:
      system: what was asked for: a stream's or a fusion's.
      label_names: the classes, in the order of the probabilities.
      sample_rate_hz: of the waveforms.
      streams: one or more.
      fusion: of several; None with one.
    """

    system: str
    label_names: tuple[str, ...]
    sample_rate_hz: int
    streams: tuple[Stream, ...]
    fusion: Fusion | None = None

    def __post_init__(self):
        if (self.fusion is None) != (len(self.streams) == 1):
            raise ValueError("several streams need a fusion, and one none")

    @property
    def heard_samples(self) -> int:
        """How many samples, from the start, reach any network."""
        return max(stream.heard_samples for stream in self.streams)

    @property
    def variables(self) -> list[tf.Variable]:
        """Of every part."""
        parts = [*self.streams, *([self.fusion] if self.fusion else [])]
        return [variable for part in parts for variable in part.variables]

    def answer(
        self, waveform: tf.Tensor, num_samples: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """(batch, K) `probabilities`; of streams too, if several.

        Args:
          waveform: (batch, samples) float32; what follows an utterance's real
            samples changes nothing.
          num_samples: (batch,) int32, real samples of each.
        """
        num_samples = tf.clip_by_value(num_samples, 0, tf.shape(waveform)[1])
        waveform = waveform[:, : self.heard_samples]
        num_samples = tf.minimum(num_samples, tf.shape(waveform)[1])
        real = tf.sequence_mask(num_samples, tf.shape(waveform)[1])
        waveform = tf.where(real, waveform, tf.zeros_like(waveform))
        answers = [
            stream.probabilities(waveform, num_samples)
            for stream in self.streams
        ]
        if self.fusion is None:
            return {"probabilities": answers[0]}
        named = {
            output_name(stream.name): answer
            for stream, answer in zip(self.streams, answers, strict=True)
        }
        return {"probabilities": self.fusion.fuse(answers), **named}

    def reference(
        self, waveforms: Sequence[np.ndarray]
    ) -> dict[str, np.ndarray]:
        """What `answer` must be, see `Stream.reference`: (n, K) each."""
        each = [
            np.stack([stream.reference(waveform) for waveform in waveforms])
            for stream in self.streams
        ]
        if self.fusion is None:
            return {"probabilities": each[0]}
        names = [output_name(stream.name) for stream in self.streams]
        return {
            "probabilities": self.fusion.reference(each),
            **dict(zip(names, each, strict=True)),
        }

    def to_text(self) -> str:
        """What is in it, for people."""
        parts = [f"{each.name}: {each.system}" for each in self.streams]
        parts += [f"fusion: {self.fusion.system}"] if self.fusion else []
        return ", ".join(parts)


def output_name(stream: str) -> str:
    """What a stream's own probabilities are called in the model's answer."""
    return f"{stream}_probabilities"
