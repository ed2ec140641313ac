"""Settings of the recommenders: one typed class beside each architecture's name."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RecommenderSettings(BaseModel):
    """What every recommender shares."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dimensions: int = Field(64, ge=1, description="length d of the user and item vectors")
    negatives: int = Field(1, ge=1, description="sampled negatives for each interaction")
    l2: float = Field(0.0, ge=0, description="weight of the squared norms of a batch's vectors")


class BprSettings(RecommenderSettings):
    """Matrix factorisation with pairwise ranking."""

    bias: bool = Field(False, description="an item bias; the attack paper's Eq. 1 has none")


class LmfSettings(RecommenderSettings):
    """Logistic matrix factorisation."""

    negatives: int = Field(4, ge=1, description="sampled negatives for each interaction")
    l2: float = Field(0.0001, ge=0, description="weight of the squared norms of a batch's vectors")
    bias: bool = Field(True, description="user and item biases; the attack paper's Eq. 1 has none")


class NcfSettings(RecommenderSettings):
    """Neural matrix factorisation: a product branch and a perceptron branch."""

    negatives: int = Field(4, ge=1, description="sampled negatives for each interaction")
    layers: tuple[int, ...] = Field((64, 32, 16), min_length=1, description="widths after the first 2d-wide input")


SETTINGS: dict[str, type[RecommenderSettings]] = {"bpr": BprSettings, "lmf": LmfSettings, "ncf": NcfSettings}
"""The settings class of each architecture; reading it costs no torch."""
