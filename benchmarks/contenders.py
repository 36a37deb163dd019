"""Search steps to be timed, each in a process of its own.

All take the same weights, alphas and batches, so that what they compute can be
compared before how fast they do it.
"""

import importlib.util
import multiprocessing
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotion_nas_tf.search_space.kernel_threads import kernel_threads
from tfrecords_builder.errors import WorkError
from tfrecords_builder.program import load_tensorflow

OURS, PUBLISHED, PRUNED = "ours", "torch", "torch_pruned"
DETERMINISTIC, RECOMPUTING = "deterministic", "recompute"
DESCRIPTIONS = {
    OURS: "emotion_nas_tf.search",
    DETERMINISTIC: "with --deterministic",
    RECOMPUTING: "with --recompute",
    PUBLISHED: "PyTorch, as published",
    PRUNED: "PyTorch, pruned",
}
TENSORFLOW = (OURS, DETERMINISTIC, RECOMPUTING)
NUM_CLASSES = 4
PRODUCT_SIZE = 2048
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Case:
    """What is timed: L, C, utterances a batch, bins and columns, threads."""

    num_cells: int
    num_channels: int
    batch_size: int
    size: int
    threads: int

    def batch(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """(batch, size, size, 1) float32 noise and (batch,) int32 classes."""
        generator = np.random.default_rng(seed)
        shape = (self.batch_size, self.size, self.size, 1)
        return (
            generator.normal(size=shape).astype(np.float32),
            generator.integers(NUM_CLASSES, size=shape[0], dtype=np.int32),
        )

    def batches(self) -> tuple:
        """One for the weights, one for alpha."""
        return self.batch(0), self.batch(1)


class ProductionStep:
    """The step as `emotion_nas_tf.search` compiles and runs it."""

    def __init__(
        self, case: Case, deterministic: bool = False, recompute: bool = False
    ):
        per_operation = (
            1
            if deterministic
            else kernel_threads(case.threads, case.batch_size)
        )
        load_tensorflow(lambda: _limit_tensorflow(case.threads, per_operation))
        import tensorflow as tf

        from emotion_nas_tf.config import NetworkConfig, SearchConfig
        from emotion_nas_tf.networks.system import build_network
        from emotion_nas_tf.training.bilevel import BilevelSearch
        from emotion_nas_tf.training.fitting import make_weight_optimizer
        from emotion_nas_tf.training.optimizers import CoupledAdam
        from emotion_nas_tf.training.state import set_random_state

        self.start_bytes = memory("VmRSS")
        config = SearchConfig(
            batch_size=case.batch_size, deterministic=deterministic
        )
        set_random_state(config)
        self.network = build_network(
            NetworkConfig(case.num_cells, case.num_channels),
            NUM_CLASSES,
            input_shape=(case.size, case.size),
        )
        self.network.recomputes_cells = recompute
        self.model = BilevelSearch(self.network, [1.0] * NUM_CLASSES)
        self.model.compile(
            weight_optimizer=make_weight_optimizer(config),
            architecture_optimizer=CoupledAdam(
                config.architecture_learning_rate,
                weight_decay=config.architecture_weight_decay,
            ),
            jit_compile=False,
        )
        self.model.make_train_function()
        self.iterator = iter(
            tf.data.Dataset.from_tensors(case.batches()).repeat()
        )

    def load(self, weights: dict, alphas: list) -> None:
        """Takes over published weights."""
        # The one map from published names to our layers; the tests of parity
        # keep it right.
        path = ROOT / "tests" / "emotion_nas_tf" / "published.py"
        spec = importlib.util.spec_from_file_location("published", path)
        published = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(published)
        published.assign(published.locations(self.network), weights)
        variables = self.network.architecture_weights
        for variable, alpha in zip(variables, alphas, strict=True):
            variable.assign(alpha)

    def prepare(self) -> None:
        """What comes before a step and is not timed."""
        # The metrics are means over all steps since.
        self.model.reset_metrics()

    def step(self) -> tuple[float, float]:
        """Losses of alpha's batch and of the weights', before they move."""
        logs = self.model.train_function(self.iterator)
        return float(logs["architecture_loss"]), float(logs["loss"])

    def alpha_gradients(self) -> np.ndarray:
        """(2, edges, 8) of the first step, weight decay added."""
        optimizer = self.model.architecture_optimizer
        return np.stack(optimizer.means) / (1 - optimizer.beta_1)


class TorchStep:
    """The plain step per edge and operation."""

    def __init__(self, case: Case, pruned: bool):
        import torch

        from benchmarks.reference.network import SearchNetwork
        from benchmarks.reference.step import SearchStep

        torch.set_num_threads(case.threads)
        self.start_bytes = memory("VmRSS")
        torch.manual_seed(0)
        self.network = SearchNetwork(
            case.num_cells, case.num_channels, NUM_CLASSES
        )
        self.search = SearchStep(self.network, pruned)
        self.alpha_gradients = self.search.alpha_gradients
        self.training, self.validation = (
            (
                torch.from_numpy(x.transpose(0, 3, 1, 2).copy()),
                torch.from_numpy(y.astype(np.int64)),
            )
            for x, y in case.batches()
        )

    def weights(self) -> tuple[dict, list]:
        """Weights by published name, and both alphas."""
        from benchmarks.reference.step import published_weights

        alphas = [a.detach().numpy().copy() for a in self.network.alphas]
        return published_weights(self.network), alphas

    def prepare(self) -> None:
        """Nothing comes before a step."""

    def step(self) -> tuple[float, float]:
        """Losses of alpha's batch and of the weights', before they move."""
        return (
            self.search.move_alphas(*self.validation),
            self.search.move_weights(*self.training),
        )


class MatrixProduct:
    """NumPy's product of two matrices.

    In a process of its own: in another it would take the place of a step's
    tensors, or stand between them.
    """

    def __init__(self):
        generator = np.random.default_rng(0)
        self.matrix = generator.random((PRODUCT_SIZE,) * 2, np.float32)

    def rate(self, repetitions: int = 5) -> float:
        """Floating-point operations a second."""
        seconds = []
        for _ in range(repetitions + 1):
            started = time.perf_counter()
            self.matrix @ self.matrix
            seconds.append(time.perf_counter() - started)
        # Threads that wait for more would disturb what is timed next.
        time.sleep(0.1)
        # The first one wakes the threads.
        return 2 * PRODUCT_SIZE**3 / float(np.median(seconds[1:]))


class Served:
    """What the timing process asks of a contender."""

    def __init__(self, name: str, case: Case):
        self.contender = (
            ProductionStep(case, name == DETERMINISTIC, name == RECOMPUTING)
            if name in TENSORFLOW
            else TorchStep(case, pruned=name == PRUNED)
        )

    def weights(self):
        return self.contender.weights()

    def load(self, weights, alphas):
        self.contender.load(weights, alphas)

    def alpha_gradients(self):
        return self.contender.alpha_gradients()

    def step(self) -> tuple[float, float, tuple[float, float]]:
        """Wall and CPU seconds, losses."""
        self.contender.prepare()
        wall, cpu = time.perf_counter(), time.process_time()
        losses = self.contender.step()
        return (
            time.perf_counter() - wall,
            time.process_time() - cpu,
            losses,
        )

    def start_bytes(self) -> int:
        """Memory after the imports."""
        return self.contender.start_bytes

    def peak_bytes(self) -> int:
        """The most memory there ever was."""
        return memory("VmHWM")


class Worker:
    """A process; its methods are those of what it serves.

    Only one is asked at a time, so only one computes.
    """

    def __init__(self, serve, *arguments):
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(theirs, serve, *arguments), daemon=True
        )
        self._process.start()
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()
        self._process.join()

    def __getattr__(self, name: str):
        return lambda *arguments: self._ask(name, arguments)

    def _ask(self, name: str, arguments: tuple):
        try:
            self._connection.send((name, arguments))
            return self._connection.recv()
        except (EOFError, BrokenPipeError) as error:
            self._process.join()
            raise WorkError(
                f"A contender's process ended in `{name}` (exit code "
                f"{self._process.exitcode}; -9 is what a lack of memory "
                "looks like). Its own message, if any, is above."
            ) from error


def _work(connection, serve, *arguments) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    served = serve(*arguments)
    while True:
        try:
            name, given = connection.recv()
        except EOFError:
            return
        connection.send(getattr(served, name)(*given))


def _limit_tensorflow(threads: int, per_operation: int) -> None:
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(per_operation)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def memory(name: str) -> int:
    """Bytes this process holds (VmRSS), or ever held at once (VmHWM)."""
    path = Path("/proc/self/status")
    if path.is_file():
        for line in path.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    # Elsewhere only the most there ever was is known.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
