"""Pages. So far the front door only, so that the printed address leads somewhere."""
