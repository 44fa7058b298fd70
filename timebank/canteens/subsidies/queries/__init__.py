"""What can be seen of claims, donations and produce."""
