"""Small networks as PyTorch and onnxruntime export them: definitions, exporter, .onnx files."""
