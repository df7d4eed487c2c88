"""ONNX files read as graphs, with the same checks as a traced network."""
