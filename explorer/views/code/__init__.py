"""The generated PyTorch file beside the diagram."""
