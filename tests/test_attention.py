"""The causal transformer: nothing sees the future, everything sees the past, and the memory changes only the time."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from playground.families.attention import CausalTransformer, angles, turned


def lively(states: int = 5, grid: tuple[int, int] = (3, 4), width: int = 8, heads: int = 2) -> CausalTransformer:
    """A tiny network with weights large enough that its odds differ from place to place; in double precision."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = CausalTransformer(states, grid, classes=3, width=width, depth=2, heads=heads)
        for p in net.parameters():
            p.data += 0.3 * torch.randn(p.shape)
    return net.double().requires_grad_(False).eval()


def symbols(net: CausalTransformer, n: int) -> Tensor:
    return torch.randint(net.embed.num_embeddings, (n, *net.grid), generator=torch.Generator().manual_seed(1))


def test_a_symbol_is_guessed_from_all_before_it_and_no_other() -> None:
    net = lively(states=7, grid=(5, 8))  # higher and wider than what the convolution sees
    places = 40
    one_hot = torch.nn.functional.one_hot(symbols(net, 1), 7).double().requires_grad_()
    x = (net.near(one_hot @ net.embed.weight) + net.position + net.label.weight[2]).flatten(1, 2)
    x = x + torch.nn.functional.pad(one_hot.flatten(1, 2)[:, :-1] @ net.before.weight, (0, 0, 1, 0))
    for block in net.blocks:
        x = block(x, net.turns)
    scores = net.head(x)[0]  # (places, states)
    torch.testing.assert_close(scores, net(one_hot.argmax(-1), torch.tensor([2])).flatten(1, 2)[0])
    for place in range(places):
        (slope,) = torch.autograd.grad(scores[place].square().sum(), one_hot, retain_graph=True)
        reached = slope.flatten(1, 2)[0].abs().sum(-1)  # (places,)
        assert (reached[:place] > 0).all(), "a blind spot"
        assert (reached[place:] == 0).all(), "a look ahead"


def test_the_class_moves_all_odds() -> None:
    net = lively()
    tokens = symbols(net, 1).expand(4, -1, -1)
    scores = net(tokens, torch.arange(4))
    assert ((scores[1:] - scores[:-1]).abs().amax(-1) > 1e-3).all()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.5])
def test_the_memory_changes_nothing(temperature: float) -> None:
    net = lively()
    uniforms = torch.rand(6, 3, 4, generator=torch.Generator().manual_seed(2))
    label = torch.tensor([0, 1, 2, 3, 3, 3])
    *_, drawn = net.draw(label, uniforms, temperature)
    assert torch.equal(drawn, net.draw_naively(label, uniforms, temperature))
    assert len(drawn.unique()) > 2


def test_a_step_gives_what_the_whole_gives() -> None:
    net = lively()
    x = torch.randn(2, 12, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    block = net.blocks[0]
    memory = block.remember(2, 12)
    steps = torch.stack([block.step(x[:, t], net.turns, memory, t) for t in range(12)], 1)
    torch.testing.assert_close(steps, block(x, net.turns))


def test_attention_is_that_of_the_papers_equation() -> None:
    """Softmax(Q K^T / sqrt(d)) V, masked, written out; then the perceptron."""
    net = lively()
    block, x = net.blocks[1], torch.randn(1, 12, 8, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    q, k, v = block.qkv(block.norm(x))[0].view(12, 3, 2, 4).permute(1, 2, 0, 3)
    weights = turned(q, net.turns) @ turned(k, net.turns).mT / 2  # (heads, T, T)
    future = torch.ones(12, 12).triu(1).bool()
    y = weights.masked_fill(future, -torch.inf).softmax(-1) @ v
    attended = x + block.out(y.transpose(0, 1).reshape(1, 12, 8))
    torch.testing.assert_close(block(x, net.turns), attended + block.mlp(attended))


def test_turning_keeps_lengths_and_lets_products_depend_on_distance_alone() -> None:
    turns = angles((5, 6), 8).double()
    q, k = torch.randn(2, 1, 1, 1, 8, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    q, k = (turned(x.expand(1, 1, 30, 8), turns)[0, 0].view(5, 6, 8) for x in (q, k))
    torch.testing.assert_close(q.norm(dim=-1), q[0, 0].norm().expand(5, 6))
    torch.testing.assert_close((q[3, 4] * k[1, 5]).sum(), (q[4, 1] * k[2, 2]).sum())  # two up and one to the right
    assert (q[3, 4] * k[1, 5]).sum() != (q[3, 4] * k[1, 4]).sum()


def test_heads_that_cannot_be_turned_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of four"):
        CausalTransformer(5, (3, 4), classes=3, width=12, depth=1, heads=2)


def test_labels_are_dropped_as_often_as_asked_and_unknown_ones_always() -> None:
    net, g = lively(), torch.Generator().manual_seed(0)
    label = torch.arange(4000) % 3
    told = net.maybe(label, 0.75, g)
    assert set(told.tolist()) == {0, 1, 2, 3}
    assert (told == label).float().mean() == pytest.approx(0.75, abs=0.03)
    assert (told[told != label] == net.any).all()
    assert (net.maybe(torch.full((50,), -1), 1.0, g) == net.any).all()


def test_the_memory_saves_nine_tenths_of_the_arithmetic() -> None:
    net = lively(grid=(6, 6)).float()
    uniforms, label = torch.rand(2, 6, 6, generator=torch.Generator().manual_seed(2)), torch.zeros(2, dtype=torch.int64)
    with FlopCounterMode(display=False) as kept:
        list(net.draw(label, uniforms, 1.0))
    with FlopCounterMode(display=False) as anew:
        net.draw_naively(label, uniforms, 1.0)
    assert kept.get_total_flops() < anew.get_total_flops() / 10
