"""The page of attacks: every pipeline with what its attacker knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.generate.parameters import base
from docs.generate.tables import first_sentence, table
from rec_msa.attacks.base import Target
from rec_msa.attacks.registry import ATTACKS

if TYPE_CHECKING:
    from rec_msa.attacks.base import Attack

LEAD = """\
# Attacks

A key under `attacks:` is a pipeline: `kedro run --pipeline=attack_ptaq`. The attacker knows the training interactions
of a random 10 % of the target's users (*D_t*). Some attackers also have interactions of other users over the same items
(*auxiliary data*). Some may ask the target for the lists of the known users who are not held out, one call each
(*queries*). What an attack knows is read here from the arguments of its functions, as the pipelines read it.
"""
REFERENCES = """\
## References

Every table has them beside the attacks. They need no clone.

| name | what it recommends |
|---|---|
| `random` | items at random |
| `popularity` | the items that are most frequent in D_t |
| `auxiliary_popularity` | those that are most frequent in the auxiliary data |
| `list_popularity` | those that are most frequent in the answers |
| `knn_lists` | the lists of the asked users whose interactions are most alike |
| `ease`, `ials` | what these models, solved from D_t alone, recommend |
| `ease_joint`, `ials_joint` | the same from D_t and the auxiliary data |
| `cache` | the answers themselves; to everybody else what is most frequent in them |
| `retrain` | the target's own architecture, trained once more on the target's data from another start |
| `retrain_ensemble` | with `--params=retrained=5`: five such twins, their standardised scores averaged |

`retrain` is no attack, since it needs the target's data. It is in practice an upper bound, unless the target learned
little beyond popularity.
"""


def page() -> str:
    """The page in Markdown."""
    rows = [_row(name, attack) for name, attack in base().attacks.items()]
    heads = ("attack", "D_t", "auxiliary data", "queries", "what it does")
    return "\n".join([LEAD, "## The named attacks\n", table(heads, rows), REFERENCES])


def _row(name: str, attack: Attack) -> tuple[str, ...]:
    sequential = bool(getattr(attack, "needs_sequences", False))
    target = Target("sasrec" if sequential else "bpr", sequential)
    knows, asking = attack.knowledge(target), attack.asking(target)
    auxiliary = any(one.startswith("auxiliary") for one in knows)
    own = "yes" if "attacker_train" in knows else "users' ids"
    said = first_sentence(ATTACKS[attack.base])
    other = ", ".join(f"`{key}: {value}`" for key, value in _otherwise(attack).items())
    return (
        f"`{name}`",
        "–" if sequential else own,
        "yes" if auxiliary else "–",
        f"{asking.calls_per_user} a user" if asking and "served_lists" in knows else "–",
        f"{said} As `{attack.base}`, with {other}" if other else said,
    )


def _otherwise(attack: Attack) -> dict[str, object]:
    fields = type(attack).model_fields
    return {key: value for key, value in attack if key != "base" and value != fields[key].default}
