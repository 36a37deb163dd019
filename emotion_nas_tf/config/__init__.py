"""Configurations: dataclasses that flags fill, with the paper's values.

Pure Python: imported by flags, tests and programs before TensorFlow is.
"""

from emotion_nas_tf.config.networks import (
    RELAXATIONS,
    NetworkConfig,
    RecurrentConfig,
)
from emotion_nas_tf.config.programs import (
    FUSION_ACTIVATIONS,
    FUSION_DATA,
    REPORT_FORMATS,
    CompareConfig,
    EnsembleConfig,
    EvaluateConfig,
    ExportConfig,
    FusionConfig,
    PredictConfig,
    ProtocolConfig,
    ReportConfig,
    RunConfig,
)
from emotion_nas_tf.config.recurrent import (
    PARALLEL_BACKENDS,
    CandidateSearchConfig,
    RecurrentTrainConfig,
)
from emotion_nas_tf.config.training import (
    ARCHITECTURE_SPLITS,
    CLASS_BALANCES,
    DERIVATIONS,
    DISTRIBUTIONS,
    ORDERS,
    PRECISIONS,
    DerivedTrainConfig,
    SearchConfig,
    TrainConfig,
)
from emotion_nas_tf.config.values import (
    as_json,
)

__all__ = [
    "ARCHITECTURE_SPLITS",
    "CLASS_BALANCES",
    "DERIVATIONS",
    "DISTRIBUTIONS",
    "FUSION_ACTIVATIONS",
    "FUSION_DATA",
    "ORDERS",
    "PARALLEL_BACKENDS",
    "PRECISIONS",
    "RELAXATIONS",
    "REPORT_FORMATS",
    "CandidateSearchConfig",
    "CompareConfig",
    "DerivedTrainConfig",
    "EnsembleConfig",
    "EvaluateConfig",
    "ExportConfig",
    "FusionConfig",
    "NetworkConfig",
    "PredictConfig",
    "ProtocolConfig",
    "RecurrentConfig",
    "RecurrentTrainConfig",
    "ReportConfig",
    "RunConfig",
    "SearchConfig",
    "TrainConfig",
    "as_json",
]
