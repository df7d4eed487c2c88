"""Where a network runs: devices, batching, ONNX Runtime and CUDA graphs, and a cache bounded by bytes."""
