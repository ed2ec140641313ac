"""convert.py SRC DST: agreement tables of before get the columns of facts; figures stay to the last digit."""
import re, sys, yaml
from pathlib import Path
import pandas as pd
CONF = Path("conf")
ATTACKS = {}
for f in ("base", "paper"):
    ATTACKS |= yaml.safe_load((CONF / f / "parameters_attacks.yml").read_text())["attacks"]
BASES = {"ptd": ("own", 0), "ptq": ("own", 1), "pta": ("fused", 0), "ptaq": ("fused", 1), "qsd": (None, 1), "pta_pre": ("pretrained", 0),
         "ptaq_pre": ("pretrained", 1), "pta_joint": ("joint", 0), "ptaq_joint": ("joint", 1), "pta_mean": ("mean", 0)}
FACTS = ["kind", "rule", "strength", "fresh", "list_length", "attacker_fraction", "query_fraction", "auxiliary_fraction", "item_fraction",
         "ranking_loss", "positive_loss", "calls_per_user", "otherwise"]
TYPES = {"kind": "str", "rule": "str", "strength": "int64", "fresh": "bool", "list_length": "int64", "attacker_fraction": "float64", "query_fraction": "float64",
         "auxiliary_fraction": "float64", "item_fraction": "float64", "ranking_loss": "str", "positive_loss": "str", "calls_per_user": "Int64", "otherwise": "str"}
def of_defense(name):
    if name == "none": return {"rule": "none", "strength": 0, "fresh": False}
    rule, strength = name.rsplit("_", 1)
    return {"rule": rule.removesuffix("_fresh"), "strength": int(strength), "fresh": rule.endswith("_fresh")}
def of_attack(attack, base):
    nothing = {"auxiliary_fraction": None, "item_fraction": None, "ranking_loss": None, "positive_loss": None, "calls_per_user": None, "otherwise": ""}
    if base not in BASES:
        shares = {"list_length": 50, "attacker_fraction": 0.1, "query_fraction": 1.0}
        for part in attack.split("-")[1:]:
            what, n = re.fullmatch("([a-z]+)([0-9]+)", part).groups()
            key = {"length": "list_length", "users": "attacker_fraction", "asked": "query_fraction"}[what]
            shares[key] = int(n) if what == "length" else int(n) / 100
        return {"kind": "target" if base == "target" else "reference", **shares, **nothing}
    s, (variant, queries) = ATTACKS[attack], BASES[base]
    facts = {"kind": "attack", "list_length": s.get("list_length", 50), "attacker_fraction": s.get("attacker_fraction", 0.1),
             "query_fraction": s.get("query_fraction", 1.0), **nothing}
    if variant in ("fused", "pretrained", "mean", "joint"): facts["auxiliary_fraction"] = s.get("auxiliary_fraction", 1.0)
    if variant in ("fused", "mean"): facts["item_fraction"] = s.get("item_fraction", 1.0)
    if queries:
        facts["ranking_loss"] = s.get("ranking_loss", "hinge" if variant is None else "bpr")
        facts["positive_loss"] = s.get("positive_loss", "hinge"); facts["calls_per_user"] = s.get("calls_per_user", 1)
    other = ["denoise"] * ("denoise" in s) + [f"{k}={s[k]}" for k in ("sequences", "outside") if k in s]
    return facts | {"otherwise": ", ".join(other)}
def convert(table):
    if "attack" in table:
        names = table[["attack", "base"]].drop_duplicates().reset_index(drop=True)
        facts = pd.DataFrame([of_attack(*r) for r in names.itertuples(index=False)])
        table = table.merge(pd.concat([names, facts], axis=1), on=["attack", "base"], how="left")
    d = table[["defense"]].drop_duplicates().reset_index(drop=True)
    table = table.merge(pd.concat([d, pd.DataFrame([of_defense(x) for x in d["defense"]])], axis=1), on="defense", how="left")
    return table.astype({c: t for c, t in TYPES.items() if c in table})
ORDER = ["dataset", "target", "clone", "attack", "base", "kind", "defense", "rule", "strength", "fresh", "against", "list_length", "attacker_fraction",
         "query_fraction", "auxiliary_fraction", "item_fraction", "ranking_loss", "positive_loss", "calls_per_user", "otherwise", "seed", "group", "k"]
def main(src, dst):
    for name in ("agreement", "agreement_per_user", "target_quality"):
        p = Path(src) / f"{name}.parquet"
        if not p.exists(): continue
        old = pd.read_parquet(p)
        if "rule" in old: print("already", p); continue
        new = convert(old)
        pd.testing.assert_frame_equal(new[old.columns], old, check_exact=True)
        first = [c for c in ORDER if c in new]
        new = new[first + [c for c in new if c not in first]]
        Path(dst).mkdir(parents=True, exist_ok=True)
        new.to_parquet(Path(dst) / p.name, index=False, compression="zstd")
        print(p.name, len(new), new.columns.tolist())
if __name__ == "__main__": main(*sys.argv[1:])
