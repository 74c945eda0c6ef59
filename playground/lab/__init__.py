"""The density laboratory: distributions of the plane, and every family learning them side by side."""
