"""Kedro's session, with names that are not there explained instead of traced back."""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from kedro.framework.session import KedroSession

from rec_msa.bookkeeping.processes import command_line
from rec_msa.foundation.errors import DryRunError, RecMsaError, did_you_mean
from rec_msa.framework.clear_error import ClearError
from rec_msa.framework.hooks import Runs
from rec_msa.framework.named_parts import require_parts
from rec_msa.framework.saying import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro.framework.context import KedroContext
    from kedro.runner import AbstractRunner

    from rec_msa.experiments.parameters import Parameters

NO_SUCH_PART = ("does not contain", "contains no nodes after")


class ClearSession(KedroSession):
    """A session that answers a mistyped pipeline, node, tag or namespace with one clear error."""

    asked: Sequence[str] = ()
    """The pipelines that are to run."""
    runner: AbstractRunner | None = None
    """What runs them."""

    def load_context(self) -> KedroContext:
        """Loads as Kedro does, and looks whether the pipelines are there and what they attack can be attacked.

        Raises:
            ClearError: A pipeline is not there.
            SettingsError: An attack cannot work on its target.
        """
        from rec_msa.framework.config import current_experiments
        from rec_msa.pipeline_registry import register_pipelines

        context = super().load_context()
        # The loader has checked all parameters; Kedro would build every pipeline for it, in a plain `kedro run`, too.
        context._pipelines_to_validate = [*self.asked]
        # Kedro itself would build every pipeline to say which there are: most of a minute in a large study.
        names = register_pipelines() if self.asked else {}
        for name in self.asked:
            if name not in names:
                near = did_you_mean(name, list(names))
                raise ClearError(f"--pipeline: there is no '{name}'; {near}each key under attacks: is attack_<key>")
        if self.asked:
            self._require_study(current_experiments().parameters)
            current_experiments().require_possible(self.asked)
        if "audit" in self.asked:
            self._take_budget(current_experiments().parameters.audit.budget)
        return context

    def _require_study(self, parameters: Parameters) -> None:
        """Refuses a study that is not named: the parameters' own cell, which nobody asked for, would run instead."""
        from rec_msa.experiments.grid import AXES

        named = set(AXES).intersection(self.store.get("runtime_params") or {})
        if "study" not in self.asked or parameters.study is not None or named:
            return
        mine = ", ".join(parameters.studies) or "none in this environment; --env=paper has the paper's, as table4"
        raise ClearError(
            f"--pipeline=study: no study is named; add --params=study=<name> ({mine}); one cell is kedro run alone"
        )

    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Runs as Kedro does.

        Raises:
            ClearError: A pipeline, node, tag, namespace or dataset of that name is not there, or an attack cannot run.
        """
        options = signature(super().run).bind(*args, **kwargs).arguments
        self.asked = options.get("pipeline_names") or (options.get("pipeline_name") or "__default__",)
        say(f"{', '.join(self.asked)}: reading configuration and catalog ...")
        try:
            self.runner = _cell_by_cell(options.get("runner"))
            return super().run(**{**options, "runner": self.runner})
        except DryRunError as said:
            say(f"{said}.".capitalize())
            return {}
        except KeyboardInterrupt:
            self._end(shown=False)
            say("Stopped. What was finished is kept; go on with:")
            say(how_to_go_on(), whole=True)
            raise
        except RecMsaError as error:
            raise ClearError(str(error)) from error
        except ValueError as error:
            if (explained := self._explained(error, options)) is not None:
                raise explained from error
            raise
        finally:
            self._end()

    def _end(self, *, shown: bool = True) -> None:
        """Ends a run that has not ended yet, as one that was stopped by hand: Kedro's hooks hear of errors alone."""
        for hooks in self._hook_manager.get_plugins():
            if isinstance(hooks, Runs):
                hooks.break_off(shown=shown)

    def _take_budget(self, minutes: float | None) -> None:
        """Tells the runner how long an audit may take; one that takes no budget is refused (``ClearError``)."""
        from rec_msa.runners.sequential import CellByCellRunner

        if minutes is None:
            return
        if not isinstance(self.runner, CellByCellRunner):
            raise ClearError(f"audit.budget: {type(self.runner).__name__} takes none; run without --runner")
        self.runner.minutes = minutes

    def _explained(self, error: ValueError, options: dict[str, Any]) -> Exception | None:
        from kedro.framework.project import pipelines

        message = str(error)
        if not any(part in message for part in NO_SUCH_PART):
            return None
        for name in self.asked:
            require_parts(pipelines[name], options)
        return ClearError(message)


def how_to_go_on() -> str:
    """The command that goes on with a run that was stopped by hand."""
    again, option = command_line(), "--only-missing-outputs"
    return again if option in again else f"{again} {option}"


def _cell_by_cell(runner: AbstractRunner | None) -> AbstractRunner:
    """Kedro's default runner, but one cell of a study after the other."""
    from kedro.runner import SequentialRunner

    from rec_msa.runners.sequential import CellByCellRunner

    if runner is None or type(runner) is SequentialRunner:
        return CellByCellRunner(is_async=bool(runner and runner._is_async))
    return runner
