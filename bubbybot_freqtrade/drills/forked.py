"""What the process that bots are forked from does once, instead of each of them: see BotProcess.

Only that process imports this module.
"""

import gc

from bubbybot_freqtrade.seams.start import refusal

# Reads freqtrade's sources; each bot asks for what was found.
refusal()
# What is loaded by now stays. A collector that walks through it copies it in every bot.
gc.freeze()
