"""Sequential recommenders against their papers' formulas, written out place by place; order, padding and histories."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from rec_msa.recommenders import compiling, cross_entropy, gru_kernels, stamp
from rec_msa.recommenders.cross_entropy import catalogue_cross_entropy
from rec_msa.recommenders.gru4rec import recur
from rec_msa.recommenders.items import FusedItemTable, ItemTable
from rec_msa.recommenders.sequential import dropped
from rec_msa.recommenders.settings import SETTINGS, is_sequential
from tests.recommenders.gradients import assert_same_gradients, draw

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from rec_msa.recommenders.gru4rec import Gru4rec
    from rec_msa.recommenders.sasrec import Sasrec
    from rec_msa.recommenders.sequential import SequentialRecommender
    from rec_msa.recommenders.stamp import Stamp

    Make = Callable[..., SequentialRecommender]

NAMES = tuple(filter(is_sequential, SETTINGS))
SEQUENCES = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3], [12, 0, 7, 8, 11]])


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def linear(weight: Tensor, x: list[float], bias: Tensor | None = None) -> list[float]:
    shift = bias.tolist() if bias is not None else [0.0] * len(weight)
    return [dot(row, x) + b for row, b in zip(weight.tolist(), shift, strict=True)]


def norm(layer: torch.nn.LayerNorm, x: list[float]) -> list[float]:
    mean = sum(x) / len(x)
    scale = math.sqrt(sum((v - mean) ** 2 for v in x) / len(x) + layer.eps)
    weight, bias = layer.weight.tolist(), layer.bias.tolist()
    return [w * (v - mean) / scale + b for w, v, b in zip(weight, x, bias, strict=True)]


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def slow_sasrec(model: Sasrec, items: list[int]) -> list[float]:
    """Eq. 1-5 for the whole of a short sequence; the last place's state."""
    d, heads = model.settings.dimensions, model.settings.heads
    width = d // heads
    table, places = model.items.weight.tolist(), model.places.tolist()
    x = [[math.sqrt(d) * e + p for e, p in zip(table[item], places[t], strict=True)] for t, item in enumerate(items)]
    for block in model.blocks:
        w_q, w_k, w_v = block.projections.weight.detach().split(d)  # type: ignore[union-attr, operator]
        normed = [norm(block.attention_norm, row) for row in x]  # type: ignore[arg-type]
        query, key, value = ([linear(w, row) for row in normed] for w in (w_q, w_k, w_v))
        after = []
        for t, row in enumerate(x):
            mixed: list[float] = []
            for head in range(heads):
                part = slice(head * width, (head + 1) * width)
                powers = [math.exp(dot(query[t][part], key[i][part]) / math.sqrt(width)) for i in range(t + 1)]
                shares = [power / sum(powers) for power in powers]
                mixed += [sum(shares[i] * value[i][part][c] for i in range(t + 1)) for c in range(width)]
            after.append([a + b for a, b in zip(row, mixed, strict=True)])
        x = []
        for row in after:
            hidden = linear(block.inner.weight, norm(block.feed_norm, row), block.inner.bias)  # type: ignore[arg-type, union-attr]
            out = linear(block.outer.weight, [max(0.0, v) for v in hidden], block.outer.bias)  # type: ignore[arg-type, union-attr]
            x.append([a + b for a, b in zip(row, out, strict=True)])
    return norm(model.last_norm, x[-1])


def slow_stamp(model: Stamp, items: list[int]) -> list[float]:
    """Eq. 4-9 of the paper."""
    table = model.items.weight.tolist()
    x = [table[item] for item in items]
    m_s = [sum(column) / len(x) for column in zip(*x, strict=True)]
    m_a = [0.0] * len(m_s)
    for x_i in x:
        terms = zip(
            linear(model.w_1.weight, x_i),
            linear(model.w_2.weight, x[-1]),
            linear(model.w_3.weight, m_s, model.w_3.bias),
            strict=True,
        )
        a_i = dot(model.w_0.tolist(), [sigmoid(sum(three)) for three in terms])
        m_a = [m + a_i * v for m, v in zip(m_a, x_i, strict=True)]
    h_s = [math.tanh(v) for v in linear(model.w_s.weight, m_a, model.w_s.bias)]
    h_t = [math.tanh(v) for v in linear(model.w_t.weight, x[-1], model.w_t.bias)]
    return [s * t for s, t in zip(h_s, h_t, strict=True)]


def slow_gru4rec(model: Gru4rec, items: list[int]) -> list[float]:
    """z = sigma(..), r = sigma(..), n = tanh(W x + b + r * (U h + c)), h = (1 - z) n + z h, then the projection."""
    table, hidden = model.items.weight.tolist(), model.settings.hidden
    w, u = (tensor.detach().split(hidden) for tensor in (model.gru.weight_ih_l0, model.gru.weight_hh_l0))  # type: ignore[operator]
    b, c = (tensor.detach().split(hidden) for tensor in (model.gru.bias_ih_l0, model.gru.bias_hh_l0))  # type: ignore[operator]
    h = [0.0] * hidden
    for item in items:
        seen = [linear(w[gate], table[item], b[gate]) for gate in range(3)]
        kept = [linear(u[gate], h, c[gate]) for gate in range(3)]
        r, z = ([sigmoid(a + e) for a, e in zip(seen[gate], kept[gate], strict=True)] for gate in (0, 1))
        n = [math.tanh(a + share * e) for a, share, e in zip(seen[2], r, kept[2], strict=True)]
        h = [(1 - share) * new + share * old for share, new, old in zip(z, n, h, strict=True)]
    return linear(model.projection.weight, h, model.projection.bias)


SLOW: dict[str, Callable[..., list[float]]] = {"sasrec": slow_sasrec, "stamp": slow_stamp, "gru4rec": slow_gru4rec}


def test_the_state_after_every_prefix_is_what_the_paper_says(name: str, make_model: Make) -> None:
    model = make_model(name)
    with torch.no_grad():
        states = model.states(SEQUENCES)
    for row, items in enumerate(SEQUENCES.tolist()):
        for n in range(1, len(items) + 1):
            expected = torch.tensor(SLOW[name](model, items[:n]))
            torch.testing.assert_close(states[row, n - 1], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("scale", [1.0, 50.0], ids=["usual", "full gates"])
@pytest.mark.parametrize("batch", [1, gru_kernels.AT_ONCE, 2 * gru_kernels.AT_ONCE + 3])
def test_recurrent_units_and_their_gradients_are_torchs_own(batch: int, scale: float) -> None:
    gru = torch.nn.GRU(4, 3)
    x = (scale * draw(7, batch, 4)).float()
    ours = recur(F.linear(x, gru.weight_ih_l0, gru.bias_ih_l0), gru.weight_hh_l0, gru.bias_hh_l0)
    assert_same_gradients(ours, gru(x)[0], tuple(gru.parameters()))


def test_recurrent_units_take_inputs_in_any_order_of_memory() -> None:
    weight, bias, inputs = draw(9, 3).float(), draw(9).float(), draw(5, 7, 9).float()
    torch.testing.assert_close(
        recur(inputs.transpose(0, 1), weight, bias)[:, 2:3], recur(inputs[2:3].transpose(0, 1), weight, bias)
    )


@given(st.floats(-87, 87, width=32))
def test_the_compiled_exponential_is_right_to_the_last_places(x: float) -> None:
    assert compiling.exp(np.float32(x)) == pytest.approx(math.exp(x), rel=3e-7)


@pytest.mark.parametrize(("x", "share"), [(-1e30, 0.0), (-math.inf, 0.0), (math.inf, 1.0), (math.nan, math.nan)])
def test_gates_far_out_are_shut_or_open_and_nan_stays_nan(x: float, share: float) -> None:
    assert gru_kernels.sigmoid(np.float32(x)) == pytest.approx(share, abs=1e-30, nan_ok=True)


@pytest.mark.parametrize("n_ends", [1, 4, 6])
@pytest.mark.parametrize("gates_at_once", [1, 150, 10_000])
def test_stamps_attention_and_its_gradient_are_those_of_all_pairs_with_later_items_left_out(
    n_ends: int, gates_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamp, "GATES_AT_ONCE", gates_at_once)
    keys, asked, w_0 = draw(3, 6, 4), draw(3, n_ends, 4, seed=1), draw(4, seed=2)
    seen = torch.ones(n_ends, 6, dtype=torch.float64).tril(6 - n_ends)
    plain = (torch.sigmoid(keys.unsqueeze(1) + asked.unsqueeze(2)) @ w_0) * seen
    assert_same_gradients(stamp.attention(keys, asked, w_0), plain, (keys, asked, w_0))


def test_states_at_some_places_and_their_gradients_are_those_of_all_places(name: str, make_model: Make) -> None:
    model = make_model(name).double()
    places = torch.rand(SEQUENCES.shape, generator=torch.Generator().manual_seed(3)).argsort(1)[:, :3]
    rows = torch.arange(len(SEQUENCES)).unsqueeze(1)
    some, whole = model.states_at(SEQUENCES, places), model.states(SEQUENCES)[rows, places]
    assert_same_gradients(some, whole, tuple(p for p in model.parameters() if p.requires_grad))


@pytest.mark.parametrize("gates_at_once", [1, 150, 10_000])
def test_stamps_attention_at_some_places_leaves_out_what_comes_after_each(
    gates_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamp, "GATES_AT_ONCE", gates_at_once)
    keys, asked, w_0 = draw(3, 6, 4), draw(3, 2, 4, seed=1), draw(4, seed=2)
    places = torch.tensor([[5, 0], [2, 4], [3, 1]])
    seen = torch.arange(6) <= places.unsqueeze(2)
    plain = (torch.sigmoid(keys.unsqueeze(1) + asked.unsqueeze(2)) @ w_0) * seen
    assert_same_gradients(stamp.attention(keys, asked, w_0, places), plain, (keys, asked, w_0))


def test_a_users_score_is_the_product_of_the_last_state_and_the_item(name: str, make_model: Make) -> None:
    model = make_model(name)
    with torch.no_grad():
        scores = model.score_all(torch.arange(5))
    for row, history in enumerate(model.histories.tolist()):
        state = SLOW[name](model, [item for item in history if item >= 0])
        expected = [dot(state, q) for q in model.items.weight.tolist()]
        torch.testing.assert_close(scores[row], torch.tensor(expected), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("place", [1, 3, 4])
def test_later_items_change_no_earlier_state(name: str, make_model: Make, place: int) -> None:
    model, changed = make_model(name), SEQUENCES.clone()
    changed[:, place] = (changed[:, place] + 1) % 13
    with torch.no_grad():
        before, after = model.states(SEQUENCES), model.states(changed)
    torch.testing.assert_close(before[:, :place], after[:, :place], atol=0, rtol=0)
    assert not torch.allclose(before[:, place:], after[:, place:])


def test_no_gradient_flows_from_a_state_to_a_later_item(name: str, make_model: Make) -> None:
    model = make_model(name)
    model.states(torch.tensor([[1, 2, 3, 4, 5]]))[0, 2].sum().backward()
    touched = model.items.weight.grad.any(dim=1)  # type: ignore[union-attr]
    assert touched.nonzero().flatten().tolist() == [1, 2, 3]


def test_padding_never_leaks(name: str, make_model: Make) -> None:
    model = make_model(name)
    sequences = torch.tensor([[3, 1, -1, -1, -1], [9, 2, 6, 5, 3], [4, -1, -1, -1, -1]])
    lengths = torch.tensor([2, 5, 1])
    with torch.no_grad():
        together = [model.last_states(sequences.where(sequences >= 0, filler), lengths) for filler in (0, 12)]
        alone = [model.states(row[:n].unsqueeze(0))[0, -1] for row, n in zip(sequences, lengths, strict=True)]
    torch.testing.assert_close(together[0], together[1], atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(together[0], torch.stack(alone), atol=1e-6, rtol=1e-5)


def test_an_empty_history_prefers_nothing(name: str, make_model: Make) -> None:
    model = make_model(name)
    model.histories[2] = -1
    with torch.no_grad():
        assert not model.score_all(torch.tensor([2])).any()
        assert model.score_all(torch.tensor([1])).any()


def test_a_history_is_the_last_items_in_the_order_of_the_rows(name: str, make_model: Make) -> None:
    model = make_model(name)
    untouched = model.histories[0].tolist()
    rows = [(7, 1), (3, 9), (7, 2), (7, 3), (99, 4), (7, 4), (3, 8), (7, 5), (7, 6)]
    model.read(pd.DataFrame(rows, columns=["user", "item"]))
    assert model.histories[3].tolist() == [2, 3, 4, 5, 6]
    assert model.histories[1].tolist() == [9, 8, -1, -1, -1]
    assert model.histories[0].tolist() == untouched


def test_given_sequences_score_as_users_with_these_histories(name: str, make_model: Make) -> None:
    model = make_model(name)
    before = model.histories.clone()
    view = model.reading(torch.tensor([[7, 1, 2, 3, 4, 5, 6], [9, 8, -1, -1, -1, -1, -1]]))
    model.read(pd.DataFrame({"user": [2] * 5 + [3] * 2, "item": [2, 3, 4, 5, 6, 9, 8]}))
    with torch.no_grad():
        torch.testing.assert_close(view.score_all(torch.arange(2)), model.score_all(torch.arange(2)))
    assert view.n_users == 2
    assert model.n_users == 5
    assert torch.equal(model.histories[2:], before[2:])


def test_dropout_follows_its_stream_and_keeps_the_mean(name: str, make_model: Make) -> None:
    model = make_model(name)
    with torch.no_grad():
        same = [model.states(SEQUENCES, torch.Generator().manual_seed(5)) for _ in range(2)]
        other = model.states(SEQUENCES, torch.Generator().manual_seed(6))
    assert torch.equal(*same)
    assert torch.equal(same[0], other) == (name == "stamp")  # which has none
    ones = dropped(torch.ones(200_000), 0.2, torch.Generator().manual_seed(0))
    assert ones.mean().item() == pytest.approx(1, abs=0.01)
    assert set(ones.unique().tolist()) == {0.0, 1.25}


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_dropout_drops_at_its_rate_at_every_place_and_each_place_by_itself(rate: float) -> None:
    # Four neighbours come from one number of 64 bits.
    gone = dropped(torch.ones(100_000, 4), rate, torch.Generator().manual_seed(1)) == 0
    assert gone.double().mean(0).tolist() == pytest.approx([rate] * 4, abs=0.005)
    assert torch.corrcoef(gone.double().T).fill_diagonal_(0).abs().max() < 0.015


def test_dropout_of_few_numbers_has_their_shape() -> None:
    stream = torch.Generator().manual_seed(2)
    for shape in ((1,), (3, 1), (2, 3, 7)):
        assert dropped(torch.ones(shape), 0.2, stream).shape == shape


@pytest.mark.parametrize("precision", [torch.float32, torch.float64], ids=["compiled", "torch"])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("spread", [1, 300], ids=["usual", "one item has all"])
@given(seed=st.integers(0, 1000), n=st.integers(1, 40))
@settings(max_examples=10)
def test_the_cross_entropy_in_chunks_equals_the_one_over_a_matrix_of_scores(
    precision: torch.dtype, fused: bool, spread: float, seed: int, n: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    table = (FusedItemTable(17, 6) if fused else ItemTable(17, 6)).to(precision)
    with torch.no_grad():
        for tensor in table.state_dict().values():
            if tensor.is_floating_point():
                tensor.normal_(generator=generator)
    if isinstance(table, FusedItemTable):
        table.known[::3] = False
    states = (spread * torch.randn(n, 6, generator=generator)).to(precision).requires_grad_()
    targets = torch.randint(17, (n,), generator=generator)
    wanted = [states, *(p for p in table.parameters() if p.requires_grad)]
    whole = F.cross_entropy(table.products(states, states), targets)
    expected = torch.autograd.grad(whole, wanted)
    usual, cross_entropy.SCORES_AT_ONCE = cross_entropy.SCORES_AT_ONCE, 5 * 17
    try:
        loss = catalogue_cross_entropy(table, states, targets)
    finally:
        cross_entropy.SCORES_AT_ONCE = usual
    torch.testing.assert_close(loss, whole)
    for found, sought in zip(torch.autograd.grad(3 * loss, wanted), expected, strict=True):
        torch.testing.assert_close(found, 3 * sought, atol=1e-5 * spread, rtol=1e-4)


def test_sasrecs_loss_is_a_binary_cross_entropy_of_the_next_item_and_a_negative(make_model: Make) -> None:
    model = make_model("sasrec")
    users, nexts, negatives = torch.tensor([0, 3]), torch.tensor([4, 1]), torch.tensor([[6], [12]])
    with torch.no_grad():
        scores = model.score_all(users)
        terms = [
            -math.log(sigmoid(scores[row, nexts[row]])) - math.log(1 - sigmoid(scores[row, negatives[row, 0]]))
            for row in range(2)
        ]
        assert model.loss(users, nexts, negatives).item() == pytest.approx(sum(terms) / 4, rel=1e-5)


@pytest.mark.parametrize("name", ["stamp", "gru4rec"])
def test_the_full_loss_is_the_cross_entropy_over_the_catalogue(name: str, make_model: Make) -> None:
    model = make_model(name)
    users, nexts = torch.tensor([0, 3]), torch.tensor([4, 1])
    with torch.no_grad():
        expected = -torch.log_softmax(model.score_all(users), dim=1)[torch.arange(2), nexts].mean()
        assert model.loss(users, nexts, torch.empty(2, 0, dtype=torch.long)).item() == pytest.approx(expected.item())


def test_gru4recs_sampled_loss_sets_the_next_item_against_the_sample_alone(make_model: Make) -> None:
    model = make_model("gru4rec", loss="sampled")
    assert model.settings.n_sampled == 3
    users, nexts, negatives = torch.tensor([0, 3]), torch.tensor([4, 1]), torch.tensor([[6, 7, 0], [12, 5, 2]])
    with torch.no_grad():
        candidates = model.score_all(users).gather(1, torch.cat([nexts[:, None], negatives], dim=1))
        expected = -torch.log_softmax(candidates, dim=1)[:, 0].mean()
        assert model.loss(users, nexts, negatives).item() == pytest.approx(expected.item())


def test_the_encoder_of_a_fused_model_reads_its_own_vectors_alone(name: str, make_model: Make) -> None:
    model = make_model(name, "attention")
    with torch.no_grad():
        before = model.states(SEQUENCES)
        model.items.auxiliary.add_(1)  # type: ignore[operator]
        assert torch.equal(model.states(SEQUENCES), before)


def test_l2_is_half_the_mean_squared_norm_of_states_and_next_items(name: str, make_model: Make) -> None:
    plain, weighted = (make_model(name, l2=l2) for l2 in (0.0, 0.3))
    states, targets = torch.randn(4, 6, generator=torch.Generator().manual_seed(1)), torch.tensor([2, 0, 5, 5])
    negatives = torch.tensor([[1, 3, 4, 6, 7, 8]] * 4)[:, : plain.settings.n_sampled]
    loss, penalised = (model.sequence_loss(states, targets, negatives).item() for model in (plain, weighted))
    vectors = plain.items.weight[targets]
    norms = [sum(dot(v, v) for v in part.tolist()) / 4 for part in (states, vectors)]
    assert penalised - loss == pytest.approx(0.15 * sum(norms), rel=1e-4)
