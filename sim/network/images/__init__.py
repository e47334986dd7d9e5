"""Images and labels for networks: from files, checked, and in the form that a network takes."""

from .input_form import LAYOUTS
from .normalise import NORMALISATIONS, parse_normalise
from .read import Images, read_images

__all__ = ["LAYOUTS", "NORMALISATIONS", "Images", "parse_normalise", "read_images"]
