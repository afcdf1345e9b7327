"""All hostile files. Made when asked for, and the same every time."""

from . import bombs, damage, headers, pointers, shapes, strangers
from .specimen import one_of_each_kind

ALL = [specimen for source in (damage, headers, bombs, shapes, pointers, strangers) for specimen in source.specimens()]
QUICK = one_of_each_kind(ALL)
