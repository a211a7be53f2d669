"""The cases: one module a topic, each with a tuple CASES."""
