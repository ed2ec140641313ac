"""Functions of the user's own, named ``module:function``."""

from __future__ import annotations

import sys
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rec_msa.foundation.errors import SettingsError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable


def function_of(name: str, key: str) -> Callable[..., Any]:
    """Imports a function; modules of the current directory and of the project's folder are found, too.

    Args:
        name: ``module:function``.
        key: The parameter that names it, for messages.

    Raises:
        SettingsError: The module cannot be imported, which shows why, or has no such function.
    """
    module, _, function = name.partition(":")
    _look_here()
    try:
        imported = import_module(module)
    except (Exception, SystemExit) as error:
        msg = f"{key}: '{module}' cannot be imported: {type(error).__name__}: {error}"
        raise SettingsError(msg) from error
    found = getattr(imported, function, None)
    if not callable(found):
        callables = [one for one in vars(imported) if callable(getattr(imported, one)) and not one.startswith("_")]
        raise SettingsError(f"{key}: '{module}' has no function '{function}'; {nearest(function, callables)}")
    called: Callable[..., Any] = found
    return called


def file_of(name: str) -> Path | None:
    """The file of a function's module, without importing it; None where there is none."""
    _look_here()
    try:
        found = util.find_spec(name.partition(":")[0])
    except Exception:  # whatever a package does on its way; who imports it says what
        return None
    path = Path(found.origin) if found is not None and found.origin else None
    return path if path is not None and path.is_file() else None


def _look_here() -> None:
    """Has modules found that lie in the current directory, or in the project's folder above it."""
    here = Path.cwd()
    project = next((folder for folder in (here, *here.parents) if (folder / "pyproject.toml").is_file()), here)
    for folder in dict.fromkeys((here, project)):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
