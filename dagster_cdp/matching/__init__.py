"""Probabilistic matching: the weights that the warehouse scores with are trained and reported here.

Scoring is SQL in dbt_project/models/identity/matching; nothing here runs when the line runs.
"""
