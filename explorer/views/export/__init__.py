"""Every kind of file that the explorer writes about a network."""
