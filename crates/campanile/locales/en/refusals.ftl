# The rules speak English already.
name-at-least-one-part-such-as-kind-everyone = Choose at least one recipient.
is-before-opens-at = is before the time of publication
