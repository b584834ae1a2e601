"""Rush & Datta's comparative study, repeated: their runs as data, run, resumed and reported.

`runs` declares the rows of the paper, `protocols` how GTZAN is split, `running` trains and
measures, `outcomes` keeps what came out, `report` compares it with the paper.
"""
