"""What can be seen of kitchens and rounds."""
