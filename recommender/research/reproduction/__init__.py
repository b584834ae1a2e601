"""Reproduction of Rush & Datta's comparative study: declared runs, their outcomes and a report.

`experiments` declares the rows of the paper, `splits` how GTZAN is split, `runner` trains and
evaluates, `outcomes` stores the results, `report` compares them with the paper.
"""
