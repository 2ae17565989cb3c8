"""Ullage shows how much of a Claude plan's quota is used, in the shell prompt and wherever else one looks."""

__version__ = "0.1.0"
