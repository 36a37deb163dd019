"""Which flags were given, and which of them do nothing."""

import sys
from types import ModuleType

from absl import flags


def given_flags(*modules: ModuleType) -> list[str]:
    """Names of the modules' flags that were given, on the command line or in
    a file of flags.
    """
    by_module = flags.FLAGS.flags_by_module_dict()
    return [
        flag.name
        for module in modules
        for flag in by_module.get(module.__name__, ())
        if flag.present
    ]


def note_idle_flags(reason: str, *modules: ModuleType) -> None:
    """Says on the terminal which of the modules' flags do nothing.

    A note and no error: one file of flags serves several programs.

    Args:
      reason: why, after "do nothing here: ".
      *modules: of the flags.
    """
    if given := given_flags(*modules):
        names = ", ".join(f"--{name}" for name in given)
        do = "do" if len(given) > 1 else "does"
        print(f"Note: {names} {do} nothing here: {reason}.", file=sys.stderr)
