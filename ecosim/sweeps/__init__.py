"""Sweeps: many runs described in one file, run anywhere, resumed after any crash, read as one."""
