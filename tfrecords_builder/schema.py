"""What a record holds: one table that writer and parser loop over.

An example is one utterance: the fields below and, under its name, each
feature of `tfrecords_builder.features.FEATURES` that was built.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfrecords_builder.features import FEATURES


@dataclass(frozen=True)
class Field:
    """One entry of an example.

    Attributes:
      name: key in the example.
      shape: shape of the array; `()` for one value.
      dtype: `string` (UTF-8), `int64`, or a NumPy dtype stored as raw
        little-endian bytes, which is read faster than a list of numbers.
      is_ragged: rows are stored as many as there are, up to any number, and
        zero-padded or cut to the shape when read.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    is_ragged: bool = False

    @property
    def is_array(self) -> bool:
        """Whether the value is stored as raw bytes."""
        return self.dtype not in ("string", "int64")


FIELDS = (
    Field("id", (), "string"),
    Field("speaker", (), "string"),
    Field("session", (), "string"),
    Field("label", (), "int64"),
)

# Rows of the sequence before padding.
LENGTH = "sequence_length"


def record_fields(features: Mapping[str, dict]) -> tuple[Field, ...]:
    """The whole table: `FIELDS` and a row for each feature.

    Args:
      features: feature name to its configuration's fields, as in
        `RecordsManifest.features`.
    """
    fields = list(FIELDS)
    for name, settings in features.items():
        shape = FEATURES[name](**settings).output_shape
        is_ragged = name == "sequence"
        fields.append(Field(name, shape, "float32", is_ragged))
        if is_ragged:
            fields.append(Field(LENGTH, (), "int64"))
    return tuple(fields)


def encode(fields: tuple[Field, ...], values: Mapping[str, object]) -> bytes:
    """Serialises one utterance; equal values give equal bytes.

    Raises:
      ValueError: for an array of another shape or dtype.
      KeyError: when a field has no value.
    """
    example = tf.train.Example()
    for field in fields:
        _put(example.features.feature[field.name], field, values[field.name])
    return example.SerializeToString(deterministic=True)


def _put(feature: tf.train.Feature, field: Field, value):
    if field.dtype == "string":
        feature.bytes_list.value.append(value.encode())
    elif field.dtype == "int64":
        feature.int64_list.value.append(value)
    else:
        array = np.asarray(value)
        shape = (array.shape[:1] if field.is_ragged else field.shape[:1]) + (
            field.shape[1:]
        )
        if array.shape != shape or array.dtype != field.dtype:
            raise ValueError(
                f"{field.name} must be {field.dtype} of shape {shape}. "
                f"Received: {array.dtype} of shape {array.shape}"
            )
        little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
        feature.bytes_list.value.append(little_endian.tobytes())


def parse(
    fields: tuple[Field, ...], serialized: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Parses a batch: `(batch,)` strings to `(batch, *shape)` tensors.

    Usable in `tf.data`. Leave features out of `fields` to skip them.
    """
    types = {
        field.name: tf.io.FixedLenFeature(
            (), tf.int64 if field.dtype == "int64" else tf.string
        )
        for field in fields
    }
    values = tf.io.parse_example(serialized, types)
    for field in fields:
        if field.is_array:
            size = math.prod(field.shape) * np.dtype(field.dtype).itemsize
            flat = tf.io.decode_raw(
                values[field.name],
                field.dtype,
                little_endian=True,
                fixed_length=size if field.is_ragged else None,
            )
            values[field.name] = tf.reshape(flat, (-1, *field.shape))
            if field.is_ragged and LENGTH in values:
                values[LENGTH] = tf.minimum(values[LENGTH], field.shape[0])
    return values
