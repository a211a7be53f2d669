"""Worlds: compositions of the model's parts, each with its own vocabulary."""
