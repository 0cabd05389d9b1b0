"""The demo's market of synthetic bars and its folder."""

from openbell.demo.sample import SYNTHETIC, DemoFolder, make_demo_folder

__all__ = ["SYNTHETIC", "DemoFolder", "make_demo_folder"]
