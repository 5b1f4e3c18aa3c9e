"""Commits each event in one transaction, and then delivers what the turn shows.

Committing (`turns`), delivering (`delivery` and its modules), running (`runner`), other processes (`replicas`) and the
core's news (`notices`) belong here. Nothing here knows Telegram.
"""
