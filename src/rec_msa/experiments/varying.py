"""What a study varies: the same attack at other values of its settings, each with a name of its own."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from rec_msa.experiments.naming import label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rec_msa.attacks.base import Attack


def varied(
    name: str, attack: Attack, vary: Mapping[str, Sequence[Any]], defaults: Mapping[str, Any]
) -> Iterator[tuple[str, Attack]]:
    """An attack at every combination of values; what it has no setting for is not varied.

    A name says what differs, as ``ptq_length20`` or ``qsd_bpr_hinge``; where nothing does, it is the attack's own, and
    what is made for it is shared.

    Args:
        defaults: What a setting that is None comes to.

    Yields:
        Names and attacks.
    """
    known = [setting for setting in vary if setting in type(attack).model_fields]
    own = {setting: getattr(attack, setting) for setting in known}
    plain = [defaults.get(setting) if value is None else value for setting, value in own.items()]
    for values in product(*(vary[setting] for setting in known)):
        if list(values) == plain:
            yield name, attack
            continue
        changed = dict(zip(known, values, strict=True))
        labels = [label(*one) for one in changed.items()]
        yield "_".join([name, *labels]), type(attack).model_validate(attack.model_dump() | changed)
