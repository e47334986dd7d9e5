"""Eight words side by side, as a value of compiled code.

numba compiles loops over arrays, and what such loops keep from one bit-wise operation to the next
goes through memory. A value of eight words stays in the processor's vector registers: LLVM makes of
it what the processor has, one register or several.

numba keeps compiled code until the file with the called function changes. After a change here or
in :mod:`sim.execution.compiling`, remove ``__pycache__``.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

__all__ = [
    "LANES",
    "both",
    "bytes_of",
    "either",
    "extract",
    "left",
    "load",
    "ones",
    "other",
    "right",
    "spread",
    "store",
]

LANES = 8
"""Words of a value."""

_WORD = ir.IntType(64)
_WORDS = ir.VectorType(_WORD, LANES)


class Lanes(types.Type):
    """Type of a value of eight words."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any):
        super().__init__(manager, kind, _WORDS)


def _emitted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of compiled code: ``function`` returns its signature, and what emits it."""
    return intrinsic(function)


def _splat(builder: Any, word: Any) -> Any:
    zero = ir.Constant(ir.IntType(32), 0)
    vector = builder.insert_element(ir.Constant(_WORDS, ir.Undefined), word, zero)
    mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(vector, vector, mask)


def _address(context: Any, builder: Any, array: Any, value: Any, index: Any) -> Any:
    data = context.make_array(array)(context, builder, value).data
    return builder.bitcast(builder.gep(data, [index]), _WORDS.as_pointer())


@_emitted
def load(typing: Any, array: Any, index: Any) -> Any:
    """Return eight words of a flat array, from an index on."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address = _address(context, builder, signature.args[0], values[0], values[1])
        return builder.load(address, align=8)

    return lanes(array, types.uint64), code


@_emitted
def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write eight words to a flat array, from an index on."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address = _address(context, builder, signature.args[0], values[0], values[1])
        builder.store(values[2], address, align=8)
        return context.get_dummy_value()

    return types.void(array, types.uint64, lanes), code


@_emitted
def spread(typing: Any, word: Any) -> Any:
    """Return the same word eight times."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _splat(builder, values[0])

    return lanes(types.uint64), code


@_emitted
def extract(typing: Any, value: Any, lane: Any) -> Any:
    """Return one of the eight words."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.extract_element(*values)

    return types.uint64(lanes, types.uint64), code


def _bitwise(name: str, text: str) -> Callable[..., Any]:
    """Return an operation on two values."""

    def operation(typing: Any, a: Any, b: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return getattr(builder, name)(*values)

        return lanes(lanes, lanes), code

    operation.__doc__ = text
    return _emitted(operation)


both = _bitwise("and_", "Return the ones that both values have.")
either = _bitwise("or_", "Return the ones that one of two values has, or both.")
other = _bitwise("xor", "Return the ones that only one of two values has.")


def _shift(name: str, text: str) -> Callable[..., Any]:
    """Return a shift of all words by the same number of bits."""

    def operation(typing: Any, a: Any, bits: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return getattr(builder, name)(values[0], _splat(builder, values[1]))

        return lanes(lanes, types.uint64), code

    operation.__doc__ = text
    return _emitted(operation)


left = _shift("shl", "Return all words shifted left.")
right = _shift("lshr", "Return all words shifted right.")


@_emitted
def bytes_of(typing: Any, word: Any) -> Any:
    """Return the bytes of a word, the lowest one first."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        shifts = ir.Constant(_WORDS, [8 * lane for lane in range(LANES)])
        low = ir.Constant(_WORDS, [255] * LANES)
        return builder.and_(builder.lshr(_splat(builder, values[0]), shifts), low)

    return lanes(types.uint64), code


@_emitted
def ones(typing: Any, value: Any) -> Any:
    """Count the ones of a value."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        module = builder.module
        count = cgutils.get_or_insert_function(
            module, ir.FunctionType(_WORDS, [_WORDS]), f"llvm.ctpop.v{LANES}i64"
        )
        total = cgutils.get_or_insert_function(
            module, ir.FunctionType(_WORD, [_WORDS]), f"llvm.vector.reduce.add.v{LANES}i64"
        )
        return builder.call(total, [builder.call(count, values)])

    return types.int64(lanes), code
