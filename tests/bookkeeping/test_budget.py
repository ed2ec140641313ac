"""A plan within a budget of minutes: what runs, in which order, and what is left out."""

from __future__ import annotations

from kedro.pipeline import Pipeline, node

from rec_msa.bookkeeping.budget import LAST, Plan, has_plan, placed


def one(name: str, *inputs: str, tags: tuple[str, ...] = ()):
    def made(*_: object) -> int:
        return 1

    return node(made, list(inputs) or None, f"{name}_out", name=name, tags=tags)


def plan_of(minutes: float | None, each: float = 60.0) -> tuple[list[str], list[str], list[str]]:
    """What runs, what the page gets, and the nodes that were told of; every attack takes so many seconds."""
    seconds = [0.0]
    attacks = [placed(Pipeline([one("clone"), one(f"attack{n}", "clone_out")]), n, ("_out",)) for n in range(4)]
    nodes = {single for attack in attacks for single in attack.nodes if single.name != "clone"} | {one("clone")}
    page = one("page", *(f"attack{n}_out" for n in range(4)), tags=(LAST,))
    changed: list[str] = []
    plan = Plan(
        Pipeline([*nodes, page, one("limit", "page_out", tags=(LAST,)), one("check")]),
        minutes,
        lambda each: changed.append(each.name),
        lambda: seconds[0],
    )
    ran, got = [], []
    for each_node in plan:
        ran.append(each_node.name)
        seconds[0] += each if each_node.name.startswith("attack") else 0
        got = each_node.inputs if each_node.name == "page" else got
    return ran, got, changed


def test_without_a_limit_all_run_in_the_order_of_the_plan():
    ran, got, changed = plan_of(None)
    assert ran[0] == "check"
    assert [name for name in ran if name.startswith("attack")] == ["attack0", "attack1", "attack2", "attack3"]
    assert ran.index("clone") < ran.index("attack0")
    assert (ran[-2:], len(got), changed) == (["page", "limit"], 4, [])


def test_when_the_minutes_are_over_the_page_is_made_of_what_there_is():
    ran, got, changed = plan_of(2.5)
    assert [name for name in ran if name.startswith("attack")] == ["attack0", "attack1"]
    assert (ran[-2:], got) == (["page", "limit"], ["attack0_out", "attack1_out"])
    assert changed == ["page", "limit"]  # what is made of a partial page counts as little as the page


def test_the_first_place_runs_however_little_time_there_is():
    ran, _, _ = plan_of(0.001)
    assert [name for name in ran if name.startswith("attack")] == ["attack0"]


def test_pipelines_without_places_have_no_plan():
    assert not has_plan(Pipeline([one("check")]))
    assert has_plan(placed(Pipeline([one("check")]), 3, ("_out",)))
