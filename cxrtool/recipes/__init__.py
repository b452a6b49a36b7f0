"""One shell script a published system: it chains the commands as the paper did.

A script opens with its header, `# key: value` lines of id, name, paper, needs and cost, and says
below it what the paper did, what its code did where the two differ, and what is our choice. DATA
names the folder of the collections, OUT where everything goes, SCALE is full or small.
"""
