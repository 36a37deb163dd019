"""How fast are recurrent cells of a recipe?

    python -m benchmarks.recurrent [--recipes=lstm,table4] [--frames=727]
        [--repeats=3] [--short_batches=6]

Times our network's layers beside an interpreter that evaluates the same recipe
node by node and step by step, one matrix product for each input of a linear
node, differentiated by the framework: in PyTorch if that is installed (the
way the benchmark that the recipes come from runs them), and in a TensorFlow
graph. For the LSTM also `keras.layers.LSTM` and `torch.nn.LSTM`.

Then batches with the lengths of IEMOCAP's improvised turns (median 3.5 s, 85 %
of 727 frames are padding), drawn from a log-normal distribution: the
interpreter runs through the padding, as the paper does; ours stops at the
longest of a batch, with batches of similar lengths. Averages over batches
spread evenly from the shortest to the longest.

All take turns in one process. Prints medians: seconds a batch, CPU seconds in
parentheses, and how many times faster than the interpreters ours is.
"""

import argparse
import statistics
import time

import numpy as np
import tensorflow as tf

from benchmarks.recurrent_contenders import (
    OURS,
    keras_lstm,
    ours,
    tensorflow_interpreter,
    torch,
    torch_interpreter,
    torch_lstm,
)
from emotion_nas_tf.recurrent.bucketing import bucket
from emotion_nas_tf.recurrent.recipe_files import load_recipe

UTTERANCES = 2943
MEDIAN_SECONDS, MEAN_SECONDS, SECONDS_A_FRAME = 3.49, 4.38, 0.04


def seconds(function, inputs) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    function(inputs)
    return time.perf_counter() - start, time.process_time() - cpu


def measure(function, batches) -> tuple[float, float]:
    """Mean seconds and CPU seconds of the batches."""
    times = [seconds(function, batch) for batch in batches]
    return tuple(statistics.fmean(each) for each in zip(*times, strict=True))


def compare(title, contestants, batches, repeats):
    """Runs all in turns. `batches` maps names to what each of them runs on."""
    print(f"\n{title}\n{'':26}{'forward':>20}{'with backward':>20}")
    found = {}
    for name, *passes in contestants:
        for function in passes:
            for batch in batches[name]:
                function(batch)
    for _ in range(repeats):
        for name, *passes in contestants:
            for kind, function in enumerate(passes):
                times = measure(function, batches[name])
                found.setdefault((name, kind), []).append(times)
    medians = {
        key: [statistics.median(each) for each in zip(*times, strict=True)]
        for key, times in found.items()
    }
    for name, *_ in contestants:
        columns = [
            f"{medians[name, kind][0]:.3f} ({medians[name, kind][1]:.2f})"
            for kind in (0, 1)
        ]
        print(f"{name:26}{columns[0]:>20}{columns[1]:>20}")
    for name, *_ in contestants:
        if name != OURS:
            ratios = [
                f"{medians[name, kind][0] / medians[OURS, kind][0]:.2f}"
                for kind in (0, 1)
            ]
            print(f"  over {name:21}{ratios[0]:>20}{ratios[1]:>20}", flush=True)


def corpus_lengths(frames):
    """Frames of each utterance of a corpus like IEMOCAP."""
    spread = (2 * np.log(MEAN_SECONDS / MEDIAN_SECONDS)) ** 0.5
    drawn = np.random.default_rng(0).lognormal(
        np.log(MEDIAN_SECONDS), spread, UTTERANCES
    )
    return np.clip(drawn / SECONDS_A_FRAME, 18, frames).astype(int)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", default="lstm,table4")
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--frames", type=int, default=727)
    parser.add_argument("--input_size", type=int, default=512)
    parser.add_argument("--hidden_size", type=int, default=256)
    parser.add_argument("--num_layers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--short_batches", type=int, default=6)
    arguments = parser.parse_args()
    sizes = (
        arguments.input_size,
        arguments.hidden_size,
        arguments.num_layers,
    )
    generator = np.random.default_rng(0)
    shape = (arguments.batch_size, arguments.frames, arguments.input_size)
    full = tf.constant(generator.normal(size=shape), tf.float32)

    lengths = corpus_lengths(arguments.frames)
    whole = UTTERANCES // arguments.batch_size
    order = generator.permutation(whole * arguments.batch_size)
    rows = bucket(order.reshape(whole, -1), lengths, 0, 0)
    longest = np.sort(lengths[rows].max(axis=1))
    places = (np.arange(arguments.short_batches) + 0.5) * whole
    chosen = longest[(places / arguments.short_batches).astype(int)]
    print(
        f"{shape[0]} x {shape[1]} x {shape[2]}, h = {sizes[1]}, {sizes[2]} "
        f"layers; real frames: {lengths.mean() / arguments.frames:.0%}, "
        f"computed in batches of similar length: "
        f"{longest.mean() / arguments.frames:.0%} (timed: "
        f"{chosen.mean() / arguments.frames:.0%})"
    )
    for name in arguments.recipes.split(","):
        recipe = load_recipe(name)
        contestants = [
            ours(recipe, *sizes),
            tensorflow_interpreter(recipe, *sizes),
        ]
        if torch:
            contestants.append(torch_interpreter(recipe, *sizes))
        others = []
        if name == "lstm":
            others.append(keras_lstm(*sizes))
            others += [torch_lstm(*sizes)] if torch else []
        batches = {each[0]: [full] for each in contestants + others}
        title = f"{name}, full length"
        compare(title, contestants + others, batches, arguments.repeats)
        batches[OURS] = [full[:, :length] for length in chosen]
        title = f"{name}, real lengths"
        compare(title, contestants, batches, arguments.repeats)


if __name__ == "__main__":
    main()
