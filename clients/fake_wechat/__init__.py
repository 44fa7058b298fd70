"""A small server that answers as WeChat's does, for development and tests."""
