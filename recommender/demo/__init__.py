"""A small library of synthesised music in clearly different styles, for trying things out.

Everything is computed by numpy from a seed: no samples, no soundfonts. `render_library` writes it.
"""

from recommender.demo.library import DemoPiece, render_library

__all__ = ["DemoPiece", "render_library"]
