"""为什么: the reason for each credit, charge and refusal, in plain words, with the rule and its version."""
