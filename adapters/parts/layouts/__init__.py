"""How authors lay out the weights that two or more models share, and the sizes that can be read from them."""
