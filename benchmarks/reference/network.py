"""The DARTS search network as a module per edge and operation, in PyTorch.

What the production network is compared with: the same mathematics (Liu et al.
2019) in the form in which it is usually written down, layout NCHW. Parameters
carry the names of the published weights.
"""

import torch
from torch import nn
from torch.nn import functional

from benchmarks.reference.plan import (
    DILATED,
    NODES,
    SEPARABLE,
    STEM_MULTIPLIER,
    CellPlan,
    plan_cells,
)

NUM_OPERATIONS = 8


def normalization(channels: int, affine: bool = False) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1, affine=affine)


class Rectified(nn.Module):
    """ReLU, convolutions and batch normalisation, one after the other."""

    def __init__(self, *stages: nn.Module):
        super().__init__()
        self.op = nn.Sequential(*stages)

    def forward(self, x):
        return self.op(x)


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 1, stride, bias=False)


def depthwise(channels: int, kernel: int, stride: int, dilation: int = 1):
    return nn.Conv2d(
        channels,
        channels,
        kernel,
        stride,
        padding=dilation * (kernel // 2),
        dilation=dilation,
        groups=channels,
        bias=False,
    )


def relu_convolution(inputs: int, channels: int) -> nn.Module:
    return Rectified(
        nn.ReLU(), convolution(inputs, channels), normalization(channels)
    )


def separable(channels: int, kernel: int, stride: int) -> nn.Module:
    return Rectified(
        nn.ReLU(),
        depthwise(channels, kernel, stride),
        convolution(channels, channels),
        normalization(channels),
        nn.ReLU(),
        depthwise(channels, kernel, 1),
        convolution(channels, channels),
        normalization(channels),
    )


def dilated(channels: int, kernel: int, stride: int) -> nn.Module:
    return Rectified(
        nn.ReLU(),
        depthwise(channels, kernel, stride, dilation=2),
        convolution(channels, channels),
        normalization(channels),
    )


class FactorizedReduction(nn.Module):
    """Half of the channels from the even positions, half from the odd."""

    def __init__(self, inputs: int, channels: int):
        super().__init__()
        self.conv_1 = convolution(inputs, channels // 2, 2)
        self.conv_2 = convolution(inputs, channels - channels // 2, 2)
        self.bn = normalization(channels)

    def forward(self, x):
        x = functional.relu(x)
        halves = self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])
        return self.bn(torch.cat(halves, 1))


class Zero(nn.Module):
    """No connection: zeros of the strided size."""

    def __init__(self, stride: int):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0.0


class MixedOperation(nn.Module):
    """All operations of one edge, weighted (Eq. 2)."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        pools = (
            nn.MaxPool2d(3, stride, 1),
            nn.AvgPool2d(3, stride, 1, count_include_pad=False),
        )
        skip = (
            nn.Identity()
            if stride == 1
            else FactorizedReduction(channels, channels)
        )
        self._ops = nn.ModuleList(
            [
                Zero(stride),
                *(nn.Sequential(p, normalization(channels)) for p in pools),
                skip,
                *(separable(channels, kernel, stride) for kernel in SEPARABLE),
                *(dilated(channels, kernel, stride) for kernel in DILATED),
            ]
        )

    def forward(self, x, weights):
        return sum(
            weight * operation(x)
            for weight, operation in zip(weights, self._ops, strict=True)
        )


class Cell(nn.Module):
    """Two inputs, four nodes that each sum an edge from every one before."""

    def __init__(self, plan: CellPlan):
        super().__init__()
        self.reduction = plan.reduction
        self.preprocess0 = (
            FactorizedReduction(plan.older_channels, plan.channels)
            if plan.after_reduction
            else relu_convolution(plan.older_channels, plan.channels)
        )
        self.preprocess1 = relu_convolution(plan.newer_channels, plan.channels)
        self._ops = nn.ModuleList(
            MixedOperation(
                plan.channels, 2 if plan.reduction and source < 2 else 1
            )
            for node in range(NODES)
            for source in range(2 + node)
        )

    def forward(self, older, newer, weights):
        states = [self.preprocess0(older), self.preprocess1(newer)]
        edges = zip(self._ops, weights, strict=True)
        for _ in range(NODES):
            # States first: when they are used up, no edge too many is taken.
            arriving = zip(tuple(states), edges, strict=False)
            states.append(sum(edge(x, w) for x, (edge, w) in arriving))
        return torch.cat(states[2:], 1)


class SearchNetwork(nn.Module):
    """Stem, L cells, mean over the map, classifier; and alpha apart.

    Args:
      num_cells: L.
      num_channels: C.
      num_classes: logits.
    """

    def __init__(self, num_cells: int, num_channels: int, num_classes: int):
        super().__init__()
        stem_channels = STEM_MULTIPLIER * num_channels
        self.stem = nn.Sequential(
            nn.Conv2d(1, stem_channels, 3, padding=1, bias=False),
            normalization(stem_channels, affine=True),
        )
        plans = plan_cells(num_cells, num_channels)
        self.cells = nn.ModuleList(Cell(plan) for plan in plans)
        self.classifier = nn.Linear(NODES * plans[-1].channels, num_classes)
        # A plain list: alpha is not among the weights.
        self.alphas = [
            (
                1e-3 * torch.randn(len(cell._ops), NUM_OPERATIONS)
            ).requires_grad_()
            for cell in (self.cells[0], self.cells[0])
        ]

    def forward(self, x):
        older = newer = self.stem(x)
        normal, reduce = (torch.softmax(alpha, -1) for alpha in self.alphas)
        for cell in self.cells:
            weights = reduce if cell.reduction else normal
            older, newer = newer, cell(older, newer, weights)
        return self.classifier(newer.mean((2, 3)))
