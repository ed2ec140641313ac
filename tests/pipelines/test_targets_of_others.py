"""Targets that others trained, behind the gate in Kedro's runs; and the audit of one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.framework.cli.utils import KedroCliError
from kedro.runner import ParallelRunner

from rec_msa.pipelines.ingestion.nodes import name_users
from rec_msa.recommenders.checkpoint import from_checkpoint
from rec_msa.recommenders.ranking import rank_lists
from tests.small_project import SmallProject

SHOP = """
import pandas as pd

def recommend(users, k):
    lists = pd.read_csv("lists.csv").set_index("user")
    return [lists.loc[user].sort_values("rank")["item"].tolist()[:k] for user in users]
"""
LISTS = {"lists": "lists.csv", "rank": "rank"}


def recorded_lists(project: SmallProject, length: int = 30) -> pd.DataFrame:
    """What the project's own target serves, in the ids of the raw file."""
    model, train = (project.load(f"small.seed0.{name}") for name in ("bpr.target_model", "target_train"))
    lists = rank_lists(from_checkpoint(model), train["user"].unique(), train, length).to_frame()
    users, items = (project.load(f"small.{side}s")[f"raw_{side}"].to_numpy() for side in ("user", "item"))
    return pd.DataFrame({"user": users[lists["user"]], "rank": lists["rank"], "item": items[lists["item"]]})


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project in which a target was trained, recorded, and made a function of."""
    project = SmallProject(tmp_path_factory.mktemp("served"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        project.run("attack_ptq")
        recorded_lists(project).to_csv("lists.csv", index=False)
    (project.folder / "shop.py").write_text(SHOP)
    return project


@pytest.fixture
def served(_served: SmallProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallProject:
    """A copy of it, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return _served.copied(tmp_path)


def figures(project: SmallProject, model: str) -> pd.DataFrame:
    rows = project.load("agreement")
    rows = rows[rows["target"] == model].sort_values(["attack", "against", "group", "k"])
    return rows[["attack", "against", "group", "k", "agreement", "n_users", "n_queries"]].reset_index(drop=True)


def test_a_target_its_recorded_lists_and_a_function_that_reads_them_are_attacked_alike(served, monkeypatch):
    monkeypatch.delitem(__import__("sys").modules, "shop", raising=False)
    targets = {
        "recorded": LISTS | {"auxiliary": "split"},
        "called": {"recommend": "shop:recommend", "auxiliary": "split", "batch": 3},
    }
    for model in targets:
        served.run("attack_ptq", params={"model": model, "targets": targets})
        pd.testing.assert_frame_equal(figures(served, model), figures(served, "bpr"), check_exact=True)
    ledger = served.load("small.seed0.called.none.ptq.ledger", targets=targets)
    assert len(ledger) == figures(served, "bpr")["n_queries"].max()


def test_answers_of_a_model_that_had_changed_were_taken_for_current(served):
    called = {"recommend": "shop:recommend", "auxiliary": "split"}

    def run(attack: str, **version: str) -> pd.DataFrame:
        asked = {"model": "called", "targets": {"called": called | version}}
        served.run(f"attack_{attack}", params=asked, only_missing_outputs=True)
        return figures(served, "called").query("attack == @attack").reset_index(drop=True)

    def change() -> None:
        lists = pd.read_csv("lists.csv")
        lists.assign(rank=lists["rank"].max() + 1 - lists["rank"]).to_csv("lists.csv", index=False)

    first = run("ptq")
    run("ptd")
    assert run("ptq").equals(first)  # it answers as before: what was measured of it in other runs stays
    assert set(figures(served, "called")["attack"]) >= {"ptd", "ptq"}
    change()
    changed = run("ptq")
    assert not changed.equals(first)
    named = run("ptq", version="1")
    assert named.equals(changed)
    change()
    assert run("ptq", version="1").equals(changed)
    assert run("ptq", version="2").equals(first)


def test_a_function_whose_record_is_damaged_is_asked_anew(served):
    asked = {"model": "called", "targets": {"called": {"recommend": "shop:recommend", "auxiliary": "split"}}}
    served.run("attack_ptd", params=asked)
    first = figures(served, "called")
    [place] = Path("data").glob("*/small/seed0/called/target*.pt")
    place.write_bytes(bytes(place.stat().st_size))
    served.run("attack_ptd", params=asked, only_missing_outputs=True)
    assert figures(served, "called").equals(first)
    assert any(place.read_bytes())


def test_a_target_of_the_data_sets_name_is_its_target_and_has_all_its_users(served):
    targets = {"targets": {"small": LISTS | {"known": "drop"}}}
    served.run("attack_ptq", params=targets)
    assert set(served.load("agreement")["target"]) == {"bpr", "small"}
    split = served.load("small.seed0.served-small.split", **targets)
    assert set(split["part"]) == {"target_train"}
    assert split["user"].nunique() == 80  # of 160, those with a list


def test_an_attack_that_needs_other_users_says_how_to_name_them(served):
    with pytest.raises(KedroCliError, match=r"attacks\.ptaq: .* there are none; say by targets\.small\.auxiliary"):
        served.run("attack_ptaq", params={"targets": {"small": LISTS}})


def test_a_file_of_users_says_whom_the_target_was_not_trained_on(served):
    lists, raw = pd.read_csv("lists.csv"), pd.read_csv("small.csv")
    others = raw[~raw["who"].isin(lists["user"])].rename(columns={"who": "user"})
    others.to_csv("others.csv", index=False)
    targets = {"targets": {"small": LISTS | {"known": "drop", "auxiliary": "others.csv"}}}
    served.run("attack_pta", params=targets)
    split = served.load("small.seed0.served-small.split", **targets)
    sides = split["part"].str.partition("_")[0]
    assert split.groupby(sides)["user"].nunique().to_dict() == {"auxiliary": 80, "target": 80}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"list_length": 31}, "list_length: 31 is more than the 28 items"),
        ({"targets": {"small": {"lists": "none.csv"}}}, r"targets\.small"),
        ({"targets": {"small": {"recommend": "nowhere:recommend"}}}, "'nowhere' cannot be imported"),
        ({"targets": {"small": LISTS}}, "hold an item that the user has already"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_trained(served, change, said):
    before = set(Path("data").rglob("*.pt"))
    with pytest.raises(KedroCliError, match=said):
        served.run("attack_ptq", params={"targets": {"small": LISTS | {"known": "drop"}}} | change)
    assert {path.parent.name for path in set(Path("data").rglob("*.pt")) - before} <= {"small"}


def test_who_has_a_list_is_named_and_nothing_of_it():
    lists = pd.DataFrame({"user": [3, 3, 1], "rank": [1, 2, 1], "item": [5, 6, 7]})
    pd.testing.assert_frame_equal(name_users(lists), pd.DataFrame({"user": np.array([1, 3])}))


AUDIT = {
    "targets": {"small": LISTS | {"known": "drop", "auxiliary": "others"}},
    "audit": {"seeds": [0], "shares": [0.3], "at": 0.3, "attacks": ["ptd", "ptq"], "others": [], "clones": ["ials"]}
    | {"query_fractions": [], "list_lengths": [], "defenses": ["random_replacement_5"]},
}


def test_an_audit_of_two_files_leaves_a_page_and_figures_and_fails_above_its_limit(served):
    served.run("audit", params=AUDIT)
    folder = Path("data/08_reporting/audit/small/small")
    figures = json.loads((folder / "audit.json").read_text())
    assert figures["target"]["kind"] == "recorded"
    assert figures["overstates"]
    assert (folder / "audit.html").read_text().count("of 100 recommended items") >= 1
    assert figures["not_tried"]
    attacks = served.load("agreement").query("target == 'small' and kind == 'attack'")
    assert set(attacks["attack"]) == {"ptd_known30", "ptq_known30", "ptd_known30_ials"}
    assert set(attacks["defense"]) == {"none", "random_replacement_5"}
    limited = AUDIT | {"audit": AUDIT["audit"] | {"fail_above": 0.001}}
    with pytest.raises(KedroCliError, match=r"audit\.fail_above: 0\.\d+ of a list is copied, by .+: more than 0\.001"):
        served.run("audit", params=limited, only_missing_outputs=True)


CHANCE = """
import numpy as np
from rec_msa.victims.observed import Observed

def fit(interactions, seed):
    observed = Observed(interactions)
    return observed.lists_of_vectors(np.random.rand(len(observed.users), 4), np.random.rand(len(observed.items), 4))
"""


def test_an_audit_says_that_a_fit_is_not_the_same_each_time(small_project):
    Path("chance.py").write_text(CHANCE)
    kept = {"shares": [0.3], "at": 0.3, "attacks": ["ptq"], "clones": [], "defenses": []}
    asked = {"targets": {"small": {"fit": "chance:fit"}}, "audit": AUDIT["audit"] | kept}
    small_project.run("audit", params=asked)
    folder = Path("data/08_reporting/audit/small/small")
    assert json.loads((folder / "audit.json").read_text())["target"]["repeats"] is False
    assert "trained twice with one seed it served other lists" in (folder / "audit.html").read_text()


def test_an_audit_of_several_targets_on_two_processes_makes_the_page_of_each(served):
    kept = {"audit": AUDIT["audit"] | {"attacks": ["ptd"], "clones": [], "defenses": []}}
    served.run("audit", params=AUDIT | kept | {"model": ["bpr", "small"]}, runner=ParallelRunner(max_workers=2))
    pages = {model: Path(f"data/08_reporting/audit/small/{model}/audit.json") for model in ("bpr", "small")}
    kinds = {model: json.loads(page.read_text())["target"]["kind"] for model, page in pages.items()}
    assert kinds == {"bpr": "trained", "small": "recorded"}


def test_a_share_that_comes_to_fewer_users_than_an_audit_needs_is_told_as_what_it_is(served):
    small = AUDIT | {"audit": AUDIT["audit"] | {"shares": [0.01, 0.02], "clones": [], "defenses": []}}
    served.run("audit", params=small)
    figures = json.loads(Path("data/08_reporting/audit/small/small/audit.json").read_text())["figures"]
    assert {figure["share"] for figure in figures} == {8 / 80}  # of 80 users served, eight are known


def test_a_defense_that_alters_more_than_a_recorded_list_has_is_refused_before_training(served):
    lists = pd.read_csv("lists.csv")
    lists[(lists["user"] != lists["user"].min()) | (lists["rank"] <= 4)].to_csv("lists.csv", index=False)
    with pytest.raises(KedroCliError, match="alters 5 places, and 1 recorded lists have fewer"):
        served.run("audit", params=AUDIT)
    assert not list(Path("data/06_models").rglob("*served-small*"))


def test_too_few_users_to_ask_about_are_said_before_training(served):
    lists = pd.read_csv("lists.csv")
    lists[lists["user"].isin(lists["user"].unique()[:3])].to_csv("lists.csv", index=False)
    with pytest.raises(KedroCliError, match=r"audit: the target serves 3 users; .* and stealing needs 2"):
        served.run("audit", params=AUDIT | {"audit": AUDIT["audit"] | {"defenses": []}})
    assert not list(Path("data/06_models").rglob("*served-small*"))


def test_other_histories_make_other_exports(served):
    for name in ("anna", "bert"):
        Path(f"{name}.csv").write_text(f"user,item\n{name},5\n{name},6\n")
        asked = {"attack": "ptq", "export": {"histories": f"{name}.csv"}}
        served.run("export", params=asked, only_missing_outputs=True)
        assert set(served.load("small.seed0.bpr.none.ptq.exported_lists", **asked)["user"]) == {name}


def test_several_data_sets_may_be_named_beside_targets(small_project):
    with small_project.session(dataset=["small"], targets={"small": LISTS}) as session:
        assert session.load_context().params["dataset"] == ["small"]


def test_a_budget_leaves_attacks_out_and_a_later_run_goes_on(served):
    few = AUDIT | {"audit": AUDIT["audit"] | {"clones": [], "defenses": []}}
    served.run("audit", params=few | {"audit": few["audit"] | {"budget": 1e-6}})
    page = Path("data/08_reporting/audit/small/small/audit.md")
    assert "when 1e-06 minutes were over" in page.read_text()
    served.run("audit", params=few, only_missing_outputs=True)
    assert "minutes were over" not in page.read_text()


def test_what_was_stolen_is_handed_on_in_the_ids_of_the_file(served):
    Path("others.csv").write_text("user,item\nanna,5\nanna,6\nanna,7\nbert,8\nbert,404\n")
    asked = {"attack": "ptq", "export": {"histories": "others.csv"}}
    served.run("export", params=asked, only_missing_outputs=True)
    lists = served.load("small.seed0.bpr.none.ptq.exported_lists", **asked)
    assert lists.groupby("user")["item"].size().to_dict() == {"anna": 20, "bert": 20}
    assert not lists.query("user == 'anna'")["item"].isin([5, 6, 7]).any()
    assert set(lists["item"]) <= set(pd.read_csv("small.csv")["what"])
    vectors = served.load("small.seed0.bpr.none.ptq.exported_vectors", **asked)
    assert set(vectors["side"]) == {"user", "item"}
