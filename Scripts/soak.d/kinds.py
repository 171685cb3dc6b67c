"""All kinds of torment, and what share of the time each gets."""
from kind_damage import Damage

ALL = [Damage]
SHARES = {"damage": 60}
