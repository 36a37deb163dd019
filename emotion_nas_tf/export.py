"""Program: a trained network as a SavedModel that hears 16 kHz audio.

    python -m emotion_nas_tf.export --run_dir=runs/default --fold=2

The model is loaded in a fresh process and compared with the trained network
before it gets its name.
"""

from collections.abc import Sequence

from emotion_nas_tf.serving.selection import (
    Clips,
    clips_of_test,
    tests_of_fold,
)
from flags import export_flags, protocol_flags
from tfrecords_builder import program
from tfrecords_builder.errors import UsageError


def main(arguments: Sequence[str]) -> None:
    """Exports a model for each test that the flags ask for."""
    program.refuse_arguments(arguments)
    protocol = protocol_flags.protocol_config()
    config = export_flags.export_config()
    directories = [
        directory
        for number in protocol.folds
        for directory in tests_of_fold(protocol, number)
    ]
    if config.output and len(directories) > 1:
        raise UsageError(
            f"--output names one model, and there are {len(directories)} "
            "tests. Choose one with --fold and --test_speaker=first or second."
        )

    program.load_tensorflow()
    from emotion_nas_tf.serving.exporting import export_system

    for directory in directories:
        clips = (
            Clips(config.clips)
            if config.clips
            else clips_of_test(protocol.records_dir, directory)
        )
        export = export_system(directory, config.system, config.output, clips)
        print(export.to_text())


if __name__ == "__main__":
    program.run(main)
