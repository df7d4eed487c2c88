"""The diagram and its inspector on the page."""
