"""Node functions with some arguments fixed: a seed, an architecture, a name that is already in the namespace."""

from __future__ import annotations

import functools
import inspect
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def bind(function: Callable[..., Any], **constants: Any) -> MethodType:
    """Fixes arguments of a node's function; Kedro sees a function of the other ones.

    Unlike ``functools.partial`` this keeps name, docstring and annotations (Kedro turns parameters into the pydantic
    classes that stand there) and the source, which ``kedro viz`` shows of functions and methods alone; and unlike a
    function within a function the result can be pickled, which ``ParallelRunner`` asks.

    Args:
        function: The node's function.
        constants: Its fixed keyword arguments, kept as ``constants``.
    """
    return _Constants(function, constants).method


class _Constants:
    """The fixed arguments, and under its own name the function as their method: so pickle finds it."""

    def __init__(self, function: Callable[..., Any], constants: dict[str, Any]) -> None:
        @functools.wraps(function)
        def call(_: _Constants, *args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs, **constants)

        _place_at(call, function)
        signature = inspect.signature(function)
        itself = inspect.Parameter("_", inspect.Parameter.POSITIONAL_ONLY)
        free = [parameter for name, parameter in signature.parameters.items() if name not in constants]
        vars(call).update(constants=constants, __signature__=signature.replace(parameters=[itself, *free]))
        self.method = MethodType(call, self)
        self._made_from = function, constants
        setattr(self, function.__name__, self.method)

    def __reduce__(self) -> tuple[type[_Constants], tuple[Any, ...]]:
        return _Constants, self._made_from


def _place_at(call: Callable[..., Any], function: Callable[..., Any]) -> None:
    """Says of a call that it stands where its function begins: ``kedro viz`` asks the code for the file."""
    if isinstance(call, FunctionType) and isinstance(function, FunctionType):
        there = function.__code__
        call.__code__ = call.__code__.replace(co_filename=there.co_filename, co_firstlineno=there.co_firstlineno)
