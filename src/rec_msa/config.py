"""The configuration loader: parameters are checked before anything is built, and the registry learns the cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.framework import project
from kedro.utils import find_kedro_project
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from rec_msa.clear_error import ClearError
from rec_msa.errors import RecMsaError, SettingsError, nearest
from rec_msa.experiments import AXES, Experiments
from rec_msa.parameters import read_parameters

project_roots: list[Path] = []
"""While a session makes its loader, the root of its project: ``--conf-source`` may lie elsewhere."""

_session: list[Experiments] = []
"""What the newest configuration loader, and with it the newest session, asks for."""


class CellConfigLoader(OmegaConfigLoader):
    """Reads the configuration as Kedro does, refuses wrong parameters, and hands the cells to the registry.

    Kedro makes one loader for each session, for ``kedro viz`` too, and before it looks at any pipeline. So two sessions
    in one process each build their own pipelines.

    Raises:
        ClearError: A parameter is unknown, of the wrong type or out of range; shown without a traceback.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().__init__(*args, **kwargs)
            self._require_environment()
            parameters = read_parameters(self._asked()).under(_root_of(self.conf_source))
            if "heldout_fraction" not in self.runtime_params.get("split", {}):
                parameters = parameters.held_out_as_studied()
            experiments = Experiments(parameters)
            experiments.grid  # noqa: B018 - an empty selection is refused now, not in the middle of a build
        except RecMsaError as error:
            raise ClearError(str(error)) from error
        except (MissingConfigException, YAMLError, OmegaConfBaseException, ValueError) as error:
            raise ClearError(f"the configuration in {self.conf_source} cannot be read: {error}") from error
        self["parameters"] = parameters.model_dump(mode="json")
        _session[:] = [experiments]
        project.pipelines.configure("rec_msa.pipeline_registry")

    def _require_environment(self) -> None:
        """Refuses an environment without a folder; Kedro's own words name no other."""
        folder = Path(self.conf_source)
        if folder.is_dir() and self.env and not (folder / self.env).is_dir():
            there = [part.name for part in folder.iterdir() if part.is_dir()]
            raise SettingsError(f"--env: there is no '{self.env}'; {nearest(self.env, there)}")

    def _asked(self) -> dict[str, Any]:
        """The merged parameters; with a study, only ``--params`` picks cells of it, not the environment's own cell."""
        parameters: dict[str, Any] = self["parameters"]
        if parameters.get("study") is not None:
            parameters |= {axis: self.runtime_params.get(axis) for axis in AXES}
        return parameters


def _root_of(conf_source: str | Path) -> Path:
    """Raw files follow the project: that of the session, else the one that the configuration or the process is in."""
    if project_roots:
        return project_roots[-1]
    source = Path(conf_source).resolve()
    return find_kedro_project(source) or find_kedro_project(Path.cwd()) or source.parent


def current_experiments() -> Experiments:
    """The cells of the newest session; without one (``kedro registry list``), those of the base environment."""
    if not _session:
        root = find_kedro_project(Path.cwd()) or Path.cwd()
        CellConfigLoader(str(root / project.settings.CONF_SOURCE), **project.settings.CONFIG_LOADER_ARGS)
    return _session[0]
