"""Node functions with some arguments fixed: a seed, an architecture, a name that is already in the namespace."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Bound:
    """A function with constants, which Kedro sees as the function of the other arguments.

    Unlike ``functools.partial`` it keeps name, docstring and source (``kedro viz`` shows them) and its annotations
    (Kedro turns parameters into the pydantic classes that stand there). It can be pickled.

    Args:
        function: The node's function.
        constants: Its fixed keyword arguments.
    """

    def __init__(self, function: Callable[..., Any], **constants: Any) -> None:
        functools.update_wrapper(self, function)
        self.function, self.constants = function, constants
        signature = inspect.signature(function)
        free = [p for name, p in signature.parameters.items() if name not in constants]
        self.__signature__ = signature.replace(parameters=free)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function with the constants put in."""
        return self.function(*args, **kwargs, **self.constants)
