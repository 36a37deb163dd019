"""WAV files read inside a model: the operations of a served endpoint.

TensorFlow's own reader takes 16-bit samples only and says nothing of the rate.
Here: RIFF files of 8-, 16-, 24- and 32-bit integers and 32-bit floats, also in
the extensible form, any number of channels (their mean is heard), one sample
rate. Anything else is refused by a sentence, as an InvalidArgument error.
"""

import tensorflow as tf

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
_CHUNK_HEADER = 8
# A file of nothing but empty chunks must not keep a server busy.
_MAX_CHUNKS = 1_000
# Of `fmt `: enough for the number of the format in an extensible one.
_FORMAT_BYTES, _EXTENSIBLE_BYTES = 16, 26


def decode_batch(
    files: tf.Tensor, sample_rate_hz: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """(batch,) contents of WAV files to waveforms.

    Returns:
      (batch, samples) float32, zeros after the end of a shorter one, and
      (batch,) int32 samples of each.
    """
    ragged = tf.map_fn(
        lambda content: decode(content, sample_rate_hz),
        files,
        fn_output_signature=tf.RaggedTensorSpec((None,), tf.float32),
    )
    lengths = tf.cast(ragged.row_lengths(), tf.int32)
    return ragged.to_tensor(), lengths


def decode(content: tf.Tensor, sample_rate_hz: int) -> tf.Tensor:
    """A WAV file's bytes to (samples,) float32 in [-1, 1], mono.

    Raises, when it runs:
      tf.errors.InvalidArgumentError: for anything but a WAV file of
        `sample_rate_hz` with samples, all of them finite.
    """
    size = tf.strings.length(content)
    start = tf.strings.join([content, "\0" * 12])
    is_riff = tf.logical_and(
        tf.equal(tf.strings.substr(start, 0, 4), b"RIFF"),
        tf.equal(tf.strings.substr(start, 8, 4), b"WAVE"),
    )
    with tf.control_dependencies(
        [
            _demand(
                tf.logical_and(size >= 12, is_riff),
                "These bytes are no WAV file: they do not begin with RIFF and "
                "WAVE.",
            )
        ]
    ):
        format_at, data_at, data_size = _find_chunks(tf.identity(content))
    with tf.control_dependencies(
        [
            _demand(
                tf.logical_and(format_at > 0, data_at > 0),
                "The WAV file is damaged: it has no format or no samples.",
            )
        ]
    ):
        header = _bytes(
            tf.strings.substr(content, format_at, _EXTENSIBLE_BYTES)
        )
        header = tf.pad(header, [[0, _EXTENSIBLE_BYTES - tf.size(header)]])
    kind, channels = _number(header, 0, 2), _number(header, 2, 2)
    rate, bits = _number(header, 4, 4), _number(header, 14, 2)
    kind = tf.where(kind == EXTENSIBLE, _number(header, 24, 2), kind)
    checks = [
        _demand(
            rate == sample_rate_hz,
            f"This model hears audio of {sample_rate_hz} Hz; the WAV file has "
            "{} Hz. Resample it first.",
            rate,
        ),
        _demand(
            tf.logical_or(
                tf.logical_and(
                    kind == PCM, tf.reduce_any(bits == [8, 16, 24, 32])
                ),
                tf.logical_and(kind == FLOAT, bits == 32),
            ),
            "This model reads WAV files of 8-, 16-, 24- or 32-bit integers "
            "or 32-bit floats; this one has format {} with {} bits.",
            kind,
            bits,
        ),
        _demand(channels > 0, "The WAV file has no channel."),
    ]
    with tf.control_dependencies(checks):
        frame = tf.maximum(channels * bits // 8, 1)
        # A header may promise more than there is.
        present = tf.minimum(data_size, tf.cast(size, tf.int64) - data_at)
        present -= present % tf.cast(frame, tf.int64)
        data = tf.strings.substr(content, data_at, present)
    samples = _to_float(data, kind, bits)
    samples = tf.reshape(samples, (-1, tf.maximum(channels, 1)))
    with tf.control_dependencies(
        [
            _demand(present > 0, "The WAV file holds no samples."),
            _demand(
                tf.reduce_all(tf.math.is_finite(samples)),
                "The WAV file holds samples that are not finite numbers.",
            ),
        ]
    ):
        return tf.reduce_mean(tf.clip_by_value(samples, -1.0, 1.0), 1)


def _find_chunks(
    content: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Where the format and the samples begin, and how many bytes these are.

    0 for what is not there. The search ends with the samples.
    """
    size = tf.cast(tf.strings.length(content), tf.int64)
    zero = tf.constant(0, tf.int64)

    def body(at, format_at, data_at, data_size):
        name = tf.strings.substr(content, at, 4)
        length = _number(_bytes(tf.strings.substr(content, at + 4, 4)), 0, 4)
        length = tf.cast(length, tf.int64)
        start = at + _CHUNK_HEADER
        is_format = tf.logical_and(name == b"fmt ", length >= _FORMAT_BYTES)
        is_data = name == b"data"
        return (
            # Chunks begin at even places.
            start + length + length % 2,
            tf.where(is_format, start, format_at),
            tf.where(is_data, start, data_at),
            tf.where(is_data, length, data_size),
        )

    _, format_at, data_at, data_size = tf.while_loop(
        lambda at, _, data_at, __: tf.logical_and(
            at + _CHUNK_HEADER <= size, data_at == 0
        ),
        body,
        (zero + 12, zero, zero, zero),
        parallel_iterations=1,
        maximum_iterations=_MAX_CHUNKS,
    )
    return format_at, data_at, data_size


def _to_float(data: tf.Tensor, kind: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    def integers(dtype: tf.DType) -> tf.Tensor:
        return tf.cast(tf.io.decode_raw(data, dtype), tf.float32)

    def of_24_bits() -> tf.Tensor:
        triples = tf.cast(tf.reshape(_bytes(data), (-1, 3)), tf.int32)
        values = tf.reduce_sum(triples * [1 << 8, 1 << 16, 1 << 24], 1)
        return tf.cast(values, tf.float32) / 2.0**31

    which = tf.where(kind == FLOAT, 4, tf.cast(bits // 8 - 1, tf.int32))
    return tf.switch_case(
        which,
        [
            # 8 bits are unsigned in WAV.
            lambda: (integers(tf.uint8) - 128) / 2.0**7,
            lambda: integers(tf.int16) / 2.0**15,
            of_24_bits,
            lambda: integers(tf.int32) / 2.0**31,
            lambda: tf.io.decode_raw(data, tf.float32),
        ],
    )


def _bytes(content: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_raw(content, tf.uint8)


def _number(values: tf.Tensor, start: int, count: int) -> tf.Tensor:
    """An unsigned little-endian number, int64."""
    digits = tf.cast(values[start : start + count], tf.int64)
    return tf.reduce_sum(digits * [1 << (8 * i) for i in range(count)])


def _demand(condition: tf.Tensor, sentence: str, *values) -> tf.Operation:
    text = tf.strings.format(sentence, values) if values else sentence
    return tf.debugging.Assert(condition, [text])
