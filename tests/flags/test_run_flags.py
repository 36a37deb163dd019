"""Flags to what `run` does: what could only fail after hours is refused."""

import pytest
from absl import flags

from emotion_nas_tf.systems import STREAMS
from flags import run_flags
from tfrecords_builder.errors import UsageError


@pytest.fixture
def config_of(parsed_flags):
    def config(streams, *arguments):
        with parsed_flags(*arguments):
            return run_flags.run_config(streams)

    return config


def test_what_is_fused_by_default_is_made(config_of):
    assert config_of(STREAMS).fusion.fused == ("retrained", "recipe")
    asked = config_of(STREAMS, "--fused=gru,inherited")
    assert asked.fusion.fused == ("inherited", "gru")
    assert config_of(("spectrogram",)).streams == ("spectrogram",)


@pytest.mark.parametrize("streams", [STREAMS, ()])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fused=retrained"], "fuses one system of each stream"),
        (["--fused=lstm"], "fuses one system of each stream"),
        (["--fused=retrained,random_cell"], "fuses one system of each"),
        (["--fused=retrained,recipe,gru"], "fuses one system of each"),
        (
            ["--fused=inherited,recipe", "--partial_channels=2"],
            "inherited is not made with --partial_channels=2",
        ),
    ],
)
def test_a_fusion_of_what_is_not_made_is_refused(
    config_of, streams, arguments, message
):
    with pytest.raises(UsageError, match=message):
        config_of(streams, *arguments)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(
    "argument", ["--fused=search,recipe", "--fusion_data=training"]
)
def test_settings_of_a_fusion_that_is_not_made_are_refused(
    config_of, stream, argument
):
    name = argument.partition("=")[0]
    with pytest.raises(UsageError, match=f"{name} does nothing .* {stream} al"):
        config_of((stream,), argument)


@pytest.mark.parametrize(
    ("stream", "arguments", "said"),
    [
        ("spectrogram", ["--mixup=0.3", "--order=second"], ""),
        (
            "spectrogram",
            ["--recurrent_mixup=0.3", "--mixup=0.2", "--num_candidates=4"],
            "Note: --recurrent_mixup, --num_candidates do nothing here: the "
            "recurrent stream is not run.\n",
        ),
        (
            "recurrent",
            ["--frequency_mask=3", "--comparators=majority"],
            "Note: --frequency_mask does nothing here: the spectrogram stream "
            "is not run.\n",
        ),
        # The hand-designed network is trained as cells are.
        ("recurrent", ["--frequency_mask=3", "--comparators=cnn"], ""),
        ("recurrent", ["--recurrent_time_mask=3"], ""),
    ],
)
def test_flags_of_the_other_stream_are_noted(
    parsed_flags, stream, arguments, said, capsys
):
    with parsed_flags(*arguments):
        run_flags.note_idle(run_flags.run_config((stream,)))
    assert capsys.readouterr().err == said


def test_a_seed_is_one_that_generators_take(config_of):
    assert config_of(STREAMS, "--seed=4294967295").search.seed == 2**32 - 1
    with pytest.raises(flags.IllegalFlagValueError, match="seed"):
        config_of(STREAMS, "--seed=4294967296")
