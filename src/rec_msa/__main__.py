"""``python -m rec_msa`` is ``kedro run`` where only the package is installed: the current directory is the project."""

import os

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main() -> None:
    """Runs what the command line asks for."""
    os.environ.setdefault("DO_NOT_TRACK", "1")  # as .telemetry says for the project, which is not there
    configure_project("rec_msa")
    find_run_command("rec_msa")(prog_name="python -m rec_msa")


if __name__ == "__main__":
    main()
