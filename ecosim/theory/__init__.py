"""Closed forms that runs are held against; they share no code with the simulation."""
