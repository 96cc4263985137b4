"""Gold: answers that people look at."""

from schemas.gold.daily_punctuality import DailyPunctuality
from schemas.gold.delay_by_weather import DelayByWeather

__all__ = ["DailyPunctuality", "DelayByWeather"]
