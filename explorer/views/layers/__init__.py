"""The layer table: a row for every call of every module."""
