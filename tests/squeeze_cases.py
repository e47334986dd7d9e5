"""A test network as the ladder of squeeze-out takes it."""

import numpy as np
import onnx

from benchmarks.networks.catalogue import NETWORKS, Entry
from benchmarks.squeeze_accuracy.subjects import SUBJECTS, SubjectPlan
from tests.network_cases import FOLDER, fixture_images

__all__ = ["PLAN", "add_subject"]

PLAN = SubjectPlan(9, 7, "channels", ratios=(2, 3), tile_ratios=(2,), fewest_planes=5)

_STEM = "residual_legacy"


def add_subject(folder, monkeypatch):
    """Put the network and its images into a folder, and make it known as ``fixture``."""
    images, labels = fixture_images(_STEM)
    np.savez(folder / "images.npz", images=np.uint8(255 * images + 0.5), labels=labels)
    np.savez(folder / "weights.npz", none=np.zeros(1))
    model = onnx.load(FOLDER / f"{_STEM}.onnx")
    entry = Entry(lambda arrays: model, "weights.npz", "images.npz", "unit", 100.0)
    monkeypatch.setitem(NETWORKS, "fixture", entry)
    monkeypatch.setitem(SUBJECTS, "fixture", PLAN)
