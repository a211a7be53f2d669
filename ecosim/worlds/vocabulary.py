"""What an agent is called in each world."""

NOUNS = {
    "ecology": "organism",
    "market": "firm",
    "optimisation": "algorithm",
    "learning": "learner",
}
