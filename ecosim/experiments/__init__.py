"""Runs on disk: written whole or not at all, found again, resumed."""
