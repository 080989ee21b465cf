"""The whole product on real servers, broken in every way that a seed chooses, and judged afterwards."""
