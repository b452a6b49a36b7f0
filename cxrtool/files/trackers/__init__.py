"""Programs that show how a training goes: one file each, named as `train --log` names it.

A tracker is a copy of history.csv for people who compare many runs. It gets all epochs that are
done at the start, so that what a stopped run, or a lost file, left out is there again.
"""
