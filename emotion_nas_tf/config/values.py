"""What of a configuration decides a result."""

import dataclasses
from pathlib import Path

# Marks a field that a run may go on with another value of.
CHANGES_NO_RESULT = {"changes_result": False}


def as_json(config: object) -> dict:
    """A configuration as plain JSON values: what decides the result."""
    return {
        field.name: str(value) if isinstance(value, Path) else value
        for field in dataclasses.fields(config)
        if field.metadata.get("changes_result", True)
        for value in [getattr(config, field.name)]
    }
