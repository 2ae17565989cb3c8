"""The machine below: files, locks, processes, secrets, HTTP."""
