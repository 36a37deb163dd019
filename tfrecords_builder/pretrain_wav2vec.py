"""Program: unlabelled speech to a wav2vec of one's own.

    python -m tfrecords_builder.pretrain_wav2vec --audio_dir=FOLDER

Its checkpoint is what `tfrecords_builder.build --wav2vec_checkpoint=` reads.
A training that was stopped goes on when the same command is run again.
"""

from collections.abc import Sequence

from flags import pretrain_flags
from tfrecords_builder import program


def main(arguments: Sequence[str]):
    """Trains what the flags ask for."""
    program.refuse_arguments(arguments)
    config = pretrain_flags.pretrain_config()
    program.load_tensorflow()
    from tfrecords_builder.features.wav2vec.pretraining import pretrain

    path = pretrain(config, lambda line: print(line, flush=True))
    print(
        f"{path} is ready:\n  python -m tfrecords_builder.build "
        f"--wav2vec_checkpoint={path} --corpus=..."
    )


if __name__ == "__main__":
    program.run(main)
