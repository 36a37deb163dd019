"""How fast is wav2vec-large here, and what does it need?

    python -m benchmarks.wav2vec [--seconds=8] [--runs=5]
        [--lengths=4,8,20,40]

Random weights, noise. First extraction and a plain version (every layer on
the whole utterance, operation by operation) in turn, in one run: medians of
wall time, real-time factor (seconds of work a second of audio) and processor
seconds; none with --runs=0. Then the peak memory of a fresh process for each
length, extraction and plain (Linux). One JSON object a line.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

PARTS = ("extraction", "plain")


def plain_features(model):
    """c by the textbook: convolution, mean, variance, norm, activation."""
    import tensorflow as tf

    def block(layer, x):
        x = layer.convolve(x)
        mean = tf.reduce_mean(x, (1, 2), keepdims=True)
        variance = tf.reduce_mean(tf.square(x - mean), (1, 2), keepdims=True)
        x = (x - mean) / tf.sqrt(variance + 1e-5)
        return tf.nn.relu(x * layer.scale + layer.offset)

    def features(waveform):
        x = tf.constant(waveform)[None, :, None]
        for layer in model.encoder:
            x = block(layer, x)
        x = tf.math.log(tf.abs(x) + 1)
        for layer in model.aggregator:
            x = (block(layer, x) + x) * 0.5**0.5
        return x[0].numpy()

    return features


def make(part):
    from tfrecords_builder.features.wav2vec.extraction import Extractor
    from tfrecords_builder.features.wav2vec.model import Wav2Vec
    from tfrecords_builder.features.wav2vec.settings import Wav2VecSettings

    model = Wav2Vec(Wav2VecSettings())
    both = {"extraction": Extractor(model), "plain": plain_features(model)}
    return both if part is None else both[part]


def noise(seconds):
    samples = np.random.default_rng(0).normal(size=round(16_000 * seconds))
    return (0.1 * samples).astype(np.float32)


def measure_time(seconds, runs):
    functions, waveform = make(None), noise(seconds)
    wall = {name: [] for name in functions}
    processor = {name: [] for name in functions}
    results = {}
    # One run more: the first compiles.
    for run in range(runs + 1):
        for name, function in functions.items():
            started = time.perf_counter(), time.process_time()
            results[name] = function(waveform)
            if run:
                wall[name].append(time.perf_counter() - started[0])
                processor[name].append(time.process_time() - started[1])
    for name in functions:
        median = statistics.median(wall[name])
        figures = {
            "version": name,
            "audio_seconds": seconds,
            "seconds": round(median, 3),
            "real_time_factor": round(median / seconds, 3),
            "processor_seconds": round(statistics.median(processor[name]), 3),
        }
        print(json.dumps(figures), flush=True)
    ratios = [
        plain / ours
        for plain, ours in zip(wall["plain"], wall["extraction"], strict=True)
    ]
    difference = np.abs(results["plain"] - results["extraction"]).max()
    figures = {
        "plain_over_extraction": round(statistics.median(ratios), 2),
        "in_processor_seconds": round(
            statistics.median(processor["plain"])
            / statistics.median(processor["extraction"]),
            2,
        ),
        "largest_difference": float(difference),
    }
    print(json.dumps(figures), flush=True)


def memory_mb(name):
    """A line of Linux' account of this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith(f"{name}:")]
    return round(int(line.split()[1]) / 1024)


def measure_memory(part, seconds):
    """In this process, which did nothing before."""
    function = make(part)
    # What a process needs before any audio; then its peak begins anew.
    function(noise(1))
    Path("/proc/self/clear_refs").write_text("5")
    before = memory_mb("VmRSS")
    function(noise(seconds))
    figures = {
        "version": part,
        "audio_seconds": seconds,
        "peak_MB": memory_mb("VmHWM"),
        "before_MB": before,
    }
    print(json.dumps(figures), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--lengths", default="4,8,20,40")
    parser.add_argument("--memory_of", choices=PARTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if arguments.memory_of:
        measure_memory(arguments.memory_of, arguments.seconds)
        return
    if arguments.runs:
        measure_time(arguments.seconds, arguments.runs)
    for length in arguments.lengths.split(","):
        for part in PARTS:
            command = [
                *(sys.executable, "-m", "benchmarks.wav2vec"),
                *(f"--memory_of={part}", f"--seconds={length}"),
            ]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
