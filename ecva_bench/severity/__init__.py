"""How severe: importance curves of videos, from their key sentences, a judge's ranking of them, and CLIP.

`building` makes the curves of a data set and writes them with `curve_file`. Of one video: `ranking` puts its sentences
in order, `frames` chooses what is looked at, `openclip` compares both, `curve` makes values of the similarities, and
`voting` has `sources` vote on when each sentence takes place. `cuva_2024` is the authors' released arithmetic.
"""
