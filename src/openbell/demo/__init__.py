"""Demo folder with a store of synthetic bars."""

from openbell.demo.sample import SYNTHETIC, DemoFolder, make_demo_folder

__all__ = ["SYNTHETIC", "DemoFolder", "make_demo_folder"]
