"""The two ways in which a program ends badly, and their exit codes.

A message says what happened, what was expected and what to do; programs print
it without a traceback. Anything else that escapes is a defect of ours and
keeps its traceback.
"""


class UsageError(Exception):
    """What was asked for cannot be done as asked: exit code 2.

    A missing folder, an unknown label, records of another front end, a fold
    that does not exist.
    """

    exit_code = 2


class WorkError(Exception):
    """The request was sound and the work failed: exit code 1.

    A full disk, a damaged file, a loss that is no longer finite.
    """

    exit_code = 1
