"""Program: a corpus of emotional speech to records.

    python -m tfrecords_builder.build --corpus=emodb --corpus_dir=FOLDER

A build that was stopped goes on when the same command is run again.
"""

from collections.abc import Sequence

from flags import build_flags
from tfrecords_builder import program


def main(arguments: Sequence[str]):
    """Builds the records that the flags ask for."""
    program.refuse_arguments(arguments)
    config = build_flags.build_config()
    from tfrecords_builder.builder import build_records

    manifest = build_records(config)
    size = sum(shard.num_bytes for shard in manifest.shards) / 1e6
    print(
        f"{len(manifest.entries)} records ({size:.1f} MB, "
        f"{len(manifest.shards)} shards) are in {config.records_dir}."
    )


if __name__ == "__main__":
    program.run(main)
