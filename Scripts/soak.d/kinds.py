"""All kinds of torment, and what share of the time each gets."""
from kind_damage import Damage
from kind_kill import Kill
from kind_limits import Limits
from kind_lines import Lines
from kind_places import Places
from kind_poison import Poison
from kind_rivals import Rivals
from kind_shapes import Shapes

ALL = [Damage, Kill, Rivals, Poison, Limits, Places, Lines, Shapes]
SHARES = {"damage": 60, "kill": 10, "rivals": 5, "poison": 8, "limits": 6, "places": 3, "lines": 12,
          "shapes": 8}
