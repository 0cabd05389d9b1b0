"""The demo: a market of synthetic bars and a session on it, made from nothing but the installed package."""

from openbell.demo.sample import SYNTHETIC, DemoFolder, make_demo_folder

__all__ = ["SYNTHETIC", "DemoFolder", "make_demo_folder"]
