"""The card of the first look: what the page is, and what to try."""
