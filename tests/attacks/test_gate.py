"""The gate: users in, ordered lists out, every call counted, nothing beyond what is allowed."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rec_msa.attacks.gate import AskOnce, QueryGate, SequenceSide, query, query_by_sequences, require_answered
from rec_msa.attacks.heldout_sequences import BY_CHANCE, HeldoutSequences, histories_of
from rec_msa.attacks.prefixes import MadeUpSequences, PrefixLists
from rec_msa.foundation.errors import QueryError
from rec_msa.foundation.lists import Lists

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH = 4
CATALOGUE = Lists(
    np.arange(20, dtype=np.int32), np.array([[100 * user + rank for rank in range(LENGTH)] for user in range(20)])
)


class Target:
    """Serves the lists of ``CATALOGUE`` and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Lists:
        self.given.append((args, kwargs))
        return CATALOGUE.of(args[0])


def list_of(user: int) -> list[int]:
    return CATALOGUE.items[user].tolist()  # type: ignore[no-any-return]


def test_lists_come_in_the_order_asked_with_repeats() -> None:
    gate = QueryGate(Target(), [3, 5, 7], budget=10)
    assert gate.ask([7, 3, 7, 5]).tolist() == [list_of(7), list_of(3), list_of(7), list_of(5)]


def test_every_call_is_counted_repeats_too() -> None:
    gate = QueryGate(Target(), [3, 5, 7], budget=10)
    assert gate.n_calls == 0
    gate.ask([7, 3, 7])
    gate.ask([7])
    assert gate.n_calls == 4


@pytest.mark.parametrize("users", [[4], [3, 4], [3, -1], [5, 10**6]])
def test_other_users_are_refused_without_answering_or_counting(users: list[int]) -> None:
    target = Target()
    gate = QueryGate(target, [3, 5, 7], budget=10)
    with pytest.raises(QueryError, match=f"user {users[-1]} may not be asked about"):
        gate.ask(users)
    assert target.given == []
    assert gate.n_calls == 0
    assert gate.ledger().empty


def test_calls_over_the_budget_are_refused_whole() -> None:
    target = Target()
    gate = QueryGate(target, [3, 5, 7], budget=3)
    gate.ask([3, 5])
    with pytest.raises(QueryError, match="2 more calls after 2 pass the budget of 3; none was answered"):
        gate.ask([7, 3])
    assert len(target.given) == 1
    assert gate.n_calls == 2
    gate.ask([7])
    with pytest.raises(QueryError, match="budget"):
        gate.ask([7])
    assert gate.ledger()["user"].tolist() == [3, 5, 7]


def test_a_nested_question_counts_each_of_its_users() -> None:
    gate = QueryGate(Target(), [3, 5, 7], budget=2)
    with pytest.raises(QueryError, match="3 more calls"):
        gate.ask([[3, 5, 7]])
    assert gate.ask([[3, 7]]).tolist() == [list_of(3), list_of(7)]
    assert gate.n_calls == 2


def test_a_single_user_may_be_asked_about_without_a_list_around() -> None:
    gate = QueryGate(Target(), [3], budget=1)
    assert gate.ask(3).tolist() == [list_of(3)]


def test_the_ledger_has_each_call_with_its_list() -> None:
    gate = QueryGate(Target(), [3, 5, 7], budget=5)
    gate.ask([7, 3])
    gate.ask([7])
    ledger = gate.ledger()
    assert list(ledger.columns) == ["call", "user", "items", "calls_left"]
    assert ledger["call"].tolist() == [1, 2, 3]
    assert ledger["user"].tolist() == [7, 3, 7]
    assert [items.tolist() for items in ledger["items"]] == [list_of(7), list_of(3), list_of(7)]
    assert ledger["calls_left"].tolist() == [4, 3, 2]


def test_the_ledger_of_no_calls_is_an_empty_table() -> None:
    ledger = QueryGate(Target(), [3], budget=5).ledger()
    assert list(ledger.columns) == ["call", "user", "items", "calls_left"]
    assert ledger.empty


def test_the_ledger_leaves_padding_out() -> None:
    lists = Lists(np.array([3]), np.array([[9, 8, -1, -1]]))
    gate = QueryGate(lists.of, [3], budget=1)
    assert gate.ask([3]).tolist() == [[9, 8, -1, -1]]
    assert gate.ledger()["items"].iloc[0].tolist() == [9, 8]


def test_an_attack_that_reuses_its_arrays_changes_no_record() -> None:
    gate = QueryGate(Target(), [3, 5], budget=4)
    users = np.array([3])
    gate.ask(users)[:] = 0
    users[0] = 5
    gate.ask(users)
    assert gate.ledger()["user"].tolist() == [3, 5]
    assert gate.ledger()["items"].iloc[0].tolist() == list_of(3)


def test_what_answers_is_given_ids_alone_sorted_and_each_once_at_a_time() -> None:
    target = Target()
    QueryGate(target, [3, 5, 7], budget=9).ask([7, 3, 7])
    for args, kwargs in target.given:
        assert len(args) == 1
        assert kwargs == {}
        assert isinstance(args[0], np.ndarray)
        assert np.issubdtype(args[0].dtype, np.integer)
    assert [args[0].tolist() for args, _ in target.given] == [[3, 7], [7]]


def test_a_user_asked_about_twice_in_one_question_is_answered_twice() -> None:
    answers = iter(range(100, 200))
    gate = QueryGate(lambda users: Lists(users, np.array([[next(answers)] for _ in users])), [3, 5, 7], budget=9)
    assert gate.ask([7, 3, 7, 5, 7]).ravel().tolist() == [102, 100, 103, 101, 104]


@given(st.lists(st.lists(st.integers(0, 9), max_size=5), max_size=8), st.sets(st.integers(0, 9)), st.integers(0, 15))
def test_whatever_is_asked_the_ledger_has_exactly_what_was_answered(
    questions: list[list[int]], allowed: set[int], budget: int
) -> None:
    gate = QueryGate(CATALOGUE.of, sorted(allowed), budget)
    answered: list[int] = []
    for users in questions:
        if set(users) <= allowed and len(answered) + len(users) <= budget:
            assert gate.ask(users).tolist() == [list_of(user) for user in users]
            answered += users
        else:
            with pytest.raises(QueryError):
                gate.ask(users)
    assert gate.n_calls == len(answered) <= budget
    assert gate.ledger()["user"].tolist() == answered


def attackers(*groups: tuple[int, str]) -> pd.DataFrame:
    return pd.DataFrame(groups, columns=["user", "group"])


PEOPLE = attackers((9, "queried"), (2, "heldout"), (4, "queried"), (6, "spare"), (11, "queried"))


def test_the_plain_strategy_asks_for_each_queried_user_once_and_for_no_other() -> None:
    target = Target()
    served, ledger = query(target, PEOPLE)
    assert ledger["user"].tolist() == [4, 9, 11]
    assert ledger["calls_left"].tolist() == [2, 1, 0]
    assert list(served.columns) == ["user", "rank", "item"]
    assert Lists.from_frame(served).users.tolist() == [4, 9, 11]
    assert Lists.from_frame(served).items.tolist() == [list_of(user) for user in (4, 9, 11)]
    assert {user for args, _ in target.given for user in args[0].tolist()} == {4, 9, 11}


def test_asking_each_once_forgets_repeats() -> None:
    gate = QueryGate(Target(), [3, 5], budget=2)
    assert AskOnce()(gate.ask, np.array([5, 3, 5]), np.random.default_rng()).users.tolist() == [3, 5]


@pytest.mark.parametrize("user", [2, 6, 12])
def test_a_strategy_cannot_ask_for_users_of_other_groups(user: int) -> None:
    def curious(ask: Callable[[Any], np.ndarray], _: np.ndarray, __: np.random.Generator) -> Lists:
        return Lists(np.array([user]), ask([user]))

    with pytest.raises(QueryError, match=f"user {user} may not"):
        query(Target(), PEOPLE, strategy=curious)


@pytest.mark.parametrize("calls_per_user", [1, 3])
def test_the_budget_is_a_number_of_calls_for_each_queried_user(calls_per_user: int) -> None:
    def patient(ask: Callable[[Any], np.ndarray], users: np.ndarray, _: np.random.Generator) -> Lists:
        for _ in range(calls_per_user * len(users)):
            ask(users[:1])
        return CATALOGUE.of(users[:1])

    def greedy(ask: Callable[[Any], np.ndarray], users: np.ndarray, stream: np.random.Generator) -> Lists:
        patient(ask, users, stream)
        return Lists(users[:1], ask(users[:1]))

    _, ledger = query(Target(), PEOPLE, calls_per_user, strategy=patient)
    assert len(ledger) == 3 * calls_per_user
    assert ledger["calls_left"].iloc[-1] == 0
    with pytest.raises(QueryError, match=f"budget of {3 * calls_per_user}"):
        query(Target(), PEOPLE, calls_per_user, strategy=greedy)


def test_a_strategy_has_a_random_stream_that_the_seed_decides() -> None:
    def drawing(ask: Callable[[Any], np.ndarray], users: np.ndarray, stream: np.random.Generator) -> Lists:
        asked = stream.permutation(users)
        return Lists(users[:1], ask(asked)[asked == users[0]])

    orders = [query(Target(), PEOPLE, strategy=drawing, seed=seed)[1]["user"].tolist() for seed in (0, 0, 1, 2, 3)]
    assert orders[0] == orders[1]
    assert len(set(map(tuple, orders))) > 1


N_ITEMS = 30


def follow(sequences: np.ndarray) -> np.ndarray:
    """After a sequence that ends in i come i + 1 and i + 2."""
    last = [row[row >= 0][-1] for row in sequences]
    return np.array([[(item + 1) % N_ITEMS, (item + 2) % N_ITEMS] for item in last], dtype=np.int32).reshape(-1, 2)


def sequence_gate(budget: int = 10) -> QueryGate:
    return QueryGate(Target(), [3, 5], budget, sequence_side())


def sequence_side(*heldout: list[int]) -> SequenceSide:
    return SequenceSide(N_ITEMS, follow, 2, [np.array(history) for history in heldout])


def test_sequences_are_answered_at_once_and_counted_one_by_one() -> None:
    gate = sequence_gate()
    assert gate.ask_sequences([[4], [7, 8, 9], [4]]).tolist() == [[5, 6], [10, 11], [5, 6]]
    assert gate.n_calls == 3
    assert gate.ask_sequences(np.array([[1, 2], [6, -1]])).tolist() == [[3, 4], [7, 8]]
    assert gate.ledger()["calls_left"].tolist() == [9, 8, 7, 6, 5]


def test_users_and_sequences_share_one_budget_and_one_ledger() -> None:
    gate = sequence_gate(budget=3)
    gate.ask([5])
    gate.ask_sequences([[4], [2, 7]])
    with pytest.raises(QueryError, match="1 more calls after 3 pass the budget of 3; none was answered"):
        gate.ask_sequences([[4]])
    with pytest.raises(QueryError, match="budget of 3"):
        gate.ask([3])
    ledger = gate.ledger()
    assert list(ledger.columns) == ["call", "user", "sequence", "items", "calls_left"]
    assert ledger["user"].tolist() == [5, pd.NA, pd.NA]
    assert [row.tolist() for row in ledger["sequence"]] == [[], [4], [2, 7]]
    assert [row.tolist() for row in ledger["items"]] == [list_of(5), [5, 6], [8, 9]]


@pytest.mark.parametrize(
    ("sequences", "said"),
    [
        ([[1], []], "sequence 1 is empty"),
        ([[1], [2.7]], "sequence 1 is no row of whole numbers"),
        (np.array([[1.0, 2.0]]), "sequence 0 is no row of whole numbers"),
        (np.array([[[1, 2]]]), "sequence 0 is no row of whole numbers"),
        ([[1, 30]], "item 30 is unknown: the catalogue has the items 0 to 29"),
        ([[1, -2]], "item -2 is unknown"),
        (np.array([[-1, -1]]), "sequence 0 is empty"),
        (np.array([[1, -1, 2]]), "sequence 0 has a gap"),
        ([[1]] * 11, "11 more calls after 0 pass the budget of 10"),
    ],
)
def test_sequences_that_are_none_are_refused_whole(sequences: Any, said: str) -> None:
    gate = sequence_gate()
    with pytest.raises(QueryError, match=said):
        gate.ask_sequences(sequences)
    assert gate.n_calls == 0
    assert gate.ledger().empty


def test_a_gate_for_users_alone_refuses_sequences() -> None:
    with pytest.raises(QueryError, match="sequences may not be asked about here"):
        QueryGate(Target(), [3], budget=5).ask_sequences([[1]])


@pytest.mark.parametrize("calls_per_user", [1, 4, 17])
def test_a_strategy_by_sequences_has_the_same_budget_for_each_queried_user(calls_per_user: int) -> None:
    strategy = partial(MadeUpSequences(calls_per_user=calls_per_user), n_items=N_ITEMS, length=5)
    side = sequence_side()
    served, ledger = query_by_sequences(Target(), side, PEOPLE, calls_per_user, strategy, seed=0)
    assert len(ledger) == 3 * calls_per_user
    assert ledger["calls_left"].iloc[-1] == 0
    assert len(served.drop_duplicates(["sequence", "place"])) == len(ledger)
    assert ledger["user"].isna().all()


# ---- what got through before


@pytest.mark.parametrize("kind", ["users", "sequences"])
def test_threads_that_asked_together_got_more_calls_than_the_budget(kind: str) -> None:
    gate = sequence_gate(budget=3)
    ask: Callable[[], Any] = {"users": lambda: gate.ask([3]), "sequences": lambda: gate.ask_sequences([[4]])}[kind]
    slow, answered = threading.Barrier(16), []

    def one() -> None:
        slow.wait()
        for _ in range(3):
            try:
                answered.append(ask())
            except QueryError:
                return

    threads = [threading.Thread(target=one) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answered) == len(gate.ledger()) == 3
    assert gate.ledger()["calls_left"].tolist() == [2, 1, 0]


def test_an_attack_that_returns_what_it_was_not_answered_was_believed() -> None:
    def inventive(ask: Callable[[Any], np.ndarray], users: np.ndarray, _: np.random.Generator) -> Lists:
        return Lists(users, ask(users) + 1)

    def generous(ask: Callable[[Any], np.ndarray], users: np.ndarray, _: np.random.Generator) -> Lists:
        ask(users)
        return CATALOGUE.of([2, *users])

    with pytest.raises(QueryError, match="item 404 of user 4 stands in no answer of the ledger about that user"):
        query(Target(), PEOPLE, strategy=inventive)
    with pytest.raises(QueryError, match="of user 2 stands in no answer"):
        query(Target(), PEOPLE, strategy=generous)


def test_a_ledger_with_somebody_who_may_not_be_asked_about_is_refused() -> None:
    served, ledger = query(Target(), PEOPLE)
    require_answered(served, ledger, PEOPLE)
    ledger.loc[1, "user"] = 2
    with pytest.raises(QueryError, match="user 2 was asked about, who is none of the queried users"):
        require_answered(served, ledger, PEOPLE)


HELD_OUT = [
    7,
    3,
    9,
    1,
    8,
    2,
    11,
    25,
    13,
    20,
    17,
    4,
    28,
    6,
    23,
    15,
    10,
    5,
    19,
    27,
    12,
    0,
    21,
    14,
    26,
    18,
    22,
    16,
    29,
    24,
]


@pytest.mark.parametrize(
    "asked",
    [HELD_OUT, HELD_OUT[:29], HELD_OUT[1:], [4, *HELD_OUT[5:]], HELD_OUT[::-1] + HELD_OUT],
    ids=[
        "itself",
        "without its last item",
        "without its first",
        "its end behind another item",
        "turned round before it",
    ],
)
def test_a_held_out_user_s_sequence_was_answered_as_if_it_were_made_up(asked: list[int]) -> None:
    gate = QueryGate(Target(), [3, 5], 10, SequenceSide(N_ITEMS, follow, 4, [np.array(HELD_OUT), np.array([1, 2])]))
    with pytest.raises(
        QueryError, match="sequence 1 may not be asked about: it is a held-out user's, or a telling piece"
    ):
        gate.ask_sequences([[4, 7], asked])
    assert gate.n_calls == 0
    assert gate.ask_sequences([[4, 7], HELD_OUT[:2], HELD_OUT[::-1]]).shape == (3, 2)


def test_short_histories_of_many_held_out_users_were_answered_one_after_the_other() -> None:
    rng = np.random.default_rng(0)
    histories = [rng.choice(3000, size=5, replace=False) for _ in range(60)]
    watched = HeldoutSequences(histories, list_length=50, budget=100)
    watched.require_none(histories[0][None, :])  # one may be chance
    with pytest.raises(QueryError, match="may not be asked about"):
        watched.require_none(np.stack(histories))


@pytest.mark.parametrize("choice", ["recommended", "random"])
@pytest.mark.parametrize("list_length", [2, 10])
def test_made_up_sequences_are_not_refused_even_where_users_follow_the_target_themselves(
    choice: Any, list_length: int
) -> None:
    """Histories that are themselves drawn from the target's lists: the most that chance can meet."""
    rng = np.random.default_rng(1)

    def answer(sequences: np.ndarray) -> np.ndarray:
        last = np.array([row[row >= 0][-1] for row in sequences])
        return (last[:, None] + 1 + np.arange(list_length)) % 200

    def history() -> list[int]:
        items = [int(rng.integers(200))]
        while len(items) < 40:
            items.append(int((items[-1] + 1 + rng.integers(list_length)) % 200))
        return items

    side = SequenceSide(200, answer, list_length, [np.array(history()) for _ in range(30)])
    strategy = partial(MadeUpSequences(calls_per_user=400, choice=choice), n_items=200, length=20)
    _, ledger = query_by_sequences(Target(), side, PEOPLE, 400, strategy, seed=0)
    assert len(ledger) == 1200
    assert BY_CHANCE < 1e-6


def test_an_attack_by_sequences_that_returns_what_it_was_not_answered_was_believed() -> None:
    def inventive(ask: Callable[[Any], np.ndarray], _: np.ndarray, __: np.random.Generator) -> PrefixLists:
        lists = ask(np.array([[4]]))
        return PrefixLists(np.array([[4]], dtype=np.int32), np.stack([lists + 1], axis=1))

    with pytest.raises(QueryError, match="the list of sequence 0 after 1 items is no answer in the ledger"):
        query_by_sequences(Target(), sequence_side(), PEOPLE, 1, inventive, seed=0)


def test_the_ledger_is_looked_at_again_for_held_out_users(monkeypatch: pytest.MonkeyPatch) -> None:
    def telling(ask: Callable[[Any], np.ndarray], _: np.ndarray, __: np.random.Generator) -> PrefixLists:
        asked = np.array([HELD_OUT])
        answers = np.full((1, len(HELD_OUT), 2), -1, dtype=np.int32)
        answers[0, -1] = ask(asked)
        return PrefixLists(asked.astype(np.int32), answers)

    side = SequenceSide(N_ITEMS, follow, 4, [np.array(HELD_OUT)])
    monkeypatch.setattr(QueryGate, "ask_sequences", _without_a_look(QueryGate.ask_sequences))
    with pytest.raises(QueryError, match="it is a held-out user's"):
        query_by_sequences(Target(), side, PEOPLE, 1, telling, seed=0)


def _without_a_look(ask: Callable[..., Any]) -> Callable[..., Any]:
    """A gate that forgot to look whom a sequence is of."""

    def blind(gate: QueryGate, sequences: Any) -> Any:
        gate._heldout = HeldoutSequences([], 4, 10)
        return ask(gate, sequences)

    return blind


def test_histories_are_those_of_the_users_in_their_order() -> None:
    owner, items = np.array([5, 3, 5, 4, 3]), np.array([10, 11, 12, 13, 14])
    assert [history.tolist() for history in histories_of([5, 3], (owner, items))] == [[11, 14], [10, 12]]
    assert histories_of([9], (owner, items)) == []
