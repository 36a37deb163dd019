"""Can networks answer together? Members of an ensemble must be alike."""

import dataclasses
from pathlib import Path
from typing import Any

from tfrecords_builder.errors import UsageError

# What `network.json` says, of any stream.
Info = Any

# Settings of networks that derived ones do not depend on.
_OF_SEARCH = ("num_nodes", "relaxation", "partial_channels")


def check_alike(
    first: Info, first_folder: Path, info: Info, folder: Path
) -> None:
    """Refuses members that do not hear or answer the same.

    Args:
      first: what `network.json` says of the first member.
      first_folder: where that lies.
      info: of another member.
      folder: where that lies.

    Raises:
      UsageError: naming classes, features, records or sizes that differ.
    """
    facts = [
        {
            "classes": ", ".join(each.label_names),
            "features": each.fingerprint,
            "records": each.records,
            # Also whether utterances are padded alike for all, or not at all.
            **{f"--{name}": value for name, value in _sizes(each).items()},
        }
        for each in (info, first)
    ]
    differing = [
        name
        for name in {**facts[0], **facts[1]}
        if facts[0].get(name) != facts[1].get(name)
    ]
    if differing:
        texts = [
            "; ".join(f"{name} {str(of.get(name))[:40]}" for name in differing)
            for of in facts
        ]
        raise UsageError(
            f"{folder} and {first_folder} cannot answer together: "
            f"{texts[0]} there, {texts[1]} here."
        )


def _sizes(info: Info) -> dict[str, Any]:
    """Settings of the network but for its search's; none of a comparator."""
    network = getattr(info, "network", None)
    sizes = dataclasses.asdict(network) if network else {}
    return {name: v for name, v in sizes.items() if name not in _OF_SEARCH}
