"""Settings of the defenses and the names under which results are reported: ``none`` or ``<name>_<strength>``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from rec_msa.errors import nearest

DEFENSES = ("popular_mixing",)


class PopularMixingSettings(BaseModel):
    """Popular-item mixing (Zhu et al. 2023, section 6)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pool: int = Field(100, ge=1, description="how many of the most popular items replacements are drawn from")
    consistent: bool = Field(True, description="whether the same question gets the same answer")
    strengths: tuple[int, ...] = Field(
        (5, 10, 15, 20, 25), description="items replaced, a cell of the defense pipeline each"
    )


class DefenseSettings(BaseModel):
    """Settings of each defense."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    popular_mixing: PopularMixingSettings = PopularMixingSettings()


def parse_defense(name: str) -> tuple[str, int]:
    """Splits ``popular_mixing_15`` into the defense and its strength; ``none`` has strength 0.

    Raises:
        ValueError: The name is neither ``none`` nor a defense with a strength.
    """
    if name == "none":
        return name, 0
    defense, _, strength = name.rpartition("_")
    if defense not in DEFENSES or not strength.isdigit():
        msg = f"defense: there is no '{name}'; write 'none' or '<name>_<strength>', as popular_mixing_15; "
        raise ValueError(msg + nearest(defense or name, DEFENSES))
    return defense, int(strength)
