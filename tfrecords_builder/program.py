"""How every program of this project starts and ends.

A program module holds `main()` and ends in `program.run(main)`.
Flags are parsed here, errors become one sentence and an exit code here, and
nowhere else.
"""

import errno
import math
import os
import sys
import tempfile
from collections.abc import Callable, Sequence

from absl import app, flags, logging

from tfrecords_builder.errors import UsageError, WorkError

USAGE_EXIT_CODE = UsageError.exit_code
FAILURE_EXIT_CODE = WorkError.exit_code

_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# How many threads TensorFlow gives one operation; read when it starts.
KERNEL_THREADS = "TF_NUM_INTRAOP_THREADS"


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Parses the flags, calls `main(positional_arguments)` and exits.

    Exit code 0 when `main` returns and after --help, 2 for a flag or
    `UsageError`, 1 for a `WorkError` or a failing disk, 130 after Ctrl-C. A
    message goes to standard error; standard output belongs to the program's
    result.
    """
    # TensorFlow's notices would bury the program's own lines; a user who wants
    # them sets the variable.
    os.environ.setdefault(_LOG_LEVEL, "2")
    _show_flags_in_help()
    app.run(lambda argv: _guarded(main, argv[1:]), flags_parser=_parse_flags)


def load_tensorflow(
    prepare: Callable[[], None] = lambda: None,
    deterministic: bool = False,
    kernel_threads: int | None = None,
) -> None:
    """Imports TensorFlow without its start-up notices.

    At log level 2 TensorFlow should not print them, and does: to standard
    error, one of them calling a machine without a GPU an error. They are
    shown when the import fails. At other levels only `prepare` is called.

    Args:
      prepare: what must be set between the import and the first tensor.
      deterministic: let an operation have one thread, so that the number of
        cores a run is given divides no sum; operations still run beside each
        other.
      kernel_threads: for one operation; a user's own setting goes before it.
    """
    if deterministic:
        os.environ[KERNEL_THREADS] = "1"
    elif kernel_threads:
        os.environ.setdefault(KERNEL_THREADS, str(kernel_threads))
    if os.environ.get(_LOG_LEVEL) not in ("2", "3"):
        prepare()
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as notices:
        os.dup2(notices.fileno(), 2)
        try:
            import tensorflow as tf

            prepare()
            # The first tensor starts the devices, which brings the rest.
            tf.zeros(())
        except ImportError:
            notices.seek(0)
            os.write(terminal, notices.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def refuse_arguments(arguments: Sequence[str]) -> None:
    """For programs that take flags only.

    Raises:
      UsageError: when a word is not a flag.
    """
    if arguments:
        raise UsageError(
            "Only flags are understood, as --name=value. Received: "
            f"{' '.join(arguments)}"
        )


def _show_flags_in_help() -> None:
    """Adds the flags modules' flags to --help.

    absl lists what the program's own module defines: here nothing.
    """
    for module in [name for name in sys.modules if name.startswith("flags.")]:
        for flag in flags.FLAGS.get_flags_for_module(module):
            flags.FLAGS.register_key_flag_for_module(sys.argv[0], flag)


def _parse_flags(argv: Sequence[str]) -> list[str]:
    try:
        words = flags.FLAGS(argv)
        _refuse_infinite_flags()
    except flags.Error as error:
        _fail(f"{error}\nRun with --help to see every flag.", USAGE_EXIT_CODE)
    except SystemExit:
        # Only --help and its kin end a program here. absl lets them fail.
        sys.exit(0)
    return words


def _refuse_infinite_flags() -> None:
    """absl's bounds let `nan` pass, which is below and above nothing."""
    for name in flags.FLAGS:
        value = flags.FLAGS[name].value
        if isinstance(value, float) and not math.isfinite(value):
            raise flags.IllegalFlagValueError(
                f"flag --{name}={value}: it must be a finite number."
            )


def _guarded(main: Callable[[Sequence[str]], None], argv: Sequence[str]):
    # What TensorFlow's Python code tells its developers (tracing, files of a
    # SavedModel) is no part of an answer; --verbosity brings it back.
    if not flags.FLAGS["verbosity"].present:
        logging.set_verbosity(logging.ERROR)
    try:
        main(argv)
    except (UsageError, WorkError) as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(_describe_os_error(error), FAILURE_EXIT_CODE)
    except KeyboardInterrupt:
        _fail("Stopped. Run the same command again to go on.", 130)


def _describe_os_error(error: OSError) -> str:
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full{place}. What was finished before is kept: free "
            "some space and run the same command again."
        )
    return f"The operating system refused: {error.strerror or error}{place}."


def _fail(message: str, exit_code: int) -> None:
    print(f"Error: {message}", file=sys.stderr, flush=True)
    sys.exit(exit_code)
