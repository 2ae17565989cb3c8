"""Where a reading is kept: a profile's cache, what profiles of one account share, statements, history."""
