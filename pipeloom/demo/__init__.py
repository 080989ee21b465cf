"""The demo: the main job as a story of expectations, on a real stack."""
