"""How far a network's outputs are from others: accuracy, agreement, divergence."""

import math
from dataclasses import dataclass, field

import numpy as np

from sme_hw.errors import InputError

__all__ = ["Comparison", "scores"]


def scores(outputs: np.ndarray) -> np.ndarray:
    """Return a network's outputs as float64 scores, shape (images, classes)."""
    return outputs.reshape(len(outputs), -1).astype(np.float64)


def _log_probabilities(values: np.ndarray) -> np.ndarray:
    shifted = values - values.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _is_probability(values: np.ndarray) -> bool:
    return bool((values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=1e-3))


@dataclass(eq=False)
class Comparison:
    """Outputs of a network held against those of a reference, image by image.

    Parameters
    ----------
    right, reference_right, agree : list of bool
        For every image: the class is that of the label, so is the reference's, and they agree. The
        first two stay empty without labels.
    divergence : list of float
        Kullback-Leibler divergence of class probabilities from the reference's, in nats.
    """

    right: list[bool] = field(default_factory=list)
    reference_right: list[bool] = field(default_factory=list)
    agree: list[bool] = field(default_factory=list)
    divergence: list[float] = field(default_factory=list)

    def add(self, outputs: np.ndarray, reference: np.ndarray, labels: np.ndarray | None) -> None:
        """Take in some images.

        Parameters
        ----------
        outputs, reference : numpy.ndarray, shape (images, classes, ...)
            Logits, or probabilities that add up to 1.
        labels : numpy.ndarray of integers, shape (images,), or None

        Raises
        ------
        InputError
            Some outputs are infinite or no numbers.
        """
        ours, theirs = scores(outputs), scores(reference)
        for values, whose in ((theirs, "the float network's"), (ours, "the mapped network's")):
            if not np.isfinite(values).all():
                raise InputError(f"{whose} outputs hold values that are no numbers")
        classes = ours.argmax(axis=1), theirs.argmax(axis=1)
        self.agree += (classes[0] == classes[1]).tolist()
        if labels is not None:
            self.right += (classes[0] == labels).tolist()
            self.reference_right += (classes[1] == labels).tolist()
        if _is_probability(theirs):
            tiny = np.finfo(np.float32).tiny
            log_ours, log_theirs = (np.log(np.maximum(v, tiny)) for v in (ours, theirs))
        else:
            log_ours, log_theirs = _log_probabilities(ours), _log_probabilities(theirs)
        gaps = (np.exp(log_theirs) * (log_theirs - log_ours)).sum(axis=1)
        self.divergence += np.maximum(gaps, 0).tolist()

    def as_dict(self) -> dict[str, float | int | None]:
        """Return percentages, the mean divergence, and the drop with its standard error."""
        images = len(self.agree)
        result: dict[str, float | int | None] = {
            "images": images,
            "top1": None,
            "top1_float": None,
            "drop": None,
            "drop_standard_error": None,
            "agreement": round(100 * float(np.mean(self.agree)), 2),
            "kl": round(float(np.mean(self.divergence)), 6),
        }
        if self.right:
            drops = np.array(self.reference_right, float) - np.array(self.right, float)
            result["top1"] = round(100 * float(np.mean(self.right)), 2)
            result["top1_float"] = round(100 * float(np.mean(self.reference_right)), 2)
            result["drop"] = round(100 * float(drops.mean()), 2)
            error = drops.std(ddof=1) / math.sqrt(images) if images > 1 else math.nan
            result["drop_standard_error"] = (
                None if math.isnan(error) else round(100 * float(error), 2)
            )
        return result
