"""What a wav2vec 1.0 network is built of. Pure Python.

Source: Schneider et al., "wav2vec: Unsupervised Pre-training for Speech
Recognition" (2019); the settings' meaning is that of fairseq's code.
"""

import ast
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

from tfrecords_builder.errors import UsageError

# A convolution over time: (channels, kernel size, stride).
Layer = tuple[int, int, int]

ACTIVATIONS = ("relu", "gelu")
_MAX_LAYERS = 200
_MAX_TEXT = 10_000

_LARGE_ENCODER = (
    (512, 10, 5),
    (512, 8, 4),
    *((512, 4, 2),) * 3,
    *((512, 1, 1),) * 2,
)
_LARGE_AGGREGATOR = tuple((512, kernel, 1) for kernel in range(2, 14))


@dataclass(frozen=True)
class Wav2VecSettings:
    """Shape of a wav2vec 1.0 network; the defaults are wav2vec-large.

    Attributes:
      encoder: convolutions from the waveform to z.
      aggregator: causal convolutions from z to c.
      log_compression: z is log(|x| + 1) of the last encoder layer.
      skip_connections_encoder: around encoder layers of equal width.
      skip_connections_aggregator: around every aggregator layer, through a
        projection where widths differ.
      residual_scale: a block and its input are added and multiplied by the
        square root of this.
      aggregator_zero_pad: pad with zeros, not with the first frame.
      aggregator_bias: of the aggregator's convolutions.
      affine_norm: scale and offset after the group norm.
      activation: `relu` or `gelu`.
      prediction_steps: frames ahead that pretraining predicts.
      offset: frames that the first prediction is ahead, so that it sees
        nothing of its target; None for receptive field over hop, rounded up.
    """

    encoder: tuple[Layer, ...] = _LARGE_ENCODER
    aggregator: tuple[Layer, ...] = _LARGE_AGGREGATOR
    log_compression: bool = True
    skip_connections_encoder: bool = False
    skip_connections_aggregator: bool = True
    residual_scale: float = 0.5
    aggregator_zero_pad: bool = False
    aggregator_bias: bool = True
    affine_norm: bool = True
    activation: str = "relu"
    prediction_steps: int = 12
    offset: int | None = None

    def __post_init__(self):
        _check_layers("encoder", self.encoder)
        _check_layers("aggregator", self.aggregator)
        if self.activation not in ACTIVATIONS:
            raise UsageError(
                f"activation must be one of {ACTIVATIONS}. Received: "
                f"{self.activation!r}"
            )

    @property
    def z_size(self) -> int:
        """Channels of z."""
        return self.encoder[-1][0]

    @property
    def c_size(self) -> int:
        """Channels of c."""
        return self.aggregator[-1][0]

    @property
    def hop_samples(self) -> int:
        """Distance of two frames of z: 160 samples, 10 ms."""
        return math.prod(stride for _, _, stride in self.encoder)

    @property
    def receptive_field_samples(self) -> int:
        """Samples that one frame of z sees: 465."""
        return _receptive_field(self.encoder)

    @property
    def prediction_offset(self) -> int:
        """`offset`, worked out where it is None: 3."""
        if self.offset is not None:
            return self.offset
        return -(-self.receptive_field_samples // self.hop_samples)

    def num_frames(self, num_samples: int) -> int:
        """Frames of z, and of c, of an unpadded waveform."""
        length = num_samples
        for _, kernel, stride in self.encoder:
            length = (length - kernel) // stride + 1
            if length < 1:
                return 0
        for _, _, stride in self.aggregator:
            length = (length - 1) // stride + 1
        return length

    def to_json(self) -> dict:
        """JSON values from which `from_json` makes equal settings."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, object]) -> "Wav2VecSettings":
        """The inverse of `to_json`."""
        fields = dict(fields)
        for name in ("encoder", "aggregator"):
            fields[name] = tuple(tuple(layer) for layer in fields[name])
        return cls(**fields)

    @classmethod
    def from_fairseq(cls, args: Mapping[str, object]) -> "Wav2VecSettings":
        """Settings from a checkpoint's `args`; what is absent has its default.

        Raises:
          UsageError: when layers are missing or are no literals, or when the
            network is not wav2vec 1.0 with a convolutional aggregator.
        """
        aggregator = args.get("aggregator", "cnn")
        if aggregator != "cnn":
            raise UsageError(
                f"its aggregator is {aggregator!r}; only `cnn` is supported."
            )
        if args.get("vq_type", "none") not in ("none", None):
            raise UsageError(
                "it is a vq-wav2vec, whose features are quantised; only plain "
                "wav2vec is supported."
            )
        offset = args.get("offset", "auto")
        return cls(
            encoder=_layers(args, "conv_feature_layers"),
            aggregator=_layers(args, "conv_aggregator_layers"),
            log_compression=bool(args.get("log_compression", False)),
            skip_connections_encoder=bool(
                args.get("skip_connections_feat", False)
            ),
            skip_connections_aggregator=bool(
                args.get("skip_connections_agg", False)
            ),
            residual_scale=float(args.get("residual_scale", 0.5)),
            aggregator_zero_pad=bool(args.get("agg_zero_pad", False)),
            aggregator_bias=not args.get("no_conv_bias", False),
            affine_norm=not args.get("non_affine_group_norm", False),
            activation=args.get("activation", "relu"),
            prediction_steps=int(args.get("prediction_steps", 12)),
            offset=None if offset == "auto" else int(offset),
        )


def parse_layers(text: str) -> tuple[Layer, ...]:
    """Layers from `[(512, 10, 5)] + [(512, 4, 2)] * 3`, read, not executed.

    Lists of tuples of whole numbers, `+` between lists and `*` between a list
    and a number are understood.

    Raises:
      UsageError: for anything else.
    """
    try:
        if len(text) > _MAX_TEXT:
            raise ValueError("it is too long")
        layers = _value(ast.parse(text.strip(), mode="eval").body)
        if not isinstance(layers, list):
            raise ValueError("a list is expected")
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        raise UsageError(
            f"layers must read like [(512, 10, 5)] + [(512, 4, 2)] * 3 "
            f"({error}). Received: {shown!r}"
        ) from None
    return tuple(layers)


def _value(node: ast.expr) -> list | tuple | int:
    match node:
        case ast.Constant(value=int() as number) if not isinstance(
            number, bool
        ):
            return number
        case ast.Tuple(elts=elements):
            return tuple(_value(element) for element in elements)
        case ast.List(elts=elements):
            return [_value(element) for element in elements]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            left, right = _value(left), _value(right)
            if isinstance(left, list) and isinstance(right, list):
                return _limited(left + right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            left, right = _value(left), _value(right)
            if isinstance(left, int):
                left, right = right, left
            if isinstance(left, list) and isinstance(right, int):
                if right * len(left) > _MAX_LAYERS:
                    raise ValueError("too many layers")
                return left * right
    raise ValueError("something else than a list of layers")


def _limited(layers: list) -> list:
    if len(layers) > _MAX_LAYERS:
        raise ValueError("too many layers")
    return layers


def _layers(args: Mapping[str, object], name: str) -> tuple[Layer, ...]:
    text = args.get(name)
    if not isinstance(text, str):
        raise UsageError(f"its args have no {name}.")
    return parse_layers(text)


def _check_layers(name: str, layers: tuple):
    whole = layers and all(
        isinstance(layer, tuple)
        and len(layer) == 3
        and all(isinstance(number, int) and number > 0 for number in layer)
        for layer in layers
    )
    if not whole:
        raise UsageError(
            f"{name} must be tuples of (channels, kernel size, stride), all "
            f"positive. Received: {layers!r}"
        )


def _receptive_field(layers: tuple[Layer, ...]) -> int:
    field, hop = 1, 1
    for _, kernel, stride in layers:
        field += (kernel - 1) * hop
        hop *= stride
    return field
