"""Settings that a `config.json` notes, as the flags that ask for them.

    {"epochs": 4, "jit_compile": true, ...}  ->  --search_epochs=4 --jit_compile

Pure Python: `report` shall not define the flags of other programs.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from emotion_nas_tf.config import (
    CandidateSearchConfig,
    DerivedTrainConfig,
    FusionConfig,
    NetworkConfig,
    RecurrentConfig,
    RecurrentTrainConfig,
    SearchConfig,
    as_json,
)

# Fields that no flag sets.
_FIXED = dict.fromkeys(("final_learning_rate", "momentum", "gradient_clip"))
# Of the training of recurrent networks, flags that both streams have.
_SHARED = ("class_balance", "seed", "deterministic")
# By configuration, the flags that are not called as the field is.
_FLAGS: dict[type, Mapping[str, str | None]] = {
    NetworkConfig: {"num_nodes": None},
    SearchConfig: {
        **_FIXED,
        "epochs": "search_epochs",
        "architecture_weight_decay": None,
    },
    DerivedTrainConfig: {**_FIXED, "epochs": "train_epochs"},
    RecurrentConfig: {},
    RecurrentTrainConfig: {
        name: f"recurrent_{name}"
        for name in as_json(RecurrentTrainConfig())
        if name not in _SHARED
    },
    CandidateSearchConfig: {},
    FusionConfig: {
        "data": "fusion_data",
        "epochs": "fusion_epochs",
        "learning_rate": "fusion_learning_rate",
        "batch_size": "fusion_batch_size",
        "activation": "fusion_activation",
        "class_balance": "fusion_class_balance",
        "groups": "cross_fit_groups",
        "deterministic": None,
    },
}


@dataclass(frozen=True)
class NotedFlags:
    """Settings as flags, as far as flags can say them.

    Attributes:
      words: flags that differ from the defaults, as on a command line.
      hindrances: settings that no flag asks for, for people.
      lacking: settings there were none of when the folder was made.
    """

    words: tuple[str, ...] = ()
    hindrances: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    def __add__(self, other: "NotedFlags") -> "NotedFlags":
        return NotedFlags(
            tuple(dict.fromkeys((*self.words, *other.words))),
            tuple(dict.fromkeys((*self.hindrances, *other.hindrances))),
            tuple(dict.fromkeys((*self.lacking, *other.lacking))),
        )


def noted_flags(
    defaults: object,
    noted: Mapping,
    prefix: str = "",
    decided: Collection[str] = (),
) -> NotedFlags:
    """Which flags make a configuration what was noted.

    Args:
      defaults: the configuration without any flag; one of `config`'s.
      noted: values by field, of it and maybe of others.
      prefix: of its fields in `noted`.
      decided: fields that are not the flags' to say.
    """
    names = _FLAGS[type(defaults)]
    words, hindrances, lacking = [], [], []
    # Through JSON, so that tuples compare equal to lists.
    for field, default in json.loads(json.dumps(as_json(defaults))).items():
        if field in decided:
            continue
        if prefix + field not in noted:
            lacking.append(field)
            continue
        value = noted[prefix + field]
        if value == default:
            continue
        flag = names.get(field, field)
        if flag is None or value is None:
            hindrances.append(f"{prefix}{field} is {value}")
        elif isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no{flag}")
        else:
            words.append(f"--{flag}={_text(value)}")
    return NotedFlags(tuple(words), tuple(hindrances), tuple(lacking))


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
