"""Gold: silver summed up."""

from assets.gold.daily_punctuality import daily_punctuality
from assets.gold.delay_by_weather import delay_by_weather

__all__ = ["daily_punctuality", "delay_by_weather"]
