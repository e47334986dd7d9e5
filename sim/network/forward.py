"""Runs networks: in floating point, or with every layer computed by a given function."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sme_hw.errors import InputError

from .network import Network
from .operators import open_session, reference_evaluator
from .packages import one_line, require
from .surgery import DOMAIN, LAYER, cut

__all__ = ["FloatNetwork", "LayerFunction", "forward"]

LayerFunction = Callable[[int, np.ndarray], np.ndarray]
"""Computes layer n: its real input in, its real output out, both float32."""


class FloatNetwork:
    """A network in floating point, run by ONNX Runtime.

    Parameters
    ----------
    network : Network
    tensors : sequence of str, optional
        What it returns; the network's outputs by default.
    given : sequence of str
        Tensors that are not computed but passed in.
    keeps_memory : bool
        See :func:`sim.network.operators.open_session`.

    Raises
    ------
    InputError
        ONNX Runtime is not installed, or cannot run the network.
    """

    def __init__(
        self,
        network: Network,
        tensors: Sequence[str] | None = None,
        given: Sequence[str] = (),
        *,
        keeps_memory: bool = True,
    ):
        model = cut(network.model, tensors, given)
        try:
            self._session = open_session(model, keeps_memory=keeps_memory)
        except InputError:
            raise
        except Exception as error:  # its errors have no common base beside Exception
            raise InputError(f"{network.name}: ONNX Runtime says: {one_line(error)}") from None
        self._network = network
        self._outputs = [value.name for value in model.graph.output]
        self.needed = frozenset(value.name for value in self._session.get_inputs())

    def run(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the tensors for some images."""
        return self.compute({self._network.input_name: images})

    def compute(self, given: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Return the tensors that follow from others; what is not needed may be given, too."""
        feed = {name: given[name] for name in given if name in self.needed}
        try:
            return self._session.run(self._outputs, feed)
        except Exception as error:
            raise InputError(
                f"{self._network.name}: ONNX Runtime says: {one_line(error)}"
            ) from None


def forward(network: Network, layer: LayerFunction) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that runs a network on images with its layers computed by ``layer``.

    All other operators run as ONNX defines them, by its reference implementation.

    Parameters
    ----------
    network : Network
    layer : callable

    Returns
    -------
    callable
        Images in, shape (images, ...); the network's first output out.
    """
    op_run = require("onnx.reference.op_run")

    def compute(_: object, values: np.ndarray, index: int) -> tuple[np.ndarray]:
        return (layer(index, values),)

    operator = type(LAYER, (op_run.OpRun,), {"op_domain": DOMAIN, "_run": compute})
    evaluator = reference_evaluator(network.mapped, [operator])

    def run(images: np.ndarray) -> np.ndarray:
        try:
            # What is no number is found in the results, and said there.
            with np.errstate(all="ignore"):
                return evaluator.run(None, {network.input_name: images})[0]
        except (InputError, MemoryError):
            raise
        except Exception as error:  # whatever an operator's implementation says
            raise InputError(
                f"{network.name}: ONNX's reference implementation says: {one_line(error)}"
            ) from error

    return run
