"""The new last layer: multinomial logistic regression on what the network hears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

DECAY = 4e-3
"""Weight of the squared coefficients of standardised features, against the mean loss."""
DOUBT = 0.1
"""The share of certainty that is spread over all labels (Szegedy et al. 2016): scores of other
sounds then stay lower, for as many labels that are found."""
ROUNDS = 100
"""Steps of L-BFGS at most; the loss is convex, and most fits end earlier."""
_STEADY = 1e-3
"""The spread below which a feature says nothing."""

Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, eq=False)
class Head:
    """A linear layer: `weight` [labels, features], `bias` [labels]."""

    weight: Tensor
    bias: Tensor

    def scores(self, features: Tensor) -> Tensor:
        """Probabilities [n, labels] for features [n, features]."""
        return functional.linear(features, self.weight, self.bias).softmax(1)


def fit(
    features: Tensor, targets: Tensor, weights: Tensor, decay: float = DECAY, doubt: float = DOUBT
) -> Head:
    """Fit a head to features [n, features] and targets [n], labels that weigh `weights` [labels].

    The weight is that of a label as a whole, however many examples it has. Features are
    standardised, which is then folded into the layer. Nothing is random: the same examples give
    the same head.
    """
    # Not torch.optim, the import of which takes longer than the fit.
    from scipy.optimize import minimize

    mean, spread = features.mean(0), features.std(0).clamp_min(_STEADY)
    standard = ((features - mean) / spread).numpy()
    labels = len(weights)
    wanted = functional.one_hot(targets, labels).numpy().astype(np.float32)
    share = wanted @ (weights.numpy() / np.maximum(wanted.sum(0), 1))
    share /= share.sum()
    wanted = (1 - doubt) * wanted + doubt / labels

    def loss(flat: Floats) -> tuple[float, Floats]:
        """The loss and its gradient, for weights and biases in one row."""
        weight = flat.reshape(labels, -1).astype(np.float32)
        logits = standard @ weight[:, :-1].T + weight[:, -1]
        logits -= logits.max(1, keepdims=True)
        chances = np.exp(logits)
        total = chances.sum(1, keepdims=True)
        surprise = np.log(total[:, 0]) - (logits * wanted).sum(1)
        wrong = share[:, None] * (chances / total - wanted)
        slope = np.hstack([wrong.T @ standard + 2 * decay * weight[:, :-1], wrong.sum(0)[:, None]])
        value = share @ surprise + decay * np.square(weight[:, :-1]).sum()
        return float(value), slope.ravel().astype(np.float64)

    start = np.zeros(labels * (standard.shape[1] + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ROUNDS})
    solved = torch.from_numpy(found.x.reshape(labels, -1)).float()
    folded = solved[:, :-1] / spread
    return Head(folded, solved[:, -1] - folded @ mean)
