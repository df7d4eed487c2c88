"""Pretrained weights: the catalogue, the cache, downloads, and the guarded reader of weight files."""
