"""What was read from an opened model file, as HTML."""
