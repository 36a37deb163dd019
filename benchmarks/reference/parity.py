"""Is the PyTorch step the published one? Compared with published numbers."""

from pathlib import Path

import numpy as np
import torch

from benchmarks.reference.network import SearchNetwork
from benchmarks.reference.step import SearchStep, load_published

TOLERANCE = 1e-9
_NAMES = ("normal", "reduce")


def check_fixture(path: Path) -> dict[str, float]:
    """The largest deviations, in double precision.

    Args:
      path: `darts_parity_supernet.npz`, numbers that the published code gave.

    Returns:
      By quantity: largest difference over the largest published value.

    Raises:
      ValueError: when one is above `TOLERANCE`.
    """
    torch.set_default_dtype(torch.float64)
    # So small a network gains nothing from more, and waits for them.
    torch.set_num_threads(1)
    with np.load(path, allow_pickle=False) as file:
        published = dict(file.items())
    deviations: dict[str, list[float]] = {}
    for pruned in (False, True):
        for name, ours, theirs in _measure(published, pruned):
            difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
            deviations.setdefault(name, []).append(float(difference))
    worst = {name: max(values) for name, values in deviations.items()}
    if not max(worst.values()) <= TOLERANCE:
        raise ValueError(f"The PyTorch step is not the published one: {worst}")
    return worst


def _measure(published, pruned):
    """(quantity, ours, published) of one variant of the step."""
    step = _make_step(published, pruned)
    logits = step.network(_tensor(published["x_nchw"])).detach().numpy()
    yield "logits", logits, published["logits_train_f64"]

    step = _make_step(published, pruned)
    validation = _tensor(published["x_val_nchw"]), _labels(published["y_val"])
    alphas = [alpha.detach().numpy().copy() for alpha in step.network.alphas]
    for number in (1, 2, 3):
        step.move_alphas(*validation)
        if number == 1:
            for k, gradient in enumerate(step.alpha_gradients()):
                yield (
                    "alpha gradients",
                    gradient - 1e-3 * alphas[k],
                    published[f"first_order/dalpha_{_NAMES[k]}_f64"],
                )
    for name, alpha in zip(_NAMES, step.network.alphas, strict=True):
        yield (
            "alphas after 3 steps",
            alpha.detach().numpy(),
            published[f"adam_step3/alphas_{name}_f64"],
        )

    step = _make_step(published, pruned)
    names = dict(step.network.named_parameters())
    for name, parameter in names.items():
        step.weight_optimizer.state[parameter]["momentum_buffer"] = _tensor(
            published[f"momentum_buffer/{name}"]
        )
    for rate in (0.025, 0.0125):
        step.weight_optimizer.param_groups[0]["lr"] = rate
        step.move_weights(_tensor(published["x_nchw"]), _labels(published["y"]))
    for name, parameter in names.items():
        yield (
            "weights after 2 steps",
            parameter.detach().numpy(),
            published[f"sgd_step2/w/{name}"],
        )


def _make_step(published, pruned: bool) -> SearchStep:
    # L=3, C=4, as the numbers were made.
    network = SearchNetwork(3, 4, 4)
    load_published(
        network,
        {
            name.removeprefix("w/"): value.astype(np.float64)
            for name, value in published.items()
            if name.startswith("w/")
        },
    )
    for name, alpha in zip(_NAMES, network.alphas, strict=True):
        alpha.data = _tensor(published[f"alphas_{name}"])
    return SearchStep(network, pruned)


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.float64))


def _labels(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array.astype(np.int64))
