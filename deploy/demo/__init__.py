"""The demo: a household's year with a meter, a gateway and a head-end as three real processes.

`daemons` runs processes, `world` makes the folders, `year` lives the year, `ledgers` compares the three books, `report`
prints. The end-to-end tests live the same year while they kill the processes.
"""
