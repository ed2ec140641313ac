"""The notebook runs on what a run left."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "explore_a_run.ipynb"


def test_the_notebook_explores_a_finished_run(finished_project):
    folder = finished_project.folder / "notebooks"
    folder.mkdir()
    shutil.copy(NOTEBOOK, folder)
    notebook = nbformat.read(folder / NOTEBOOK.name, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    printed = "".join(
        o["text"] for cell in notebook.cells for o in cell.get("outputs", []) if o["output_type"] == "stream"
    )
    assert "repeats" in printed
    assert "of 20 items" in printed
    shown = [cell["outputs"][-1]["data"]["text/plain"] for cell in (notebook.cells[-3], notebook.cells[-1])]
    assert "ptq asks about" in shown[0]
    assert "of 100 recommended items" in shown[1]


def test_the_notebook_is_committed_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
