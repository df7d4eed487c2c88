"""The network as a diagram: boxes and edges, DOT, SVG, PNG and PDF, and the tint."""
