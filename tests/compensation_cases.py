"""Networks that are fitted to calibration images, as tests take them."""

from sim.compensation.fit import fit_network
from sim.compensation.params import FitParams
from sim.mapping import load_parameters
from sim.network.calibration import CalibrationParams, calibrate_network
from sim.network.mapped_network import assemble

__all__ = ["fitted"]


def fitted(network, images, *, fit, calibration=None, progress=None, **options):
    """Fit a network to images, on small crossbars with lossless ADCs.

    Parameters
    ----------
    fit : dict
        Options of FitParams.
    calibration : CalibrationParams, optional
    """
    small = {"rows": 16, "cols": 8, "adc_bits": "lossless", "scale": "column"}
    parameters = [load_parameters("paper", **small | options)] * len(network.layers)
    quantisations = calibrate_network(
        network,
        [(images, None)],
        [own.hardware for own in parameters],
        calibration or CalibrationParams(),
    )
    more = {} if progress is None else {"progress": progress}
    middle = len(images) // 2 + 1
    batches = [images[:middle], images[middle:]] if len(images) > 1 else [images]
    mappings = fit_network(network, parameters, quantisations, batches, FitParams(**fit), **more)
    return assemble(network, mappings)
