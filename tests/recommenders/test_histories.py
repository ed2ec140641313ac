"""What models that read interactions know of each row, against sets of items."""

from __future__ import annotations

import torch

from rec_msa.recommenders.histories import Histories

PAIRS = [(3, 4), (0, 2), (3, 1), (0, 2), (4, 0), (3, 6)]


def histories(*reads: list[tuple[int, int]]) -> Histories:
    made = Histories(5, 7)
    for pairs in reads or (PAIRS,):
        rows, items = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
        made.read(rows, items)
    return made


def sets(made: Histories) -> list[list[int]]:
    return [items.nonzero().flatten().tolist() for items in made.dense()]


def test_each_row_has_each_of_its_items_once() -> None:
    assert sets(histories()) == [[2], [], [], [1, 4, 6], [0]]
    assert histories().counts.tolist() == [1, 0, 0, 3, 1]


def test_what_is_read_of_a_row_takes_the_place_of_what_it_had() -> None:
    assert sets(histories(PAIRS, [(3, 0), (1, 5)])) == [[2], [5], [], [0], [0]]
    assert sets(histories(PAIRS, [])) == sets(histories())


def test_columns_are_rows_of_the_transposed_also_after_more_was_read() -> None:
    made = histories()
    assert torch.equal(made.transposed().dense(), made.dense().T)
    made.read(torch.tensor([2, 3]), torch.tensor([6, 6]))
    assert torch.equal(made.transposed().dense(), made.dense().T)


def test_some_rows_come_in_their_order_with_repeats() -> None:
    assert sets(histories().of(torch.tensor([3, 1, 0, 3]))) == [[1, 4, 6], [], [2], [1, 4, 6]]
    assert sets(histories().of(torch.tensor([1, 2]))) == [[], []]


def test_sums_are_a_product_of_matrices() -> None:
    vectors = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    for made in (histories(), histories([]), histories([(4, 6)])):
        torch.testing.assert_close(made.sums(vectors), made.dense() @ vectors)


def test_padded_blocks_hold_every_row_once_and_no_item_at_padding() -> None:
    for places in (1, 4, 100):
        found = {}
        for rows, items, there in histories().padded(places, at_least=1):
            assert items.shape == there.shape
            found |= {row: own[inside].tolist() for row, own, inside in zip(rows.tolist(), items, there, strict=True)}
        assert [found[row] for row in range(5)] == [[2], [], [], [1, 4, 6], [0]]


def test_a_checkpoint_brings_as_many_items_as_it_has() -> None:
    restored = Histories(5, 7)
    restored.load_state_dict(histories().state_dict())
    assert sets(restored) == sets(histories())
