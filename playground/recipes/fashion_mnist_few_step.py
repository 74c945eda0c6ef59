"""A student of flow matching on Fashion-MNIST that draws in one to four steps: twenty minutes on one core."""

from dataclasses import replace

from playground.recipes.mnist_few_step import recipe as on_mnist

recipe = replace(
    on_mnist,
    name="fashion-mnist-few-step",
    data="fashion-mnist",
    steps=600,
    teacher="fashion-mnist-flow-matching",
    expects="one step within twice the teacher's Frechet distance at 50 steps",
)
