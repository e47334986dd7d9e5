"""Whole networks: ONNX in, every weight layer on crossbars, accuracy out (extra ``network``)."""
