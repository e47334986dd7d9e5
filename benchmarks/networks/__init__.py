"""Real networks for measurements, built as ONNX graphs from arrays of weights."""
