"""Predictions, explanations, many photos, throughput and transfer learning as HTML."""
