"""A small project to build and run pipelines in, with the project's own configuration."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import yaml
from kedro.framework import project
from kedro.framework.project import configure_project, settings

if TYPE_CHECKING:
    from kedro.framework.session import KedroSession
    from kedro.io import CatalogProtocol

ROOT = Path(__file__).resolve().parents[1]


class SmallProject:
    """A copy of the project's configuration beside a small dataset, in an empty folder.

    Args:
        folder: The empty folder.
        own_source: Whether its source is a copy, which may be altered; else a link.
    """

    def __init__(self, folder: Path, *, own_source: bool = False) -> None:
        self.folder = folder
        shutil.copy(ROOT / "pyproject.toml", folder)
        if own_source:
            shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            (folder / "src").mkdir()  # which Kedro wants inside of the project
            (folder / "src/rec_msa").symlink_to(ROOT / "src/rec_msa")
        shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
        self.parameters = {"dataset": "small", "datasets": {"small": _own_data()}, "list_length": 20}
        self.parameters |= _short_trainings()
        self.configure(self.parameters)
        _write_small_data(folder / "small.csv")

    def copied(self, folder: Path) -> SmallProject:
        """A copy with all that runs left, the times of writing too."""
        other = copy.copy(self)
        other.folder = shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return other

    def configure(self, parameters: dict) -> None:
        """Puts parameters into the environment ``local``."""
        local = self.folder / "conf" / "local"
        local.mkdir(exist_ok=True)
        (local / "parameters.yml").write_text(yaml.safe_dump(parameters))

    def session(self, env: str | None = None, **params: object) -> KedroSession:
        """A session with the given ``--params``."""
        if project.PACKAGE_NAME != "rec_msa":  # to read the settings again looks through every module that is loaded
            configure_project("rec_msa")
        return settings.SESSION_CLASS.create(self.folder, env=env, runtime_params=params)

    def run(self, pipeline: str = "attack_ptaq", *, params: dict | None = None, **options: object) -> None:
        """``kedro run``."""
        with self.session(**(params or {})) as session:
            session.run(pipeline_names=[pipeline], **options)

    def load(self, name: str, **params: object) -> object:
        """Loads an artifact from the catalog."""
        return self.catalog(**params).load(name)

    def catalog(self, *pipelines: str, **params: object) -> CatalogProtocol:
        """The catalog as a run of some pipelines has it: what their nodes read as settings is checked and made so."""
        with self.session(**params) as session:
            context = session.load_context()
            context._pipelines_to_validate = list(pipelines)
            return context.catalog


def _own_data() -> dict:
    return {"path": "small.csv", "user": "who", "item": "what", "time": "when", "min_interactions": 2}


def _short_trainings() -> dict:
    short = {"batch_size": 256, "max_steps": 60, "validate_every": 20, "patience": 40}
    return {
        "device": "cpu",
        "target": short,
        "auxiliary": short,
        "clone": {"training": short},
        "steal": {"training": short},
    }


def _write_small_data(path: Path, n_users: int = 160, n_items: int = 60) -> None:
    rng = np.random.default_rng(7)
    taste = rng.normal(size=(n_users, 3)) @ rng.normal(size=(3, n_items)) + np.linspace(2, 0, n_items)
    liked = np.argsort(-(taste + rng.gumbel(size=taste.shape)), axis=1)[:, :14]
    frame = pd.DataFrame({"who": np.repeat(np.arange(n_users) + 1000, 14), "what": liked.ravel() + 5})
    frame["when"] = rng.integers(1_000_000, 2_000_000, len(frame))
    frame.to_csv(path, index=False)
