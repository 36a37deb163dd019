"""The plain first-order search step in PyTorch (Liu et al. 2019)."""

from collections.abc import Mapping

import numpy as np
import torch
from torch.nn import functional

from benchmarks.reference.network import SearchNetwork

GRADIENT_CLIP = 5.0


class SearchStep:
    """Alpha by Adam on a validation batch, weights by SGD on a training one.

    Args:
      network: whose alphas and weights are moved.
      pruned: each pass takes only the gradients it needs. As published, both
        passes go back to every weight and alpha.
    """

    def __init__(self, network: SearchNetwork, pruned: bool):
        self.network, self.pruned = network, pruned
        self.weights = list(network.parameters())
        self.architecture_optimizer = torch.optim.Adam(
            network.alphas, lr=3e-4, betas=(0.5, 0.999), weight_decay=1e-3
        )
        self.weight_optimizer = torch.optim.SGD(
            self.weights, lr=0.025, momentum=0.9, weight_decay=3e-4
        )

    def move_alphas(self, x: torch.Tensor, y: torch.Tensor) -> float:
        """Moves alpha; the loss before."""
        self._take_gradients(alphas=True)
        self.architecture_optimizer.zero_grad()
        loss = functional.cross_entropy(self.network(x), y)
        loss.backward()
        self.architecture_optimizer.step()
        return loss.item()

    def move_weights(self, x: torch.Tensor, y: torch.Tensor) -> float:
        """Moves the weights; the loss before."""
        self._take_gradients(alphas=False)
        self.weight_optimizer.zero_grad()
        loss = functional.cross_entropy(self.network(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, GRADIENT_CLIP)
        self.weight_optimizer.step()
        return loss.item()

    def alpha_gradients(self) -> np.ndarray:
        """(2, edges, 8) of the first step, weight decay added."""
        state = self.architecture_optimizer.state
        return np.stack(
            [
                state[a]["exp_avg"].numpy() / (1 - 0.5)
                for a in self.network.alphas
            ]
        )

    def _take_gradients(self, alphas: bool) -> None:
        if self.pruned:
            for alpha in self.network.alphas:
                alpha.requires_grad_(alphas)
            for weight in self.weights:
                weight.requires_grad_(not alphas)


def published_weights(network: SearchNetwork) -> dict[str, np.ndarray]:
    """Weights and running statistics by published name."""
    return {
        name: value.numpy().copy()
        for name, value in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def load_published(
    network: SearchNetwork, published: Mapping[str, np.ndarray]
) -> None:
    """Sets them; every one must be met."""
    own = published_weights(network)
    if set(own) != set(published):
        raise ValueError(
            f"Other weights than expected: {set(own) ^ set(published)}"
        )
    network.load_state_dict(
        {name: torch.from_numpy(value) for name, value in published.items()},
        strict=False,
    )
