"""A class-conditional diffusion model on Fashion-MNIST: two hours on one core."""

from dataclasses import replace

from playground.recipes.mnist_diffusion import recipe as on_mnist

recipe = replace(
    on_mnist,
    name="fashion-mnist-diffusion",
    data="fashion-mnist",
    expects="garments named at a glance; nine of ten samples the garment asked for",
)
