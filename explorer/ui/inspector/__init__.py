"""The inspector's script and style sheet; its texts come from ``views.inspector``."""
