# The rules speak English already.
