"""Views: values in; DOT, SVG, HTML, figures and CSV out. One package per feature; ``kit`` serves them all."""
