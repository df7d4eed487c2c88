"""The file inputs of the tab."""

# The ``accept`` of an <input type=file>. Browsers do not count HEIC and AVIF among images everywhere.
PICK = 'accept="image/*,.heic,.heif,.avif" hidden'
