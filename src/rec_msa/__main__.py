"""``python -m rec_msa`` is ``kedro run`` where only the package is installed: the current directory is the project."""

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main() -> None:
    """Runs what the command line asks for."""
    configure_project("rec_msa")
    find_run_command("rec_msa")(prog_name="python -m rec_msa")


if __name__ == "__main__":
    main()
