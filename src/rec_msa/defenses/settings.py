"""Settings of the defenses and the names under which results are reported: ``none`` or ``<name>_<strength>``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from rec_msa.defenses.popular_mixing import PopularMixing
from rec_msa.defenses.random_replacement import RandomReplacement
from rec_msa.defenses.shuffle import Shuffle
from rec_msa.defenses.swap_tail import SwapTail
from rec_msa.foundation.errors import SettingsError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from rec_msa.defenses.base import Defense
    from rec_msa.defenses.serving import Server

NO_DEFENSE = "none"
FRESH = "_fresh"
"""Behind a defense's name: each call gets a fresh draw, whatever its setting ``consistent`` says."""


class DefenseSettings(BaseModel):
    """The defenses by name, each with its settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    popular_mixing: PopularMixing = PopularMixing()
    random_replacement: RandomReplacement = RandomReplacement()
    shuffle: Shuffle = Shuffle()
    swap_tail: SwapTail = SwapTail()

    def names(self) -> list[str]:
        """Each defense at each of its strengths, with fresh draws too where it says so, as results name them."""
        found = []
        for name in DEFENSES:
            defense: Defense = getattr(self, name)
            found += [f"{name}_{n}" for n in defense.strengths if n]
            found += [f"{name}{FRESH}_{n}" for n in defense.fresh_strengths if n]
        return found


class Serving(BaseModel):
    """How a target answers.

    Attributes:
        list_length: Items in a list.
        defense: ``none`` or ``<name>_<strength>``.
        seed: The cell's seed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    list_length: int
    defense: str = NO_DEFENSE
    seed: int = 0

    def undefended(self) -> Serving:
        """The same without a defense."""
        return self.model_copy(update={"defense": NO_DEFENSE})

    def of(
        self,
        target_model: dict[str, Any],
        target_train: pd.DataFrame,
        device: str = "auto",
        defense_settings: Defense | dict[str, Any] | None = None,
    ) -> Server:
        """A target that answers so.

        Args:
            target_model: The target's checkpoint.
            target_train: The target's training interactions (columns user, item), never recommended; a sequential
                target reads them as the users' sequences.
            device: ``auto``, ``cpu`` or ``cuda``.
            defense_settings: The settings under ``defenses.<name>``; None without a defense.

        Raises:
            SettingsError: The defense alters more places than a list has.
        """
        from rec_msa.defenses.serving import Server

        return Server(self, target_model, target_train, device, defense_settings)


DEFENSES: dict[str, type[Defense]] = {name: type(defense) for name, defense in DefenseSettings()}


def parse_defense(name: str) -> tuple[str, int]:
    """Splits ``popular_mixing_15`` into the defense and its strength; ``none`` has strength 0.

    ``popular_mixing_fresh_15`` is the same defense with a fresh draw at each call: ``("popular_mixing_fresh", 15)``.

    Raises:
        ValueError: The name is neither ``none`` nor a defense with a strength, or has another spelling.
    """
    if name == NO_DEFENSE:
        return name, 0
    defense, _, strength = name.rpartition("_")
    if name.removesuffix(FRESH) in DEFENSES:
        raise ValueError(f"defense: '{name}' says no strength; write '{name}_15', for example")
    if defense.removesuffix(FRESH) not in DEFENSES or not strength.isdecimal():
        msg = f"defense: there is no '{name}'; write 'none' or '<name>_<strength>', as popular_mixing_15; "
        raise ValueError(msg + nearest(defense or name, DEFENSES))
    if strength != str(int(strength)):
        raise ValueError(f"defense: '{name}' is written '{defense}_{int(strength)}'")
    return defense, int(strength)


def is_fresh(name: str) -> bool:
    """Whether a defense's name says that each call gets a fresh draw."""
    return parse_defense(name)[0].endswith(FRESH)


def settings_key(name: str) -> str | None:
    """The key under ``defenses`` that a defense's name belongs to; None for ``none``."""
    kind, _ = parse_defense(name)
    return None if kind == NO_DEFENSE else kind.removesuffix(FRESH)


def draws_from_behind(name: str) -> bool:
    """Whether a defense of this name serves items that the target ranks behind its list."""
    key = settings_key(name)
    return key is not None and DEFENSES[key]().tail_length > 0


def build_defense(name: str, settings: Defense | dict[str, Any]) -> tuple[Defense, int]:
    """Makes the defense of a name (not ``none``), with its strength, from the typed or plain settings of its kind."""
    kind, strength = parse_defense(name)
    defense = DEFENSES[kind.removesuffix(FRESH)].model_validate(settings)
    return (defense.model_copy(update={"consistent": False}) if kind.endswith(FRESH) else defense), strength


def check_defense(
    name: str, settings: Defense | dict[str, Any], list_length: int, n_items: int, interactions: pd.DataFrame
) -> None:
    """Refuses what cannot work whatever the target learns, before it is trained (``SettingsError``)."""
    require_room(name, list_length)
    defense, strength = build_defense(name, settings)
    defense.check(strength, n_items, interactions)


def require_room(name: str, list_length: int) -> None:
    """Refuses a defense that alters more places than a list has."""
    _, strength = parse_defense(name)
    if strength > list_length:
        msg = f"defense: '{name}' alters {strength} places, but a list has {list_length} (list_length)"
        raise SettingsError(f"{msg}; choose a strength of at most {list_length}")
