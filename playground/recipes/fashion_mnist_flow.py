"""A multi-scale spline flow on Fashion-MNIST: half an hour on one core, from the weights of MNIST's."""

from dataclasses import replace

from playground.recipes.mnist_flow import recipe as on_mnist

recipe = replace(
    on_mnist,
    name="fashion-mnist-flow",
    data="fashion-mnist",
    begins="mnist-flow",
    steps=3_500,
    published=(),
    expects="garments named at a glance; bits per dimension and the Frechet distance printed",
)
