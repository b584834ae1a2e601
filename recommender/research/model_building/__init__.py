"""From a recipe to a model that ships: training, projection, genre head, card."""
