"""One step of any world: niches, environment, trade-off, competition, selection. JAX, pure."""
