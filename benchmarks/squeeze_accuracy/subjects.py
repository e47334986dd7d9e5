"""Networks that are measured, with the images to calibrate and to evaluate them on."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.networks.catalogue import NETWORKS
from benchmarks.networks.data import build_network, open_images
from sim.compensation.additions import added_tensors
from sim.compensation.params import FitParams
from sim.compensation.profile import Profile, measure_profiles
from sim.mapping import Parameters, Quantisation, load_parameters
from sim.network.batches import Batches, images_at_once, split
from sim.network.calibration import CalibrationParams, calibrate_network
from sim.network.network import Network, read_network

from .conditions import CONDITIONS
from .ladder import Rung, ladder

__all__ = ["QUICK", "SUBJECTS", "Subject", "SubjectPlan", "open_subject"]

SEED = 2026
"""For the choice of images."""


@dataclass(frozen=True)
class SubjectPlan:
    """How a network is measured.

    Parameters
    ----------
    calibrate, evaluate : int
        Images; none is used for both.
    method : str
        Which range of inputs the integers cover: one of :data:`sim.network.ranges.RANGES`.
    calibration : str or None
        File in the data folder with other images to calibrate on.
    ratios, tile_ratios : tuple of float
        For :func:`benchmarks.squeeze_accuracy.ladder.ladder`, as is ``fewest_planes``.
    fewest_planes : int
    clips : bool
        ADCs that clip are measured, too.
    """

    calibrate: int
    evaluate: int
    method: str = "mse"
    calibration: str | None = None
    ratios: tuple[float, ...] = (2, 2.67, 3, 3.2, 4, 5)
    tile_ratios: tuple[float, ...] = (2, 2.67, 3)
    fewest_planes: int = 2
    clips: bool = False

    def quick(self) -> "SubjectPlan":
        """Return the same with few images."""
        return replace(self, calibrate=32, evaluate=128)


_LENET_RATIOS = (4, 8, 12)

SUBJECTS: Mapping[str, SubjectPlan] = {
    "squeezenet1.1": SubjectPlan(400, 600, "channels"),
    "mobilenetv2": SubjectPlan(200, 800, "channels"),
    "resnet20": SubjectPlan(500, 2000),
    "resnet8": SubjectPlan(500, 2000, clips=True),
    "lenet": SubjectPlan(
        500,
        4000,
        calibration="mnist_train60k.npz",
        ratios=_LENET_RATIOS,
        tile_ratios=_LENET_RATIOS,
        fewest_planes=1,
    ),
}
"""The range of least error is better for the small networks, scales per channel for the others."""

QUICK = ("resnet8", "lenet")
"""Networks that are measured in minutes."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A network with its images.

    Parameters
    ----------
    name : str
    network : Network
    plan : SubjectPlan
    spared : Batches
        Images to calibrate on.
    evaluated : Batches
    """

    name: str
    network: Network
    plan: SubjectPlan
    spared: Batches
    evaluated: Batches
    _profiles: dict[str, list[Profile]] = field(default_factory=dict)

    @cached_property
    def images(self) -> list[np.ndarray]:
        """Images to calibrate on, a few at a time."""
        return [values for values, _ in self.spared]

    @cached_property
    def quantisations(self) -> list[Quantisation]:
        """Quantisation of every layer's input: that of all rungs without an own range."""
        return self.quantised(self.plan.method)

    def quantised(self, method: str) -> list[Quantisation]:
        """Return the quantisation of every layer's input.

        Parameters
        ----------
        method : str
            One of :data:`sim.network.ranges.RANGES`.
        """
        hardware = [load_parameters("lossless").hardware] * len(self.network.layers)
        params = CalibrationParams(method=method)
        return calibrate_network(self.network, self.spared, hardware, params)

    def profiles(
        self, parameters: Parameters, params: FitParams, progress: Callable[[str], None]
    ) -> list[Profile]:
        """Return what errors in every layer cost; kept for the next ratio.

        Parameters
        ----------
        parameters : Parameters
            Of every layer.
        params : FitParams
            Its ratio does not matter.
        progress : callable
            Told what is done.
        """
        key = json.dumps([parameters.as_dict(), asdict(replace(params, ratio=None))])
        if key not in self._profiles:
            self._profiles[key] = measure_profiles(
                self.network,
                [parameters] * len(self.network.layers),
                self.quantisations,
                self.images,
                params,
                lambda name: progress(f"weighing {name}"),
            )
        return self._profiles[key]

    @property
    def rungs(self) -> list[Rung]:
        """All rungs that make sense for it, those of conditions at the end."""
        rungs = ladder(
            self.plan.ratios,
            self.plan.tile_ratios,
            additions=any(added_tensors(self.network)),
            fewest_planes=self.plan.fewest_planes,
        )
        for condition in CONDITIONS:
            if self.plan.clips or not condition.clips:
                rungs += [condition.squeezed, condition.plain]
        return rungs

    @cached_property
    def key(self) -> dict[str, object]:
        """What results depend on beside the rung, as plain JSON values."""
        model = self.network.model.SerializeToString(deterministic=True)
        return {
            "model": hashlib.sha256(model).hexdigest(),
            "calibrated_on": len(self.spared),
            "evaluated_on": len(self.evaluated),
            "range": self.plan.method,
        }


def open_subject(name: str, folder: Path, *, quick: bool) -> Subject:
    """Build a network and open its images.

    Parameters
    ----------
    name : str
        One of :data:`SUBJECTS`.
    folder : path
        With weights and images.
    quick : bool
        With few images.

    Raises
    ------
    InputError
        Weights or images cannot be read.
    """
    entry, plan = NETWORKS[name], SUBJECTS[name]
    plan = plan.quick() if quick else plan
    model = build_network(folder, entry)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"{name}.onnx"
        path.write_bytes(model.SerializeToString())
        network = read_network(path)
    images = open_images(folder, entry, model)
    other = None
    if plan.calibration is not None:
        other = open_images(folder, replace(entry, data=plan.calibration), model)
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim][1:]
    spared, evaluated = split(
        images,
        other,
        calibrate=plan.calibrate,
        evaluate=plan.evaluate,
        size=images_at_once(network, shape),
        seed=SEED,
    )
    return Subject(name, network, plan, spared, evaluated)
