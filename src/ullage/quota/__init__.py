"""The domain, without input or output: model, merge, schedule, timeline, pace, contract."""
