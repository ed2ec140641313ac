"""The configuration loader: parameters are checked before anything is built, and the registry learns the cells."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import yaml
from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.framework import project
from kedro.io.core import get_protocol_and_path
from kedro.utils import find_kedro_project
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from rec_msa.foundation.errors import RecMsaError, SettingsError, nearest
from rec_msa.framework.clear_error import ClearError

if TYPE_CHECKING:
    from rec_msa.experiments.grid import Experiments

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast, where it is there."""

MOST_NODES = 100_000
"""Values of a file of the configuration; the largest of ours has a few thousand."""

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
        # They bring pandas, for which a run's first line does not wait.
        from rec_msa.experiments.grid import Experiments
        from rec_msa.experiments.parameters import read_parameters

        try:
            super().__init__(*args, **kwargs)
            self._require_environment()
            refuse_alias_bombs(Path(self.conf_source))
            self._require_protocol()
            parameters = read_parameters(self._asked())
            if "heldout_fraction" not in self.runtime_params.get("split", {}):
                parameters = parameters.held_out_as_studied()
            experiments = Experiments(parameters)
            experiments.grid  # noqa: B018 - an empty selection is refused now, not in the middle of a build
        except RecMsaError as error:
            raise ClearError(str(error)) from error
        except (MissingConfigException, YAMLError, OmegaConfBaseException, ValueError) as error:
            raise ClearError(f"the configuration in {self.conf_source} cannot be read: {error}") from error
        self._checked = parameters
        self["parameters"] = parameters.catalogued()
        _session[:] = [experiments]
        project.pipelines.configure("rec_msa.pipeline_registry")

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Reads as Kedro does.

        Raises:
            ClearError: A file cannot be read, or has a tag in it, which would be code.
        """
        try:
            return super().__getitem__(key)
        except (YAMLError, OmegaConfBaseException) as error:
            place = f"the configuration in {self.conf_source}, {key}*.yml,"
            raise ClearError(f"{place} cannot be read: {_reason(error)}") from error

    def follow(self, root: Path) -> None:
        """Puts raw files under a project, wherever the configuration lies.

        Args:
            root: The project; of an installed package, the current directory.
        """
        self["parameters"] = self._checked.under(root).catalogued()

    def _require_protocol(self) -> None:
        """Refuses a place for the artifacts that no file system is known for."""
        place = str(self["globals"].get("data", ""))
        protocol = get_protocol_and_path(place)[0]
        try:
            fsspec.get_filesystem_class(protocol)
        except ValueError as error:
            raise SettingsError(
                f"globals.yml, data: '{place}': {nearest(protocol, fsspec.available_protocols())}"
            ) from error
        except ImportError as error:
            raise SettingsError(f"globals.yml, data: '{place}': {error}") from error

    def _require_environment(self) -> None:
        """Refuses an environment without a folder; Kedro's own words name no other."""
        folder = Path(self.conf_source)
        if folder.is_dir() and self.env and not (folder / self.env).is_dir():
            there = [part.name for part in folder.iterdir() if part.is_dir()]
            raise SettingsError(f"--env: there is no '{self.env}'; {nearest(self.env, there)}")

    def _asked(self) -> dict[str, Any]:
        """The merged parameters; with a study, only ``--params`` picks cells of it, not the environment's own cell."""
        from rec_msa.experiments.grid import AXES

        parameters: dict[str, Any] = self["parameters"]
        if parameters.get("study") is not None:
            parameters |= {axis: self.runtime_params.get(axis) for axis in AXES}
        elif "model" not in self.runtime_params and isinstance(dataset := parameters.get("dataset"), str):
            if dataset in (parameters.get("targets") or {}) and parameters.get("model") == self._usual_model():
                parameters["model"] = dataset  # a target of the data set's name is its target
        return parameters

    def _usual_model(self) -> Any:
        """The model that nobody has chosen: that of the base environment."""
        path = Path(self.conf_source) / str(self.base_env) / "parameters.yml"
        with suppress(OSError, YAMLError, AttributeError):
            return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER).get("model")
        return None


def _reason(error: Exception) -> str:
    """Why files cannot be merged, in a line; YAML's own words point at a place in theirs."""
    if not isinstance(error, OmegaConfBaseException):
        return str(error)
    first = str(error).splitlines()[0]
    if "merge" not in first:
        return first
    return f"{first}: a key has others below it in one place, --params among them, and none in another"


def refuse_alias_bombs(folder: Path) -> None:
    """Refuses files whose aliases stand for more than a person writes: each of them would be read as a copy.

    Args:
        folder: The configuration; one that is no folder is not looked at, nor in it what is no file that can be read.

    Raises:
        SettingsError: A file comes to more than ``MOST_NODES`` values.
    """
    for path in sorted(folder.rglob("*.y*ml")):
        too_many = False
        with suppress(YAMLError, OSError):  # which are told when the file is read
            text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
            too_many = "*" in text and _n_nodes(text) > MOST_NODES
        if too_many:
            raise SettingsError(f"{path}: its aliases come to more than {MOST_NODES} values; write out what is meant")


def _n_nodes(text: str) -> int:
    """Values of a YAML file with those that its aliases stand for, counted without building any."""
    counts: list[int] = [0]
    open_anchors: list[str | None] = []
    known: dict[str, int] = {}
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            counts[-1] += known.get(str(event.anchor), 1)
        elif isinstance(event, yaml.ScalarEvent):
            counts[-1] += 1
        elif isinstance(event, yaml.CollectionStartEvent):
            counts.append(1)
            open_anchors.append(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            inner, anchor = counts.pop(), open_anchors.pop()
            counts[-1] += inner
            if anchor is not None:
                known[anchor] = inner
    return counts[0]


def current_experiments() -> Experiments:
    """The cells of the newest session; without one (``kedro registry list``), those of the base environment."""
    if not _session:
        root = find_kedro_project(Path.cwd()) or Path.cwd()
        CellConfigLoader(str(root / project.settings.CONF_SOURCE), **project.settings.CONFIG_LOADER_ARGS)
    return _session[0]
