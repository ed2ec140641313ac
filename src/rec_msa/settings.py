"""Kedro's project settings."""

import warnings

from kedro import KedroDeprecationWarning

from rec_msa.framework.config import CellConfigLoader
from rec_msa.framework.hooks import ClearErrors, Readings, Runs, Threads
from rec_msa.framework.session import ClearSession

# Both spellings work; the documentation keeps the shorter one.
warnings.filterwarnings("ignore", message="Option '--pipeline'", category=KedroDeprecationWarning)

# Dots in names are our namespaces.
warnings.filterwarnings("ignore", message="One or more dataset names contain '.'", category=UserWarning)

SESSION_CLASS = ClearSession
CONFIG_LOADER_CLASS = CellConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # Else an environment's `attacks:` would replace base's whole key.
    "merge_strategy": {"parameters": "soft"},
}
HOOKS = (ClearErrors(), Threads(), Runs(), Readings())
