"""Verification: published results that the simulator must reproduce, case by case."""
