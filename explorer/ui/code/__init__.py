"""The generated PyTorch file beside the diagram; its lines and the diagram's boxes light one another."""
