"""The tab on what A, B and C cost."""
