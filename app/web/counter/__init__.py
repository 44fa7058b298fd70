"""The canteen counter's pages, for a tablet with a scanner gun."""
