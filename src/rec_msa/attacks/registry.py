"""The attacks by name: a class and a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Discriminator, Tag, TypeAdapter

from rec_msa.attacks.asking import Asks
from rec_msa.attacks.by_ridge import PTAQJointRidge, PTAQRidge, PTQRidge
from rec_msa.attacks.by_whole_lists import PTAQJointListwise, PTAQListwise, PTQListwise
from rec_msa.attacks.joint import PTAJoint, PTAQJoint
from rec_msa.attacks.pretrained import PTAPre, PTAQPre
from rec_msa.attacks.pta import PTA, PTAQ, PTAMean
from rec_msa.attacks.ptd import PTD, PTQ
from rec_msa.attacks.qsd import QSD
from rec_msa.attacks.stacked import Distilled, PTAEnsemble, Stacked
from rec_msa.foundation.errors import SettingsError, nearest

if TYPE_CHECKING:
    from rec_msa.attacks.base import Attack

ATTACKS: dict[str, type[Attack]] = {
    "qsd": QSD,
    "ptd": PTD,
    "ptq": PTQ,
    "pta": PTA,
    "ptaq": PTAQ,
    "pta_pre": PTAPre,
    "ptaq_pre": PTAQPre,
    "pta_joint": PTAJoint,
    "ptaq_joint": PTAQJoint,
    "pta_mean": PTAMean,
    "ptq_listwise": PTQListwise,
    "ptaq_listwise": PTAQListwise,
    "ptaq_joint_listwise": PTAQJointListwise,
    "ptq_ridge": PTQRidge,
    "ptaq_ridge": PTAQRidge,
    "ptaq_joint_ridge": PTAQJointRidge,
    "pta_ensemble": PTAEnsemble,
    "stacked": Stacked,
    "distilled": Distilled,
}
STARTS = {
    name: start
    for name, kind in ATTACKS.items()
    for start, other in ATTACKS.items()
    if issubclass(kind, Asks) and other in kind.__bases__ and not issubclass(other, Asks)
}
"""The attack without queries that each attack with queries begins as; ``qsd`` begins as none."""


def _base_of(raw: Any) -> str | None:
    base = raw.get("base") if isinstance(raw, dict) else getattr(raw, "base", None)
    return None if base is None else str(base)


if TYPE_CHECKING:
    AnyAttack = Attack
else:
    _tagged = tuple(Annotated[kind, Tag(name)] for name, kind in ATTACKS.items())
    AnyAttack = Annotated[Union[_tagged], Discriminator(_base_of)]  # noqa: UP007 - made from the registry


ANY_ATTACK: TypeAdapter[Attack] = TypeAdapter(AnyAttack)
"""Made once: it takes hundreds of times as long as an attack."""


def attack_of(**settings: Any) -> Attack:
    """An attack from what stands under its key.

    Raises:
        ValidationError: The base is unknown, or it has no such setting or value.
    """
    return ANY_ATTACK.validate_python(settings)


def require_attack(name: str, attacks: dict[str, Attack]) -> Attack:
    """Looks a named attack up.

    Raises:
        SettingsError: There is no such attack; the message has the nearest name.
    """
    if name not in attacks:
        raise SettingsError(f"attacks: there is no attack '{name}'; {nearest(name, attacks)}")
    return attacks[name]
