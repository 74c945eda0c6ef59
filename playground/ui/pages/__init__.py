"""The pages: layout and order only."""
