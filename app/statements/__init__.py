"""Bank files: one parser per format, one detector, one parsed form.

No Flask and no database: services hand in bytes and decide what to keep.
"""
