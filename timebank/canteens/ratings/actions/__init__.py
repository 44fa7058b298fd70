"""What people do with ratings: rate, reply, hide, and call diners back."""

from timebank.canteens.ratings.actions.call import record_call
from timebank.canteens.ratings.actions.draw import draw_follow_ups, draws_due
from timebank.canteens.ratings.actions.rate import Rating, rate
from timebank.canteens.ratings.actions.respond import hide_words, reply

__all__ = ["Rating", "draw_follow_ups", "draws_due", "hide_words", "rate", "record_call", "reply"]
