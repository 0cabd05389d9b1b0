"""Events of a broker keep their names in a record, however their classes are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openbell.live.record.broker_events import event_of_line, line_of_event
from openbell.model.broker_events import (
    AccountChange,
    AccountSnapshot,
    BrokerAnswer,
    BrokerConnected,
    BrokerLost,
    BrokerMissing,
    BrokerNoAnswer,
    BrokerRefusal,
)

if TYPE_CHECKING:
    from openbell.model.broker_events import BrokerEvent

SNAPSHOT = AccountSnapshot(cash=1.0, payments=(AccountChange("1", "fee", "SPY", 0.0, -1.0, 0),))


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (BrokerAnswer(), "BrokerAnswer"),
        (BrokerMissing("1"), "BrokerMissing"),
        (BrokerRefusal("1", "submit", "no"), "BrokerRefusal"),
        (BrokerNoAnswer("1", "submit", "no answer"), "BrokerSilence"),
        (SNAPSHOT, "BrokerBooks"),
        (BrokerLost("gone"), "BrokerLost"),
        (BrokerConnected(), "BrokerBack"),
    ],
)
def test_a_record_has_the_names_that_it_always_had(event: BrokerEvent, name: str) -> None:
    line = line_of_event(event)

    assert line["broker"] == name
    assert event_of_line(line) == event
