"""How well an installation is: what its processes tell on their admin ports, on one screen."""
