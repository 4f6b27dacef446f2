"""Grafana's dashboards and alert rules, generated: `python -m deploy.grafana.generate` writes the files here.

`panels` builds panels, `money`, `fleet` and `delivery` hold the dashboards, `alerts` the rules, `generate` the files.
"""
