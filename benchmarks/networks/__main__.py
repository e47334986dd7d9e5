"""Build the networks for measurements: ``python -m benchmarks.networks --data FOLDER [NAME ...]``.

Writes an .onnx file for each and compares its accuracy with what is known of it. The folder with
weights and images may also be given by the variable SME_DATA; nothing of it is in this project.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from benchmarks.command import run_command
from rtl_gen.files import staged_file
from sim.network.images import Images
from sme_hw.errors import InputError

from .catalogue import NETWORKS
from .data import build_network, data_folder, open_images

BATCH = 20


def top1(model: onnx.ModelProto, images: Images, count: int) -> float:
    """Return the share of the first images whose class is found, in per cent."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    if images.labels is None:
        raise InputError(f"{images.name} has no labels")
    correct = 0
    for start in range(0, count, BATCH):
        indices = np.arange(start, min(start + BATCH, count))
        (scores,) = session.run(None, {"input": images.batch(indices)})
        correct += int(np.count_nonzero(scores.argmax(1) == images.labels[indices]))
    return 100 * correct / count


def run(arguments: argparse.Namespace) -> None:
    """Write and evaluate the networks that were asked for."""
    folder = data_folder(arguments.data)
    for name in arguments.names or NETWORKS:
        if name not in NETWORKS:
            raise InputError(f"{name}: one of {', '.join(NETWORKS)} is needed")
        entry = NETWORKS[name]
        model = build_network(folder, entry)
        with staged_file(Path(arguments.output) / f"{name}.onnx") as temporary:
            temporary.write_bytes(model.SerializeToString())
        images = open_images(folder, entry, model)
        count = min(arguments.images or images.count, images.count)
        measured = top1(model, images, count)
        print(
            f"{name:18} top-1 {measured:6.2f} % of {count} images, {entry.top1} % stated",
            flush=True,
        )


def main() -> int:
    """Return 0, or 2 if something is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="all if none is given")
    parser.add_argument("--data", help="folder with weights and images")
    parser.add_argument("-o", "--output", default="build/networks", help="folder for .onnx files")
    parser.add_argument("--images", type=int, help="how many images are used; all by default")
    return run_command(parser, run)


if __name__ == "__main__":
    sys.exit(main())
