"""Class-conditional flow matching on Fashion-MNIST: half an hour on one core, from the weights of MNIST's."""

from dataclasses import replace

from playground.recipes.mnist_flow_matching import recipe as on_mnist

recipe = replace(
    on_mnist,
    name="fashion-mnist-flow-matching",
    data="fashion-mnist",
    begins="mnist-flow-matching",
    steps=3_000,
    published=(),
    expects="garments named at a glance; bits per dimension by the ODE and the Frechet distance printed",
)
