"""Gradient measurements as charts, tables, CSV and sentences."""
