"""
Market Cipher, Lux Algo and Frankie Candles: candles in, columns out.

Each analyzer is one module with the same inner order: `COLUMNS`, `Settings`, `populate`, the parts
(each a function of arrays that stands alone), the scores, `plot_config` and `plot_annotations`.
Nothing here knows freqtrade; the frames are the ones it hands to strategies.
"""
