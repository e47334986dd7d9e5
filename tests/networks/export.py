"""Renew the exported test networks: ``python -m tests.networks.export [FOLDER]``.

Needs the extra ``export``. Each network is exported by both of PyTorch's exporters; two of them
are also quantised by onnxruntime. The .npz beside them holds images, PyTorch's outputs on them and
the classes these mean, so that tests compare without PyTorch.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from google.protobuf.message import Message
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from rtl_gen.files import staged_directory
from tests.networks.definitions import NETWORKS, build, images

__all__ = ["FOLDER", "export_all"]

FOLDER = Path(__file__).parent

LEGACY_OPSET = 17
DYNAMO_OPSET = 18
"""The least that exporter takes; the other one is different so that both forms are met: from 18
on, axes of ReduceMean are an input, not an attribute."""

BATCH_NORM_KEPT = ("residual",)
"""The older exporter leaves batch normalisation of these alone; elsewhere exporters fold it."""

QUANTISED: dict[str, dict[str, Any]] = {
    "residual": {"per_channel": False, "activation_type": QuantType.QUInt8},
    "separable": {"per_channel": True, "activation_type": QuantType.QInt8},
}
"""Options of the quantiser; weights are int8."""


def model_inputs(name: str) -> np.ndarray:
    """Return the images of a network as it takes them, float32, 0 to 1."""
    return images(name).astype(np.float32) / np.float32(255)


def _messages(message: Message) -> Iterator[Message]:
    """Yield a protobuf message and all messages in it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in [value] if isinstance(value, Message) else value:
                yield from _messages(part)


def _stripped(model: onnx.ModelProto) -> onnx.ModelProto:
    """Clear what is no part of the network: stack traces, paths, how the exporter was built."""
    for message in _messages(model):
        for field in ("doc_string", "metadata_props"):
            if field in message.DESCRIPTOR.fields_by_name:
                message.ClearField(field)
    model.producer_version = model.producer_version.partition("+")[0]
    onnx.checker.check_model(model, full_check=True)
    return model


def _export_legacy(name: str, path: Path) -> None:
    kept = name in BATCH_NORM_KEPT
    modes = torch.onnx.TrainingMode
    torch.onnx.export(
        build(name),
        (torch.from_numpy(model_inputs(name)[:2]),),
        str(path),
        dynamo=False,
        opset_version=LEGACY_OPSET,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
        training=modes.PRESERVE if kept else modes.EVAL,
    )


def _export_dynamo(name: str, path: Path) -> None:
    torch.onnx.export(
        build(name),
        (torch.from_numpy(model_inputs(name)[:2]),),
        str(path),
        dynamo=True,
        opset_version=DYNAMO_OPSET,
        input_names=["input"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("N")},),
        external_data=False,
        verbose=False,
    )


class _Images(CalibrationDataReader):
    """Gives the quantiser all images of a network, as one batch."""

    def __init__(self, name: str):
        self._batches = iter([{"input": model_inputs(name)}])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next batch, None in the end."""
        return next(self._batches, None)


def _quantise(name: str, source: Path, path: Path) -> None:
    quantize_static(
        source,
        path,
        _Images(name),
        quant_format=QuantFormat.QDQ,
        weight_type=QuantType.QInt8,
        **QUANTISED[name],
    )


def export_all(folder: Path) -> None:
    """Write all test networks and their images to a folder."""
    for name in NETWORKS:
        legacy, dynamo = (folder / f"{name}_{exporter}.onnx" for exporter in ("legacy", "dynamo"))
        _export_legacy(name, legacy)
        _export_dynamo(name, dynamo)
        written = [legacy, dynamo]
        if name in QUANTISED:
            written.append(folder / f"{name}_qdq.onnx")
            _quantise(name, dynamo, written[-1])
        for path in written:
            path.write_bytes(_stripped(onnx.load(path)).SerializeToString(deterministic=True))
        with torch.no_grad():
            outputs = build(name)(torch.from_numpy(model_inputs(name))).numpy()
        np.savez_compressed(
            folder / f"{name}.npz",
            images=images(name),
            labels=outputs.argmax(1),
            outputs=outputs,
        )


if __name__ == "__main__":
    with staged_directory(sys.argv[1] if len(sys.argv) > 1 else FOLDER) as temporary:
        export_all(temporary)
