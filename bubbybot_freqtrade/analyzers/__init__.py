"""
Market Cipher, Lux Algo and Frankie Candles: candles in, columns out.

Each analyzer is a package of the same shape: `settings`, its parts (functions of arrays that each
stand alone), `scores`, `columns` with `PARTS`, `COLUMNS` and `populate`, and `plots`. The package
itself is the door: `market_cipher.populate(dataframe)`, or of some columns alone
`market_cipher.populate(dataframe, columns=["mc_rsi"])`.

Nothing here knows freqtrade; the frames are the ones it hands to strategies.
"""
