"""The ``timebank`` command."""
