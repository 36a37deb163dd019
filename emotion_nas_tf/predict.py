"""Program: names the emotion in audio files, with an exported model alone.

    python -m emotion_nas_tf.predict --model=FOLDER a.wav b.flac

One line a file: path, label, probabilities. A broken file is named on
standard error, the others are predicted all the same, and the exit code is 1.
What makes an answer doubtful (silence, clipping, a long file of which only the
start is heard) is a note on standard error.
"""

import sys
from collections.abc import Sequence

from emotion_nas_tf.serving.model_folder import check_model_folder
from flags import predict_flags
from tfrecords_builder import program
from tfrecords_builder.errors import UsageError, WorkError


def main(arguments: Sequence[str]) -> None:
    """Predicts the files named on the command line."""
    config = predict_flags.predict_config()
    if not arguments:
        raise UsageError(
            "Which recordings? Name audio files after the flags: --model="
            f"{config.model} a.wav b.flac"
        )
    check_model_folder(config.model)

    program.load_tensorflow()
    from emotion_nas_tf.serving.predictor import Predictor

    predictor = Predictor(config.model)
    num_broken = 0
    for path in arguments:
        try:
            prediction = predictor.predict(path)
        except WorkError as error:
            num_broken += 1
            print(f"Skipped: {error}", file=sys.stderr, flush=True)
            continue
        line = prediction.to_json() if config.json else prediction.to_line()
        print(line, flush=True)
        if prediction.notes:
            print(
                f"Note: {path}: {'; '.join(prediction.notes)}.",
                file=sys.stderr,
                flush=True,
            )
    if num_broken:
        raise WorkError(
            f"{num_broken} of {len(arguments)} files could not be predicted."
        )


if __name__ == "__main__":
    program.run(main)
