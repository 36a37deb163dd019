"""How much faster than real time is `predict`?

    python -m benchmarks.predict [--audio=FOLDER] [--runs=3]
        [--streams=both,spectrogram,recurrent] [--batch_size=16]

Networks of the paper's size with random weights (L=3, C=6; L=2, h=256 on
log-mel frames), exported, then `emotion_nas_tf.predict` on a folder in a
process of its own: decoding, front ends, networks and table, with and without
the start of TensorFlow. Without --audio, 300 generated files of .5 to 6 s, a
third of them at 44.1 kHz. One JSON object a model: medians of the runs. Speed
is seconds of heard audio a second.
"""

import argparse
import csv
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

LABELS = ("neutral", "angry", "happy", "sad")
STREAMS = ("both", "spectrogram", "recurrent")


def write_audio(folder, number=300):
    folder.mkdir()
    generator = np.random.default_rng(0)
    for index in range(number):
        rate = 44_100 if index % 3 == 0 else 16_000
        seconds = generator.uniform(0.5, 6)
        noise = 0.1 * generator.normal(size=round(seconds * rate))
        soundfile.write(folder / f"{index}.wav", noise.clip(-1, 1), rate)
    return folder


def make_parts():
    """Both streams of untrained networks."""
    from emotion_nas_tf.config import NetworkConfig, RecurrentConfig
    from emotion_nas_tf.networks.system import SystemInfo, build_network
    from emotion_nas_tf.recurrent.network import build_recurrent_network
    from emotion_nas_tf.recurrent.recipe_files import built_in
    from emotion_nas_tf.recurrent.system import RecurrentInfo
    from emotion_nas_tf.search_space.genotype import random_genotype
    from emotion_nas_tf.serving import packing
    from tfrecords_builder.config import SequenceRequest, spectrogram_preset
    from tfrecords_builder.features.sequence import (
        complete_request,
        describe_features,
    )

    spectrogram, genotype = spectrogram_preset(), random_genotype(0)
    network = build_network(NetworkConfig(), len(LABELS), genotype)
    about = {
        "label_names": LABELS,
        "records": "",
        "corpus": "none",
        "validation_ua": 0.0,
        "epoch": 0,
    }
    first = packing.spectrogram_stream(
        network,
        SystemInfo(
            system="random_cell",
            network=NetworkConfig(),
            genotype=genotype,
            spectrogram=spectrogram,
            fingerprint=spectrogram.fingerprint(),
            parameters=network.count_params(),
            **about,
        ),
        "The network",
    )
    request = complete_request(SequenceRequest("logmel"), print)
    sequence = dataclasses.replace(describe_features(request), num_frames=200)
    config = RecurrentConfig(2, 256, sequence.size)
    recipe = built_in("table4")
    network = build_recurrent_network(config, recipe, len(LABELS))
    second = packing.recurrent_stream(
        network,
        RecurrentInfo(
            system="recipe",
            network=config,
            recipe=recipe,
            sequence=sequence,
            features=sequence.title,
            fingerprint=sequence.fingerprint(),
            validation_loss=0.0,
            parameters=network.count_params(),
            **about,
        ),
        "The network",
    )
    return first, second


def make_fusion():
    from emotion_nas_tf.networks.fusion_system import FusionInfo, build_fusion
    from emotion_nas_tf.serving.packing import fusion_of

    info = FusionInfo(
        system="fusion",
        method="perceptron",
        fused=("random_cell", "recipe"),
        trained={},
        label_names=LABELS,
        fingerprint="",
        records="",
        corpus="none",
        settings={"activation": "relu"},
        validation_ua=0.0,
        epoch=0,
        parameters=0,
        own_parameters=0,
    )
    return fusion_of(build_fusion(info), info)


def save(name, parts, path):
    from emotion_nas_tf.serving import signatures
    from emotion_nas_tf.serving.streams import ServedModel

    streams = {"both": parts, "spectrogram": parts[:1], "recurrent": parts[1:]}
    model = ServedModel(
        name,
        LABELS,
        16_000,
        tuple(streams[name]),
        make_fusion() if name == "both" else None,
    )
    signatures.save_model(model, signatures.describe(model), path)


def predict(model, audio, output, batch_size):
    """Wall time of the process, and what it printed."""
    started = time.perf_counter()
    process = subprocess.run(
        [
            *(sys.executable, "-m", "emotion_nas_tf.predict"),
            *(f"--model={model}", str(audio), f"--output={output}"),
            f"--batch_size={batch_size}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - started, process.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--audio", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--streams", default=",".join(STREAMS))
    parser.add_argument("--batch_size", type=int, default=16)
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        audio = arguments.audio or write_audio(folder / "audio")
        parts = make_parts()
        for streams in arguments.streams.split(","):
            model = folder / streams
            save(streams, parts, model)
            walls, speeds = [], []
            for run in range(arguments.runs):
                output = folder / f"{streams}_{run}.csv"
                wall, said = predict(model, audio, output, arguments.batch_size)
                walls.append(wall)
                speeds.append(float(said.split(": ")[-1].split()[0]))
            with output.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            heard = sum(float(row["heard_seconds"]) for row in rows)
            figures = {
                "streams": streams,
                "files": len(rows),
                "heard_seconds": round(heard, 1),
                "times_faster_than_real_time": statistics.median(speeds),
                "with_the_start": round(heard / statistics.median(walls), 1),
                "files_a_second": round(
                    len(rows) / heard * statistics.median(speeds), 1
                ),
            }
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
