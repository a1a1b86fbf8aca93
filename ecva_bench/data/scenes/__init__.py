"""What happens in the clips of `mini` and of its twins: one function per scene, a picture as a function of time.

A scene is driven by its annotated moments: before a moment ordinary life goes on, inside it the anomaly is to be
seen. So the annotations are true by construction. Beside each scene stand its twins: `_normal`, in which the same
people and things are there and the anomaly does not happen, and `_context`, in which the movement is the same and means
something else. Knows nothing of files, codecs and texts.
"""

from __future__ import annotations

from . import crimes, fires, nature, roads, street, violence
from .base import HEIGHT, WIDTH, Scene

__all__ = ["HEIGHT", "SCENES", "TWINS", "WIDTH", "Scene"]

SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        roads.collision, street.bicycle, street.pedestrian_falls, street.falling_object, fires.building_fire,
        fires.forest_fire, crimes.burglary, nature.flood, roads.leaving_lane, violence.vandalism, violence.fight,
        nature.wild_boar, crimes.shop_robbery, fires.fireworks,
    )
}  # fmt: skip

TWINS: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        roads.collision_normal, roads.collision_context,
        street.bicycle_normal, street.bicycle_context,
        street.pedestrian_falls_normal, street.pedestrian_falls_context,
        street.falling_object_normal, street.falling_object_context,
        fires.building_fire_normal, fires.building_fire_context,
        fires.forest_fire_normal, fires.forest_fire_context,
        crimes.burglary_normal, crimes.burglary_context,
        nature.flood_normal, nature.flood_context,
        roads.leaving_lane_normal, roads.leaving_lane_context,
        violence.vandalism_normal, violence.vandalism_context,
        violence.fight_normal, violence.fight_context,
        nature.wild_boar_normal, nature.wild_boar_context,
        crimes.shop_robbery_normal, crimes.shop_robbery_context,
        fires.fireworks_normal, fires.fireworks_context,
    )
}  # fmt: skip
