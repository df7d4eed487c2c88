"""The panel that opens weight and ONNX files."""
