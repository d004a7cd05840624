"""Engines that learn a task from a data budget, and everything needed to measure and compare them."""
