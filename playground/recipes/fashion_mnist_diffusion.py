"""A class-conditional diffusion model on Fashion-MNIST: half an hour on one core, from the weights of MNIST's."""

from dataclasses import replace

from playground.recipes.mnist_diffusion import recipe as on_mnist

recipe = replace(
    on_mnist,
    name="fashion-mnist-diffusion",
    data="fashion-mnist",
    begins="mnist-diffusion",
    steps=2_500,
    expects="garments named at a glance; nine of ten samples the garment asked for",
)
