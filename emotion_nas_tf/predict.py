"""Program: names the emotion in audio files, with an exported model alone.

    python -m emotion_nas_tf.predict --model=FOLDER a.wav b.flac
    python -m emotion_nas_tf.predict --model=FOLDER my_audio --output=all.csv

Files, folders of them, and CSV files with a column `path`. One line a file:
path, label, probabilities; with --output, a table. A broken file is named on
standard error, or in its row, the others are predicted all the same, and the
exit code is 1; a name that does not exist is refused before. What makes an
answer doubtful (silence, clipping, a long file of which only the start is
heard) is a note on standard error or in the row.
"""

from collections.abc import Sequence

from emotion_nas_tf.serving.model_folder import check_model_folder
from emotion_nas_tf.serving.recordings import find_recordings
from flags import predict_flags
from tfrecords_builder import program
from tfrecords_builder.errors import UsageError, WorkError
from tfrecords_builder.files import prepare_output


def main(arguments: Sequence[str]) -> None:
    """Predicts the recordings named on the command line."""
    config = predict_flags.predict_config()
    if not arguments:
        raise UsageError(
            "Which recordings? Name audio files, folders or CSV files with a "
            f"column `path` after the flags: --model={config.model} a.wav"
        )
    check_model_folder(config.model)
    recordings = find_recordings(arguments)
    if config.output is not None:
        prepare_output(config.output, "--output")

    program.load_tensorflow()
    from emotion_nas_tf.serving import many_predictions
    from emotion_nas_tf.serving.predictor import Predictor

    predictor = Predictor(config.model)
    if config.output is not None:
        num_broken = many_predictions.write_table(predictor, recordings, config)
    else:
        num_broken = many_predictions.print_lines(predictor, recordings, config)
    if num_broken:
        raise WorkError(
            f"{num_broken} of {len(recordings)} files could not be predicted."
        )


if __name__ == "__main__":
    program.run(main)
