"""The process that does the work: takes jobs, hands them to one inference child, keeps the results.

The child holds the networks and may be killed at any moment; this process never loads one.
"""
