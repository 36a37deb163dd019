"""WAV files read by operations, against libsndfile; and what is refused."""

import io

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from emotion_nas_tf.serving import wav

RATE = 16_000


@pytest.fixture(scope="module")
def decode():
    return tf.function(
        lambda files: wav.decode_batch(files, RATE),
        input_signature=[tf.TensorSpec((None,), tf.string)],
        autograph=False,
    )


def samples(count=50, channels=2):
    generator = np.random.default_rng(0)
    return generator.uniform(-0.9, 0.9, (count, channels)).astype(np.float32)


def encode(audio, rate=RATE, subtype="PCM_16", form="WAV"):
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate, subtype=subtype, format=form)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"]
)
def test_reads_what_libsndfile_writes(decode, subtype, form):
    content = encode(samples(), subtype=subtype, form=form)
    expected, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    waveform, lengths = decode([content])
    np.testing.assert_allclose(waveform[0], expected.mean(1), atol=1e-7)
    assert lengths.numpy().tolist() == [50]


def test_files_of_different_lengths_are_padded(decode):
    short, long = encode(samples(3, 1)), encode(samples(7, 4))
    waveform, lengths = decode([short, long])
    assert lengths.numpy().tolist() == [3, 7]
    assert waveform.shape == (2, 7)
    np.testing.assert_array_equal(waveform[0, 3:], 0)


def test_takes_what_is_there_of_a_header_that_promises_more(decode):
    content = bytearray(encode(samples()))
    # An odd chunk before the others, and a length nobody knew when it began.
    size = content.index(b"data") + 4
    content[size : size + 4] = b"\xff" * 4
    content[12:12] = b"LIST\x03\x00\x00\x00abc\x00"
    _, lengths = decode([bytes(content)])
    assert lengths.numpy().tolist() == [50]


WHOLE = encode(samples(20, 1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            encode(samples(), 44_100),
            "This model hears audio of 16000 Hz; the WAV file has 44100 Hz. "
            "Resample it first.",
        ),
        (encode(samples(), subtype="ULAW"), "this one has format 7 with 8 bi"),
        (encode(samples(), subtype="DOUBLE"), "has format 3 with 64 bits"),
        (encode(samples(), form="FLAC"), "These bytes are no WAV file"),
        (b"", "These bytes are no WAV file"),
        (b"RIFF", "These bytes are no WAV file"),
        (WHOLE[:12], "no format or no samples"),
        (WHOLE[:30], "no format or no samples"),
        (WHOLE[:44], "holds no samples"),
        (WHOLE[:45], "holds no samples"),
        (b"RIFF\0\0\0\0WAVE" + b"\xff" * 99, "no format or no samples"),
        # A million empty chunks.
        (b"RIFF\0\0\0\0WAVE" + bytes(8_000_000), "no format or no samples"),
        (WHOLE[:22] + b"\0\0" + WHOLE[24:], "has no channel"),
        (WHOLE[:22] + b"\xff\xff" + WHOLE[24:], "holds no samples"),
        (
            encode(np.full(9, np.nan, np.float32), subtype="FLOAT"),
            "samples that are not finite",
        ),
    ],
)
def test_refuses_in_a_sentence(decode, content, message):
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        decode([WHOLE, content])
    assert message in error.value.message
