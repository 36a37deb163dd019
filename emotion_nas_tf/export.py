"""Program: trained networks as a SavedModel that hears 16 kHz audio.

    python -m emotion_nas_tf.export --run_dir=runs/default --fold=2
    python -m emotion_nas_tf.export --fold=2 --test_speaker=first \\
        --system=fusion_mean --serving_dir=models --model_name=emotion

One network, or both streams' and their fusion. The model is loaded in a fresh
process and compared with the trained networks before it gets its name.
"""

from collections.abc import Sequence

from emotion_nas_tf.serving.model_versions import version_folder
from emotion_nas_tf.serving.selection import (
    Clips,
    check_system,
    chosen_tests,
    clips_of_test,
    system_to_export,
)
from flags import export_flags, protocol_flags
from tfrecords_builder import program
from tfrecords_builder.errors import UsageError


def main(arguments: Sequence[str]) -> None:
    """Exports a model for each test that the flags ask for."""
    program.refuse_arguments(arguments)
    protocol = protocol_flags.protocol_config()
    config = export_flags.export_config()
    if config.system is not None:
        check_system(config.system)
    directories = chosen_tests(protocol)
    output = config.output
    if config.serving_dir is not None:
        output = version_folder(
            config.serving_dir, config.model_name, config.version
        )
    if output and len(directories) > 1:
        raise UsageError(
            f"--output and --serving_dir name one model, and there are "
            f"{len(directories)} tests. Choose one with --fold and "
            "--test_speaker=first or second."
        )

    program.load_tensorflow()
    from emotion_nas_tf.serving.exporting import export_system

    for directory in directories:
        clips = (
            Clips(config.clips)
            if config.clips
            else clips_of_test(protocol.records_dir, directory)
        )
        export = export_system(
            directory,
            config.system or system_to_export(directory),
            output,
            clips,
            config.wav2vec_checkpoint,
        )
        print(export.to_text(), flush=True)


if __name__ == "__main__":
    program.run(main)
