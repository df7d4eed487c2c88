"""The contents of an opened model file, as HTML."""
