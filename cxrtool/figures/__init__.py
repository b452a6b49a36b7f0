"""Plots, grids of pictures, and the HTML page that holds them."""
