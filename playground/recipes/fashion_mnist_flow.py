"""A multi-scale spline flow on Fashion-MNIST: an hour on one core."""

from dataclasses import replace

from playground.recipes.mnist_flow import recipe as on_mnist

recipe = replace(
    on_mnist,
    name="fashion-mnist-flow",
    data="fashion-mnist",
    published=(),
    expects="garments named at a glance; bits per dimension and the Frechet distance printed",
)
