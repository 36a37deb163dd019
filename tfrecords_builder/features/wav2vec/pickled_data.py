"""Reads pickles as data: nothing in them is imported, called or executed.

`pickle` runs what a file tells it to. Here a small machine goes through the
file's operations and builds numbers, text, lists and dictionaries; of the
names that pickles may import it knows those of a checkpoint, and they stand
for data too. Whatever else a file asks for, it is refused.
"""

import pickletools
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from tfrecords_builder.errors import UsageError

_STORAGES = {"FloatStorage": "<f4", "HalfStorage": "<f2"}
_ALLOWED = {
    ("argparse", "Namespace"),
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_tensor_v2"),
    *(("torch", name) for name in _STORAGES),
}
# Training meters, which old checkpoints carry along: noted, not made.
_IGNORED_MODULES = ("fairseq.meters",)


class PickleError(UsageError):
    """A pickle that holds something else than weights and settings."""


@dataclass(frozen=True)
class Storage:
    """Numbers of a tensor, somewhere else in the file.

    Attributes:
      key: names them.
      dtype: NumPy's name, little-endian.
      size: how many there are.
    """

    key: str
    dtype: str
    size: int


@dataclass(frozen=True)
class Tensor:
    """A view of a storage; offset and strides in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(eq=False)
class Record:
    """An `argparse.Namespace`."""

    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Name:
    module: str
    name: str


class _Ignored:
    """Stands for an object that nobody asks for."""


_MARK = object()


def read_pickle(
    file: BinaryIO, storages: dict[str, Storage] | None = None
) -> Any:
    """Reads one pickle from where `file` stands; leaves it after the end.

    Args:
      file: has `read` and `readline`.
      storages: takes every storage that the pickle names, by key.

    Returns:
      Python values; of classes, only `Tensor`, `Storage` and `Record`.

    Raises:
      PickleError: when it asks for anything but data, or is damaged.
    """
    machine = _Machine({} if storages is None else storages)
    try:
        for opcode, argument, _ in pickletools.genops(file):
            machine.step(opcode.name, argument)
        return machine.result()
    # What a damaged file may do to a machine without guards of its own.
    except (
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        AttributeError,
        OverflowError,
    ) as error:
        raise PickleError(
            f"it is damaged ({type(error).__name__}: {error})."
        ) from error


class _Machine:
    def __init__(self, storages: dict[str, Storage]):
        self._storages = storages
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def result(self) -> Any:
        """What is left."""
        [value] = self._stack
        return value

    def step(self, name: str, argument: Any) -> None:
        """Does one operation."""
        push, pop = self._stack.append, self._stack.pop
        match name:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case "MARK":
                push(_MARK)
            case "POP":
                pop()
            case "POP_MARK":
                self._pop_to_mark()
            case "DUP":
                push(self._stack[-1])
            case "NONE":
                push(None)
            case "NEWTRUE":
                push(True)
            case "NEWFALSE":
                push(False)
            case "EMPTY_TUPLE":
                push(())
            case "EMPTY_LIST":
                push([])
            case "EMPTY_DICT":
                push({})
            case "EMPTY_SET":
                push(set())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                count = int(name[-1])
                push(tuple(pop() for _ in range(count))[::-1])
            case "TUPLE":
                push(tuple(self._pop_to_mark()))
            case "LIST":
                push(self._pop_to_mark())
            case "DICT":
                push(_pairs(self._pop_to_mark()))
            case "FROZENSET":
                push(frozenset(self._pop_to_mark()))
            case "APPEND":
                value = pop()
                _of(list, self._stack[-1]).append(value)
            case "APPENDS":
                values = self._pop_to_mark()
                _of(list, self._stack[-1]).extend(values)
            case "ADDITEMS":
                values = self._pop_to_mark()
                _of(set, self._stack[-1]).update(values)
            case "SETITEM":
                value, key = pop(), pop()
                _of(dict, self._stack[-1])[key] = value
            case "SETITEMS":
                pairs = _pairs(self._pop_to_mark())
                _of(dict, self._stack[-1]).update(pairs)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = self._stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = self._stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                push(self._memo[argument])
            case "GLOBAL":
                push(_allowed(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                attribute, module = pop(), pop()
                push(_allowed(_of(str, module), _of(str, attribute)))
            case "REDUCE" | "NEWOBJ":
                arguments, made = pop(), pop()
                push(_make(made, _of(tuple, arguments)))
            case "BUILD":
                state = pop()
                _set_state(self._stack[-1], state)
            case "BINPERSID":
                storage = _storage(pop())
                self._storages[storage.key] = storage
                push(storage)
            case _ if argument is not None and name not in _REFUSED:
                push(argument)
            case _:
                raise PickleError(
                    f"its pickle has the operation {name}, which weights do "
                    "not need; refused, nothing was executed."
                )

    def _pop_to_mark(self) -> list:
        values = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]


# They have an argument and are more than a value.
_REFUSED = frozenset(
    {
        "INST",
        "EXT1",
        "EXT2",
        "EXT4",
        "PERSID",
        "NEXT_BUFFER",
        "READONLY_BUFFER",
    }
)


def _allowed(module: str, name: str) -> _Name:
    if (module, name) in _ALLOWED or module in _IGNORED_MODULES:
        return _Name(module, name)
    raise PickleError(
        f"its pickle asks for {module}.{name}, which weights do not need; "
        "refused, nothing was executed."
    )


def _make(made: _Name, arguments: tuple) -> Any:
    """What calling an allowed name would give, as data."""
    match _of(_Name, made).name:
        case _ if made.module in _IGNORED_MODULES:
            return _Ignored()
        case "OrderedDict":
            return dict(*arguments)
        case "Namespace" if not arguments:
            return Record()
        case "_rebuild_tensor_v2":
            storage, offset, shape, strides = arguments[:4]
            return Tensor(
                _of(Storage, storage),
                _of(int, offset),
                _integers(shape),
                _integers(strides),
            )
    raise ValueError(f"{made.name} cannot be made of {len(arguments)} values")


def _set_state(owner: Any, state: Any) -> None:
    if isinstance(owner, Record):
        owner.fields.update(_of(dict, state))
    # An OrderedDict's attributes are versions of torch's modules.
    elif not isinstance(owner, dict | _Ignored):
        raise ValueError(f"a {type(owner).__name__} has no state")


def _storage(identity: Any) -> Storage:
    kind, name, key, _, size, *view = _of(tuple, identity)
    if kind != "storage" or any(part is not None for part in view):
        raise ValueError("a storage of a kind that torch does not write")
    return Storage(
        _of(str, key), _STORAGES[_of(_Name, name).name], _of(int, size)
    )


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(
            f"{kind.__name__} expected, {type(value).__name__} found"
        )
    return value


def _integers(values: Any) -> tuple[int, ...]:
    return tuple(_of(int, value) for value in _of(tuple, values))


def _pairs(values: list) -> dict:
    return dict(zip(values[::2], values[1::2], strict=True))
