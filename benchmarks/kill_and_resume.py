"""Does a killed run end with the same bits? Kills one, and compares.

    python -m benchmarks.kill_and_resume [--random_kills=1] [--seed=0] \\
        search --fold=2 --test_speaker=first --search_epochs=3 ...

Runs `emotion_nas_tf.search` (or `train`, `run`) twice with the flags given and
with --deterministic, into two temporary folders: once whole, once killed by
SIGKILL and started again with the same command, each time at another moment:

    before the first state   all that was done is lost, and done again
    inside an epoch          it goes on at the last state, of that epoch if
                             --checkpoint_minutes is short enough
    at a random moment       as often as asked for
    after the last epoch     all steps are done; what follows may be or not

Prints what was on disk at each kill and how the next start went on; then the
SHA-256 of all that the two left behind, side by side. Exits with 1 when one
differs, or when no kill found a state to go on from. Wall time alone may
differ.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.run_checksums import checksums, last_step, rows_of

# How a program says where it begins.
_BEGINNINGS = ("epochs of", "finished before", "going on")
_SECONDS_BETWEEN_LOOKS = 0.01


@dataclass(frozen=True)
class Moment:
    """When to kill.

    Attributes:
      name: for people.
      reached: of the folder of the run, looked at again and again.
      wait: seconds between that and the kill.
    """

    name: str
    reached: Callable[[Path], bool]
    wait: float = 0.0


def moments(
    whole: Path, seconds: float, random_kills: int, generator: random.Random
) -> Iterator[Moment]:
    """The kills, one after the other.

    Args:
      whole: folder of the run that was not killed.
      seconds: that it took.
      random_kills: at random moments.
      generator: of these.
    """
    training = min(whole.rglob("checkpoints"), key=last_step).parent
    folder = training.relative_to(whole)
    last = last_step(training / "checkpoints")
    epochs = len(rows_of(training / "history.csv"))

    def step(run_dir: Path) -> int:
        return last_step(run_dir / folder / "checkpoints")

    yield Moment(
        "before the first state",
        lambda run_dir: (run_dir / folder / "checkpoints").is_dir(),
        # Most of this time TensorFlow traces and compiles.
        generator.uniform(0, 5),
    )
    yield Moment(
        "inside an epoch",
        lambda run_dir: step(run_dir) > last // (2 * epochs),
        generator.uniform(0, seconds / (4 * epochs)),
    )
    for _ in range(random_kills):
        yield Moment(
            "at a random moment",
            lambda run_dir: True,
            generator.uniform(0, seconds),
        )
    yield Moment(
        "after the last epoch",
        lambda run_dir: step(run_dir) == last,
    )


def run(command: list[str], run_dir: Path, moment: Moment | None) -> str:
    """Starts a command; kills it when its moment has come.

    Args:
      command: writes into `run_dir`.
      run_dir: looked at for the moment.
      moment: None for never.

    Returns:
      What it said on standard error.

    Raises:
      RuntimeError: when it ends in failure.
    """
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=said,
            # Processes that it starts die with it.
            start_new_session=True,
        )
        while moment and process.poll() is None and not moment.reached(run_dir):
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        try:
            process.wait(moment.wait if moment else None)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        text = said.read()
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"{' '.join(command)}: {text}")
    return text


def on_disk(run_dir: Path) -> list[str]:
    """The last state of each training that has begun, in words."""
    found = []
    for states in sorted(run_dir.rglob("checkpoints")):
        rows = len(rows_of(states.parent / "history.csv"))
        state = (
            f"state of step {last_step(states)}"
            if last_step(states)
            else "none"
        )
        written = (states.parent / "network.json").is_file()
        found.append(
            f"{states.parent.name}: {state}, {rows} epochs in history"
            f"{', finished' if written else ''}"
        )
    return found or ["nothing"]


def tell(said: str) -> None:
    """Prints where a start began, and the last that it said."""
    lines = [line for line in said.splitlines() if line.strip()]
    begun = [
        each for each in lines if any(word in each for word in _BEGINNINGS)
    ]
    for line in dict.fromkeys([*begun, *lines[-1:]]):
        print(f"    | {line}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random_kills", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("program", choices=("search", "train", "run"))
    arguments, flags = parser.parse_known_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    generator = random.Random(arguments.seed)

    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"

        def command(run_dir: Path) -> list[str]:
            return [
                *(sys.executable, "-m", f"emotion_nas_tf.{arguments.program}"),
                *(*flags, "--deterministic", f"--run_dir={run_dir}"),
            ]

        print(" ".join(command(Path("RUN_DIR"))), flush=True)
        start = time.monotonic()
        run(command(whole), whole, None)
        seconds = time.monotonic() - start
        print(f"whole: {seconds:.1f} s", flush=True)
        resumed = False
        for moment in moments(
            whole, seconds, arguments.random_kills, generator
        ):
            start = time.monotonic()
            tell(run(command(killed), killed, moment))
            resumed |= any("state of" in text for text in on_disk(killed))
            print(
                f"killed {moment.name}, after {time.monotonic() - start:.1f} s"
                f"; on disk: {'; '.join(on_disk(killed))}",
                flush=True,
            )
        tell(run(command(killed), killed, None))
        print("at its end")
        one, other = checksums(whole), checksums(killed)
    for name in sorted({*one, *other}):
        first, second = one.get(name, "none"), other.get(name, "none")
        verdict = "same" if first == second else "DIFFERENT"
        print(f"{first[:16]} {second[:16]} {verdict:9} {name}")
    same = sum(one.get(name) == other.get(name) for name in {*one, *other})
    print(f"{same} of {len({*one, *other})} are the same.")
    if not resumed:
        print("No kill left a state: nothing was shown. Train for longer.")
    sys.exit(one != other or not resumed)


if __name__ == "__main__":
    main()
