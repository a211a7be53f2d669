"""Interaction webs (niches x species): reading them and measuring specialisation in them."""

from ecosim.webs.measure import check_web, drop_empty, measure_web, read_web

__all__ = ["check_web", "drop_empty", "measure_web", "read_web"]
