"""Published checklists, one CSV each: item, question in our own words, and what answers it.

The row `source` names the publication. `fact` is a function of `checklist_facts`, or empty where
the audit knows nothing.
"""
