"""Flags whose value must be greater than 0, which absl's bounds cannot say."""

from absl import flags

# A flag belongs to the module that calls, not to this one.
flags.disclaim_key_flags()


def define_positive(
    name: str, default: float, help_text: str
) -> flags.FlagHolder[float]:
    """Defines a float flag greater than 0.

    Args:
      name: the flag's.
      default: its value where it is not given.
      help_text: for people.
    """
    flag = flags.DEFINE_float(name, default, f"{help_text} Greater than 0.")
    flags.register_validator(
        name, lambda value: value > 0, "it must be greater than 0."
    )
    return flag
