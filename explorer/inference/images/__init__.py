"""Uploaded photos: the only code that reads their bytes."""
