"""The embedded instance as a whole: its backup and its restoration."""
