"""The plainest PyTorch of each learner of points: nn.Sequential networks and autograd, for equality and for timing.

Each function gives the parameters and the loss of a batch (n, 2), of the same architecture as the family's defaults,
with its parameters in the order of ``planted``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise, zip_longest

import torch
from torch import Tensor, nn
from zuko.transforms import MonotonicRQSTransform

from playground.families.layers import Mlp

Plain = tuple[list[nn.Parameter], Callable[[Tensor], Tensor]]
PlainGame = tuple[dict[str, list[nn.Parameter]], Callable[[Tensor, str], Tensor]]  # each player's, by its name


def network(inputs: int, width: int, outputs: int, depth: int, activation: type[nn.Module] = nn.SiLU) -> nn.Sequential:
    sizes = [inputs, *[width] * depth]
    hidden = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), activation())]
    return nn.Sequential(*hidden, nn.Linear(width, outputs))


def weights_of(net: Mlp) -> list[Tensor]:
    """A hand-written network's weights, as nn.Sequential's parameters."""
    pairs = zip_longest(net.weights, net.biases)  # the last layer may have no bias
    return [t.detach() for weight, bias in pairs for t in (weight.T, bias) if t is not None]


@torch.no_grad()
def planted(parameters: Iterable[nn.Parameter], first: Iterable[Tensor], nets: Iterable[Mlp]) -> None:
    """Give a plain model the weights of ours: those of no network first, then the networks'."""
    ours = [*(p.detach() for p in first), *(w for net in nets for w in weights_of(net))]
    for theirs, value in zip(parameters, ours, strict=True):
        theirs.copy_(value)


# RealNVP, neural spline flow, autoregressive mixture


def plain_realnvp(couplings: int = 10, width: int = 32, depth: int = 2) -> Plain:
    nets = nn.ModuleList(network(1, width, 2, depth, nn.Tanh) for _ in range(couplings))

    def loss(x: Tensor) -> Tensor:
        parts, log_det = [x[:, :1], x[:, 1:]], torch.zeros(len(x))
        for i, net in enumerate(nets):
            raw = net(parts[i % 2])
            log_scale, shift = raw[:, :1].tanh(), raw[:, 1:]
            parts[1 - i % 2] = parts[1 - i % 2] * log_scale.exp() + shift
            log_det = log_det + log_scale.squeeze(1)
        noise = torch.distributions.Normal(0.0, 1.0)
        return -(noise.log_prob(torch.cat(parts, 1)).sum(1) + log_det).mean()

    return list(nets.parameters()), loss


def plain_spline(layers: int = 2, bins: int = 16, width: int = 64, depth: int = 2) -> Plain:
    free = nn.ParameterList(nn.Parameter(torch.zeros(3 * bins - 1)) for _ in range(layers))
    nets = nn.ModuleList(network(1, width, 3 * bins - 1, depth) for _ in range(layers))

    def loss(x: Tensor) -> Tensor:
        log_det = torch.zeros(len(x))
        for raw, net in zip(free, nets, strict=True):
            both = torch.stack([raw.expand(len(x), -1), net(x[:, :1])], 1)  # (n, 2, 3 K - 1)
            spline = MonotonicRQSTransform(*both.split([bins, bins, bins - 1], 2))
            x, log_slope = spline.call_and_ladj(x)
            x, log_det = x.flip(1), log_det + log_slope.sum(1)
        noise = torch.distributions.Normal(0.0, 1.0)
        return -(noise.log_prob(x).sum(1) + log_det).mean()

    return [*free.parameters(), *nets.parameters()], loss


def plain_autoregressive(components: int = 16, width: int = 64, depth: int = 2) -> Plain:
    narrow, wide = math.log(0.02), math.log(5)
    first, net = nn.Parameter(torch.zeros(3, components)), network(1, width, 3 * components, depth)

    def mixture(raw: Tensor) -> torch.distributions.Distribution:
        logit, mean, bend = raw.unbind(-2)
        scale = ((narrow + wide) / 2 + (wide - narrow) / 2 * bend.tanh()).exp()
        return torch.distributions.MixtureSameFamily(
            torch.distributions.Categorical(logits=logit), torch.distributions.Normal(mean, scale)
        )

    def loss(x: Tensor) -> Tensor:
        second = net(x[:, :1]).unflatten(1, (3, -1))
        return -(mixture(first).log_prob(x[:, 0]) + mixture(second).log_prob(x[:, 1])).mean()

    return [first, *net.parameters()], loss


# Flow matching, score model, DDPM


def plain_flow_matching(width: int = 64, depth: int = 3) -> Plain:
    net = network(3, width, 2, depth)

    def loss(x: Tensor) -> Tensor:
        noise, t = torch.randn_like(x), torch.rand(len(x), 1)
        answer = net(torch.cat([(1 - t) * noise + t * x, t], dim=1))
        return nn.functional.mse_loss(answer, x - noise)

    return list(net.parameters()), loss


def plain_score(width: int = 64, depth: int = 3, spread: float = 2.0) -> Plain:
    net = network(4, width, 2, depth)

    def loss(x: Tensor) -> Tensor:
        noise, sigma = torch.randn_like(x), spread * torch.exp(torch.randn(len(x), 1) - 0.8)
        scale = (sigma**2 + spread**2).sqrt()
        c_skip, c_out, c_in = spread**2 / scale**2, sigma * spread / scale, 1 / scale
        noisy = x + sigma * noise
        clock = [4 / math.pi * torch.atan(sigma / spread) - 1, torch.log(sigma / spread) / 4]
        clean = c_skip * noisy + c_out * net(torch.cat([c_in * noisy, *clock], dim=1))
        return ((clean - x) ** 2 / c_out**2).mean()

    return list(net.parameters()), loss


def plain_ddpm(width: int = 64, depth: int = 3, levels: int = 100, spread: float = 2.0) -> Plain:
    net = network(4, width, 2, depth)
    angles = torch.linspace(math.atan(0.02 / spread), math.atan(20 / spread), levels)

    def loss(x: Tensor) -> Tensor:
        noise, level = torch.randn_like(x), torch.randint(levels, (len(x),))
        angle = angles[level][:, None]
        noisy = torch.cos(angle) * x / spread + torch.sin(angle) * noise
        clock = [4 / math.pi * angle - 1, torch.log(torch.tan(angle)) / 4]
        return nn.functional.mse_loss(net(torch.cat([noisy, *clock], dim=1)), noise)

    return list(net.parameters()), loss


# VAE, autoencoder, GANs, energy-based model


def leaky(inputs: int, width: int, outputs: int, depth: int, bias: bool = True) -> nn.Sequential:
    """As ``network``, with leaky rectifiers; ``bias`` is the last layer's."""
    sizes = [inputs, *[width] * depth]
    hidden = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*hidden, nn.Linear(width, outputs, bias=bias))


def plain_vae(width: int = 64, depth: int = 2) -> Plain:
    log_scale = nn.Parameter(torch.zeros(2))
    encoder, decoder = network(2, width, 4, depth), network(2, width, 2, depth)

    def loss(x: Tensor) -> Tensor:
        mean, log_std = encoder(x).chunk(2, dim=1)
        code = torch.distributions.Normal(mean, log_std.exp())
        likelihood = torch.distributions.Normal(decoder(code.rsample()), log_scale.exp()).log_prob(x)
        prior = torch.distributions.Normal(torch.zeros(2), torch.ones(2))
        rate = torch.distributions.kl_divergence(code, prior)
        return (rate - likelihood).sum(1).mean()

    return [log_scale, *encoder.parameters(), *decoder.parameters()], loss


def plain_autoencoder(latent: int = 1, width: int = 64, depth: int = 2) -> Plain:
    net = nn.Sequential(network(2, width, latent, depth), network(latent, width, 2, depth))

    def loss(x: Tensor) -> Tensor:
        return nn.functional.mse_loss(net(x), x)

    return list(net.parameters()), loss


def plain_gan(width: int = 64, depth: int = 2) -> PlainGame:
    generator, discriminator = network(2, width, 2, depth), leaky(2, width, 1, depth)
    entropy = nn.BCEWithLogitsLoss()

    def loss(x: Tensor, player: str) -> Tensor:
        drawn, ones = generator(torch.randn_like(x)), torch.ones(len(x), 1)
        if player == "generator":
            return entropy(discriminator(drawn), ones)
        return entropy(discriminator(x), ones) + entropy(discriminator(drawn.detach()), 0 * ones)

    return {"discriminator": list(discriminator.parameters()), "generator": list(generator.parameters())}, loss


def plain_wgan(width: int = 64, depth: int = 2, penalty: float = 0.1) -> PlainGame:
    """The critic takes two turns for each of the generator's."""
    generator, critic = network(2, width, 2, depth), leaky(2, width, 1, depth, bias=False)

    def loss(x: Tensor, player: str) -> Tensor:
        drawn = generator(torch.randn_like(x))
        if player == "generator":
            return -critic(drawn).mean()
        drawn = drawn.detach()
        between = x + torch.rand(len(x), 1) * (drawn - x)
        between.requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        excess = (slope.norm(dim=1) - 1) ** 2
        return critic(drawn).mean() - critic(x).mean() + penalty * excess.mean()

    return {"critic": list(critic.parameters()), "generator": list(generator.parameters())}, loss


def plain_energy(width: int = 64, depth: int = 2, chains: int = 128, moves: int = 2, stride: float = 0.2) -> Plain:
    hidden, wide = network(2, width, 1, depth)[:-1], 3.0
    net = nn.Sequential(*hidden, nn.Linear(width, 1, bias=False))
    nn.init.zeros_(net[-1].weight)
    kept = wide * torch.randn(chains, 2)

    def energy(x: Tensor) -> Tensor:
        return net(x).squeeze(1) + (x**2).sum(1) / (2 * wide**2)

    def look(x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.detach().requires_grad_()
        height = energy(x)
        (slope,) = torch.autograd.grad(height.sum(), x)
        drift = -(stride**2) / 2 * slope
        return height.detach(), drift.clamp(-stride, stride)

    def moved() -> Tensor:
        x, (here, down) = kept, look(kept)
        for _ in range(moves):
            noise, leap = torch.randn_like(x), torch.rand(chains, 1) < 0.5
            y = torch.where(leap, wide * noise, x + down + stride * noise)
            there, up = look(y)
            back = torch.where(leap, x / wide, (x - y - up) / stride)
            taken = torch.rand(chains).log() < here - there + (noise**2 - back**2).sum(1) / 2
            x, down = torch.where(taken[:, None], y, x), torch.where(taken[:, None], up, down)
            here = torch.where(taken, there, here)
        return x

    def loss(x: Tensor) -> Tensor:
        nonlocal kept
        kept = moved()
        return energy(x).mean() - energy(kept).mean()

    return list(net.parameters()), loss
