print("mimo-top")
