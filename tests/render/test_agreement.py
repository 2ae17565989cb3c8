"""One table of states: what each surface says of a window agrees in words, number and form with every other."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from tests.support.samples import NOW, reading, settings, window
from ullage import alerts, guard
from ullage.guard import Question
from ullage.quota import pace
from ullage.quota.model import Thresholds
from ullage.quota.schedule import Schedule
from ullage.render import burnup, chart, rows, usage, words
from ullage.store.overview import Overview

print(alerts, guard, Question, pace, Thresholds, Schedule, burnup, chart, rows, usage, words, Overview, NOW, reading, settings, window, os, timedelta, pytest)
