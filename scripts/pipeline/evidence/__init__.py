"""What the tables say together, for the page, the picture of README.md and the exports."""
