"""Do compressed records pay? Sizes and rates of records as they are built.

    python benchmarks/records.py [records]

Copies the records without and with compression into a temporary folder and
reads both in turn, in one run, through the pipeline that training uses.
Prints one JSON object a compression: median of the runs.
"""

import dataclasses
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import tensorflow as tf

from emotion_nas_tf.data.pipeline import load_split
from tfrecords_builder.config import COMPRESSIONS
from tfrecords_builder.records import load_manifest
from tfrecords_builder.writer import tf_compression, write_shard

RUNS = 7


def copy(source, folder, manifest, compression):
    """Writes the shards again; the new manifest and the seconds it took."""
    folder.mkdir()
    examples = [
        list(
            tf.data.TFRecordDataset(
                str(source / shard.name),
                compression_type=tf_compression(manifest.compression),
            ).as_numpy_iterator()
        )
        for shard in manifest.shards
    ]
    started = time.perf_counter()
    shards = tuple(
        write_shard(folder / shard.name, content, compression)
        for shard, content in zip(manifest.shards, examples, strict=True)
    )
    seconds = time.perf_counter() - started
    copied = dataclasses.replace(
        manifest, compression=compression, shards=shards
    )
    return copied, seconds


def main():
    source = Path(sys.argv[1] if len(sys.argv) > 1 else "records")
    manifest = load_manifest(source)
    everything = range(len(manifest.entries))
    wall = {name: [] for name in COMPRESSIONS}
    cpu = {name: [] for name in COMPRESSIONS}
    with tempfile.TemporaryDirectory() as folder:
        folders = {name: Path(folder) / name for name in COMPRESSIONS}
        copies = {
            name: copy(source, folders[name], manifest, name)
            for name in COMPRESSIONS
        }
        # One run more: the first traces, and fills the file cache.
        for run in range(RUNS + 1):
            for name, (copied, _) in copies.items():
                started = time.perf_counter(), time.process_time()
                load_split(folders[name], copied, everything)
                if run:
                    wall[name].append(time.perf_counter() - started[0])
                    cpu[name].append(time.process_time() - started[1])
    for name, (copied, seconds) in copies.items():
        num_bytes = sum(shard.num_bytes for shard in copied.shards)
        number = len(everything)
        figures = {
            "compression": name,
            "records": number,
            "bytes_a_record": round(num_bytes / number),
            "written_a_second": round(number / seconds),
            "read_a_second": round(number / statistics.median(wall[name])),
            "read_a_cpu_second": round(number / statistics.median(cpu[name])),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
