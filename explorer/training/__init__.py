"""Data sets, the recipe of He et al., the loop that trains by it, and the files that come out."""
