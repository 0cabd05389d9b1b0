"""Sessions at the wall clock, that equal their backtest.

An event of the feed goes this way: `incoming.feed_connection` judges that the feed is alive, `incoming.intake` puts
each event where it belongs, `incoming.waiting_bars` holds a bar until its time, `session_loop.live_day` decides when
a time can be played, `session_loop.session_growth` lets series and indicators go on to it, and
`session_loop.live_source` hands its batch to the engine's dispatcher. `record.feed_record` writes down what is
played, in that order.
"""
