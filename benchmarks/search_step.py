"""How fast is a search step, and how much memory does it take?

    python -m benchmarks.search_step [--batch_sizes=8,16] [--steps=7]
        [--sizes=3:6] [--contenders=ours,torch,torch_pruned]
    python -m benchmarks.search_step --sizes=3:4,4:8,8:16 --contenders=ours
    python -m benchmarks.search_step --contenders=ours,deterministic,recompute

Times one first-order step (alpha on a validation batch, weights on a training
batch) of `emotion_nas_tf.search`, as it is compiled there, and of a plain
PyTorch step, a module per edge and operation: as published, where both passes
take every gradient, and pruned to the gradients that each needs. PyTorch is
optional, the CPU build of torch 2.13.0; without it only ours is timed. The
last command shows what --deterministic and --recompute cost, and what memory
the latter saves.

Before that the PyTorch step is compared with published numbers (`--fixture`),
and from equal weights on equal batches the contenders with each other. Each
runs in a process of its own and they take turns, so that a machine that slows
down does so for all; still, an idle machine is needed: PyTorch's threads wait
for each other, and lose more than ours when something else takes a core.
Prints medians, and compares with ours:

    times    seconds of this one over ours
    first s  the first call: tracing and compiling, where there is any
    peak GB  most memory of the process, with `start` GB after its imports
    memory   ours over this one's
    GFLOP/s  what the step needs (see reference/plan.py) over its seconds
    share    of the rate of a float32 matrix product, measured in between
"""

import argparse
import importlib.util
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.contenders import (
    DESCRIPTIONS,
    OURS,
    PRUNED,
    PUBLISHED,
    ROOT,
    TENSORFLOW,
    Case,
    MatrixProduct,
    Served,
    Worker,
)
from benchmarks.reference.plan import step_flops
from tfrecords_builder.errors import WorkError

FIXTURE = ROOT.parent / "shared" / "parity" / "darts_parity_supernet.npz"
# Relative, of the norm; gradients in single precision differ where a ReLU or
# a maximum falls on the other side.
LOSS_TOLERANCE, GRADIENT_TOLERANCE, MOVED_TOLERANCE = 1e-4, 1e-2, 1e-2
HEADER = (
    *("L", "C", "batch", "", "s a step", "min to max", "CPU s", "times"),
    *("first s", "peak GB", "start", "memory", "GFLOP/s", "share"),
)
FORMATS = (
    *(">1", ">2", ">5", "<22", ">8", ">14", ">6", ">5"),
    *(">7", ">7", ">5", ">6", ">7", ">5"),
)


@dataclass
class Timing:
    """What was measured of a contender: seconds a step, bytes."""

    name: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    first_seconds: float = 0.0
    start_bytes: int = 0
    peak_bytes: int = 0


class FixtureCheck:
    def run(self, path: Path) -> dict[str, float]:
        from benchmarks.reference.parity import check_fixture

        return check_fixture(path)


def check_reference(path: Path) -> None:
    if not path.is_file():
        print(f"PyTorch step: not compared with published numbers, no {path}.")
        return
    with Worker(FixtureCheck) as worker:
        deviations = worker.run(path)
    found = ", ".join(f"{name} {d:.0e}" for name, d in deviations.items())
    print(f"PyTorch step, deviation from published numbers: {found}.")


def relative(value, expected) -> float:
    difference = np.linalg.norm(np.asarray(value) - np.asarray(expected))
    return float(difference / np.linalg.norm(expected))


def share_weights(workers) -> None:
    """Ours starts from PyTorch's weights; the two variants drew the same."""
    others = [w for name, w in workers.items() if name not in TENSORFLOW]
    for name, worker in workers.items():
        if others and name in TENSORFLOW:
            worker.load(*others[0].weights())


def compare(losses, gradients) -> None:
    """Whether all did the same in their first two steps.

    Args:
      losses: by contender, of every step the two losses before it.
      gradients: by contender, alpha's of the first step.
    """
    name, *others = losses
    for other in others:
        found = (
            relative(losses[other][0], losses[name][0]),
            relative(gradients[other], gradients[name]),
            relative(losses[other][1], losses[name][1]),
        )
        line = (
            f"{DESCRIPTIONS[name]} and {DESCRIPTIONS[other]}: losses differ by "
            f"{found[0]:.1e}, alpha's gradients by {found[1]:.1e}, "
            f"losses one step later by {found[2]:.1e}"
        )
        limits = (LOSS_TOLERANCE, GRADIENT_TOLERANCE, MOVED_TOLERANCE)
        if not all(f <= limit for f, limit in zip(found, limits, strict=True)):
            raise WorkError(f"{line}; that is too much to compare times.")
        print(f"  {line}.", flush=True)


def measure(
    case: Case, names: list[str], steps: int
) -> tuple[list[Timing], float]:
    """Times one case in turns; also the rate of a matrix product, FLOP/s."""
    timings = [Timing(name) for name in names]
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(Worker(Served, name, case))
            for name in names
        }
        product = stack.enter_context(Worker(MatrixProduct))
        # All have started before the first of them is timed.
        for timing in timings:
            timing.start_bytes = workers[timing.name].start_bytes()
        share_weights(workers)
        losses = {name: [] for name in names}
        for timing in timings:
            # Traces and compiles.
            timing.first_seconds, _, found = workers[timing.name].step()
            losses[timing.name].append(found)
        gradients = {n: w.alpha_gradients() for n, w in workers.items()}
        for name, worker in workers.items():
            losses[name].append(worker.step()[2])
        compare(losses, gradients)
        rates = []
        for _ in range(steps):
            rates.append(product.rate())
            for timing in timings:
                wall, cpu, _ = workers[timing.name].step()
                timing.wall.append(wall)
                timing.cpu.append(cpu)
        for timing in timings:
            timing.peak_bytes = workers[timing.name].peak_bytes()
    return timings, statistics.median(rates)


def rows(case: Case, timings: list[Timing], rate: float) -> Iterator[str]:
    """The table's, compared with the first contender."""
    flops = step_flops(
        case.num_cells, case.num_channels, case.batch_size, case.size
    )
    base = timings[0]
    for timing in timings:
        seconds = statistics.median(timing.wall)
        values = (
            case.num_cells,
            case.num_channels,
            case.batch_size,
            DESCRIPTIONS[timing.name],
            f"{seconds:.2f}",
            f"{min(timing.wall):.2f} to {max(timing.wall):.2f}",
            f"{statistics.median(timing.cpu):.2f}",
            f"{seconds / statistics.median(base.wall):.2f}",
            f"{timing.first_seconds:.1f}",
            f"{timing.peak_bytes / 1e9:.2f}",
            f"{timing.start_bytes / 1e9:.2f}",
            f"{base.peak_bytes / timing.peak_bytes:.0%}",
            f"{flops / seconds / 1e9:.1f}",
            f"{flops / seconds / rate:.1%}",
        )
        yield line(values)


def line(values: Sequence) -> str:
    cells = zip(values, FORMATS, strict=True)
    return " ".join(format(str(value), form) for value, form in cells)


def sizes(text: str) -> list[tuple[int, int]]:
    pairs = [pair.split(":") for pair in text.split(",")]
    return [(int(cells), int(channels)) for cells, channels in pairs]


def integers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def contenders(text: str) -> list[str]:
    asked = text.split(",")
    if set(asked) - set(DESCRIPTIONS):
        raise argparse.ArgumentTypeError(
            f"some of {', '.join(DESCRIPTIONS)} expected; received {text}"
        )
    return [name for name in DESCRIPTIONS if name in asked]


def main() -> None:
    """Reads the command line; an error becomes a sentence and a code."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--sizes", type=sizes, default="3:6", help="L:C,...")
    add("--batch_sizes", type=integers, default="8,16")
    add("--steps", type=int, default=7, help="timed steps of each")
    add(
        "--contenders",
        type=contenders,
        default=",".join((OURS, PUBLISHED, PRUNED)),
        help=f"some of {', '.join(DESCRIPTIONS)}",
    )
    add("--input_size", type=int, default=140, help="bins and columns")
    add("--threads", type=int, default=2)
    add("--fixture", type=Path, default=FIXTURE, help="published numbers")
    arguments = parser.parse_args()
    if arguments.steps < 1 or arguments.input_size % 4:
        parser.error("--steps is 1 or more, --input_size a multiple of 4")
    try:
        run(arguments)
    except WorkError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def run(arguments: argparse.Namespace) -> None:
    names = arguments.contenders
    if importlib.util.find_spec("torch") is None:
        names = [name for name in names if name in TENSORFLOW] or [OURS]
        print(
            "PyTorch is not installed, so there is no ratio; for one install "
            "the CPU build of torch 2.13.0 and run this again."
        )
    if hasattr(os, "sched_setaffinity"):
        # Handed down to the contenders: some libraries start a thread a core.
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[: arguments.threads])
    if set(names) - set(TENSORFLOW):
        check_reference(arguments.fixture)
    cases = [
        Case(*size, batch_size, arguments.input_size, arguments.threads)
        for size in arguments.sizes
        for batch_size in arguments.batch_sizes
    ]
    table = [line(HEADER)]
    try:
        for case in cases:
            table += time_case(case, names, arguments.steps)
    finally:
        # What was measured before an error is worth having.
        print("", *table, sep="\n")


def time_case(case: Case, names: list[str], steps: int) -> list[str]:
    print(
        f"L={case.num_cells}, C={case.num_channels}, batch {case.batch_size}, "
        f"{case.size} x {case.size}, {case.threads} threads, {steps} steps; "
        f"load average before {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    timings, rate = measure(case, names, steps)
    print(f"  float32 matrix product: {rate / 1e9:.0f} GFLOP/s", flush=True)
    return list(rows(case, timings, rate))


if __name__ == "__main__":
    main()
