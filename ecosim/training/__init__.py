"""Learners that are really trained, and the tasks that they are trained on."""
