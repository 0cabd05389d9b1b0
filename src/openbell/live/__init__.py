"""Sessions by the wall clock, with the same results as a backtest of the same bars.

An event of the feed passes these modules in turn: `incoming.intake` passes each event to the part that handles it,
`incoming.feed_connection` judges by it whether the feed is alive, `incoming.waiting_bars` holds a bar until its time,
`session_loop.live_day` decides when a time can be played, `session_loop.session_growth` extends series and indicators
to that time, and `session_loop.live_source` makes the batch for the engine's dispatcher. `record.feed_record` writes
down what is played, in the order of play.
"""
