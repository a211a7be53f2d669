"""Selection: the rules that decide who dies and who is born, one module each."""
