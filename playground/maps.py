"""Maps of a representation: codes on a plane, and how well a code's neighbours know its class."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from playground.knobs import Refused

DIRECTIONS = 50  # principal ones, that t-SNE looks at
EARLY, STEPS = 250, 750  # of t-SNE's descent: those with exaggeration, and all, as its libraries have them
SLICE = 25  # of them between two looks
EXAGGERATION = 12.0


def principal(codes: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """The first principal components of codes (n, d), (n, 2 to ``DIRECTIONS``), and the variance share of two.

    Codes of one number lie on a line: their second component is zero.
    """
    from sklearn.decomposition import PCA  # imported where it is used: it takes a second

    if codes.shape[1] == 1:
        codes = np.concatenate([codes, np.zeros_like(codes)], 1)
    fitted = PCA(min(DIRECTIONS, *codes.shape), random_state=seed)
    return fitted.fit_transform(codes), float(fitted.explained_variance_ratio_[:2].sum())


def laid_out(x: np.ndarray, perplexity: float, seed: int) -> Iterator[tuple[np.ndarray, int]]:
    """Places (n, 2) of data (n, d) in the course of t-SNE's descent, and how many of ``STEPS`` have been taken.

    It begins at the first two of ``x``, which are taken for principal components (Kobak and Berens 2019, The art of
    using t-SNE for single-cell transcriptomics).

    Raises:
        Refused: its library is not on this machine.
    """
    try:
        from openTSNE import TSNEEmbedding, affinity, initialization
    except ImportError:
        raise Refused("The library for t-SNE, openTSNE, is not on this machine; choose PCA.") from None
    near = affinity.PerplexityBasedNN(x, perplexity, method="exact", n_jobs=1, random_state=seed)
    begin = initialization.rescale(x[:, :2].copy())
    places = TSNEEmbedding(begin, near, negative_gradient_method="bh", n_jobs=1, random_state=seed)
    for done in range(SLICE, STEPS + 1, SLICE):
        early = {"exaggeration": EXAGGERATION, "momentum": 0.5}
        places.optimize(SLICE, inplace=True, **(early if done <= EARLY else {"momentum": 0.8}))
        yield np.array(places), done


def named_by_neighbours(codes: np.ndarray, classes: np.ndarray, k: int) -> tuple[float, float]:
    """How often a code's k nearest others, (n, d), are mostly of its class, (n,), and the binomial standard error.

    Each is left out in its turn; of equally many, the first class counts.
    """
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=k).fit(codes).kneighbors(return_distance=False)  # without the code itself
    votes = (classes[near][:, :, None] == np.arange(classes.max() + 1)).sum(1)  # (n, classes)
    share = float((votes.argmax(1) == classes).mean())
    return share, math.sqrt(share * (1 - share) / len(classes))
