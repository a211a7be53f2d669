"""Search algorithms and the problems that they are run on."""
