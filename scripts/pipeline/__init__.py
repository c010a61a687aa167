"""The library behind the commands."""
