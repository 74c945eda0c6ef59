"""Evaluation: one command re-measures every card from the stored weights, with the code that ships.

    python -m playground.evaluation                                 every model, every part that fits
    python -m playground.evaluation mnist-vae --only likelihood     one model, one part
    python -m playground.evaluation --only inception --n 10000      what is only measured on request
    python -m playground.evaluation --report                        print the cards as they are

Each file here that defines ``part`` measures one kind of thing; nothing else registers it.
"""
