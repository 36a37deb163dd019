"""The derived network in plain PyTorch: a module an operation, NCHW.

As published (Liu et al. 2019). It takes its weights from a `DerivedNetwork`,
so that both can be compared in output before they are compared in time.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from emotion_nas_tf.networks.derived import DerivedNetwork
from emotion_nas_tf.search_space.genotype import EDGES_PER_NODE


def _tensor(weight) -> torch.Tensor:
    return torch.from_numpy(np.array(weight))


def _normalization(ours) -> nn.Module:
    layer = nn.BatchNorm2d(ours.gamma.shape[0], eps=1e-5, momentum=0.1)
    layer.load_state_dict(
        {
            "weight": _tensor(ours.gamma),
            "bias": _tensor(ours.beta),
            "running_mean": _tensor(ours.moving_mean),
            "running_var": _tensor(ours.moving_variance),
            "num_batches_tracked": torch.tensor(0),
        }
    )
    return layer


def _convolution(kernel, *sizes, **options) -> nn.Module:
    """`kernel` is (out, in / groups, height, width)."""
    outputs, inputs = kernel.shape[:2]
    inputs *= options.get("groups", 1)
    layer = nn.Conv2d(inputs, outputs, *sizes, bias=False, **options)
    layer.weight.data = kernel.contiguous()
    return layer


def _pointwise(kernel, stride=1) -> nn.Module:
    kernel = _tensor(kernel)
    kernel = kernel.reshape(kernel.shape[-2:]).T[:, :, None, None]
    return _convolution(kernel, 1, stride)


def _relu_convolution(ours) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(), _pointwise(ours.kernel), _normalization(ours.normalization)
    )


class _Reduction(nn.Module):
    def __init__(self, ours):
        super().__init__()
        self.even = _pointwise(ours.even, 2)
        self.odd = _pointwise(ours.odd, 2)
        self.normalization = _normalization(ours.last)

    def forward(self, x):
        x = functional.relu(x)
        halves = self.even(x), self.odd(x[:, :, 1:, 1:])
        return self.normalization(torch.cat(halves, 1))


def _stage(ours, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    kernel = _tensor(ours.depthwise)[0].permute(2, 0, 1)[:, None]
    size = ours.depthwise.shape[1]
    return [
        nn.ReLU(),
        _convolution(
            kernel,
            size,
            stride,
            padding=dilation * (size // 2),
            dilation=dilation,
            groups=len(kernel),
        ),
        _pointwise(ours.pointwise),
        _normalization(ours.normalization),
    ]


class _Zero(nn.Module):
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0.0


def _operation(name, ours) -> nn.Module:
    if name == "none":
        return _Zero(ours.stride)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, ours.stride, 1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, ours.stride, 1, count_include_pad=False)
    if name == "skip_connect":
        return nn.Identity() if ours.stride == 1 else _Reduction(ours)
    if name.startswith("sep_conv"):
        return nn.Sequential(
            *_stage(ours.first, ours.stride), *_stage(ours.second)
        )
    return nn.Sequential(*_stage(ours.stage, ours.stride, dilation=2))


class _Cell(nn.Module):
    def __init__(self, ours):
        super().__init__()
        halved = hasattr(ours.preprocess0, "even")
        first = _Reduction if halved else _relu_convolution
        self.preprocess0 = first(ours.preprocess0)
        self.preprocess1 = _relu_convolution(ours.preprocess1)
        self.sources = [source for _, source in ours.edges]
        self.concat = ours.concat
        self.operations = nn.ModuleList(
            _operation(name, operation)
            for (name, _), operation in zip(
                ours.edges, ours.operations, strict=True
            )
        )

    def forward(self, older, newer):
        states = [self.preprocess0(older), self.preprocess1(newer)]
        for first in range(0, len(self.sources), EDGES_PER_NODE):
            states.append(
                sum(
                    self.operations[index](states[self.sources[index]])
                    for index in range(first, first + EDGES_PER_NODE)
                )
            )
        return torch.cat([states[node] for node in self.concat], 1)


class TorchNetwork(nn.Module):
    """The same network, with the same weights: (batch, 1, F, T) to logits."""

    def __init__(self, ours: DerivedNetwork):
        super().__init__()
        stem = _tensor(ours.stem).permute(3, 2, 0, 1)
        self.stem = nn.Sequential(
            _convolution(stem, 3, padding=1),
            _normalization(ours.stem_normalization),
        )
        self.cells = nn.ModuleList(_Cell(cell) for cell in ours.cells)
        kernel = _tensor(ours.classifier.kernel).T
        self.classifier = nn.Linear(*reversed(kernel.shape))
        self.classifier.weight.data = kernel.contiguous()
        self.classifier.bias.data = _tensor(ours.classifier.bias)

    def forward(self, x):
        older = newer = self.stem(x)
        for cell in self.cells:
            older, newer = newer, cell(older, newer)
        return self.classifier(newer.mean((2, 3)))


class TorchWork:
    """What is timed: a training step and inference.

    Args:
      network: trained and asked.
      x: (batch, frequency, time, 1) clips.
      y: (batch,) classes.
    """

    def __init__(self, network: TorchNetwork, x: np.ndarray, y: np.ndarray):
        self.network = network
        self.x = torch.from_numpy(np.moveaxis(x, -1, 1).copy())
        self.y = torch.from_numpy(y).long()
        self.optimizer = torch.optim.SGD(
            network.parameters(), 1e-4, momentum=0.9, weight_decay=3e-4
        )

    def backward(self) -> float:
        """Loss gradients of all weights; their norm."""
        self.network.train()
        self.optimizer.zero_grad()
        functional.cross_entropy(self.network(self.x), self.y).backward()
        return float(nn.utils.clip_grad_norm_(self.network.parameters(), 5.0))

    def train(self) -> None:
        """One step: the same loss, clip and rule."""
        self.backward()
        self.optimizer.step()

    def infer(self, batch: int) -> np.ndarray:
        """Logits of the first clips, with running statistics."""
        self.network.eval()
        with torch.no_grad():
            return self.network(self.x[:batch]).numpy()
