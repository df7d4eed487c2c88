"""One forward pass on the meta device, written down operation by operation, mismatches included."""
