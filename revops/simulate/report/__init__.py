"""Report: one page that holds everything it shows, for a browser without a network."""
