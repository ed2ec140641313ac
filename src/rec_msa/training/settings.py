"""Settings of the training loop."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Device = Literal["auto", "cpu", "cuda"]


class TrainingSettings(BaseModel):
    """How a model is fitted and when it stops; the state with the best figure on held-back data is always the one kept.

    Limits count steps, since an epoch of little data is a step or two; but where an epoch is long, some epochs are
    waited for, since no model learns in half of one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    learning_rate: float = Field(0.001, gt=0, description="Adam's step size")
    schedule: Literal["constant", "linear"] = Field(
        "constant", description="how the step size goes on: as it is, or down to 0 at max_steps"
    )
    batch_size: int = Field(2048, ge=1, description="interactions (or list places) in a step")
    max_steps: int = Field(40_000, ge=1, description="steps at the most")
    validate_every: int = Field(
        200, ge=1, description="steps between two looks at the held-back data, or a tenth of an epoch"
    )
    stop_by: Literal["validation", "loss"] = Field(
        "validation", description="what must get better within the patience: the figure on held-back data, or the loss"
    )
    least_gain: float = Field(0.02, gt=0, description="stop_by loss: by how much it must fall within the patience")
    patience: int = Field(500, ge=1, description="steps without anything better before the end")
    patience_epochs: int = Field(5, ge=0, description="the same in epochs; the longer of the two counts")
    least_steps: int = Field(
        1000, ge=0, description="steps before which no patience ends a training: models stand at popularity first"
    )
    row_sparse_from: int = Field(
        30_000, ge=1, description="tables of so many rows or more are updated in a batch's rows alone"
    )

    def waiting(self, steps: int | None) -> TrainingSettings:
        """The same settings with a patience of so many steps at the least; None asks for nothing."""
        return self if steps is None else self.model_copy(update={"patience": max(self.patience, steps)})
