"""The training set `mini`: scenes of the kinds of the split `mini`, drawn anew, with words of their own."""
