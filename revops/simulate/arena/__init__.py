"""The arena: policies side by side on the same modelled node, where all chance is drawn before."""
