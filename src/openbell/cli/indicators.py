"""The command ``openbell indicators``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from openbell.cli.terminal.console import print_json, show
from openbell.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.indicators import Indicator
    from openbell.model.json_object import JsonObject

__all__ = ["indicators"]


def indicators(
    name: Annotated[str | None, typer.Argument(help="One indicator; without it, all are listed.")] = None,
    *,
    period: Annotated[float | None, typer.Option(help="Its main length.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="A parameter as NAME=VALUE; may be repeated.")] = None,
    interval: Annotated[str, typer.Option(help="The interval of the example.")] = "5m",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """List the indicators, or show the parameters, outputs, lookback and an example of one."""
    from openbell import indicators as registry

    if name is None:
        if period is not None or param:
            raise ConfigError(
                "--period and --param belong to one indicator; name it: openbell indicators sma --period 20"
            )
        everything = [registry.get(n) for n in registry.names()]
        if as_json:
            print_json([_summary(indicator) for indicator in everything])
        else:
            _list(everything)
        return
    if period is not None and period.is_integer():
        period = int(period)
    facts = _facts(registry.get(name), period, param or [], interval)
    if as_json:
        print_json(facts)
    else:
        _show(facts)


def _summary(indicator: Indicator) -> JsonObject:
    return {
        "name": indicator.name,
        "title": indicator.title,
        "group": indicator.group,
        "source": indicator.source,
        "inputs": indicator.inputs,
        "parameters": [
            {
                "name": p.name,
                "default": p.default,
                "type": p.type.__name__,
                "minimum": p.minimum,
                "maximum": p.maximum,
                "meaning": p.meaning,
                "choices": p.choices,
            }
            for p in indicator.parameters
        ],
        "outputs": indicator.outputs(),
        "session_aware": indicator.session_aware,
        "positive_prices": indicator.positive_prices,
        "intraday_only": indicator.intraday_only,
        "before_first_bar": indicator.before_first_bar if indicator.session_aware else "stands",
    }


def _facts(indicator: Indicator, period: float | None, given: list[str], interval: str) -> JsonObject:
    """Return the facts to show about an indicator with the given parameters."""
    from openbell import indicators as registry

    params = indicator.resolve(period, dict(_read(text) for text in given))
    indicator.check_interval(interval, params)
    lookback = indicator.lookback(params)
    settling = indicator.settling(params)
    return {
        **_summary(indicator),
        "about": indicator.about,
        "params": params,
        "lookback": {"bars": lookback.bars, "sessions": lookback.sessions, "minutes": lookback.minutes},
        "settling": settling,
        "cumulative": settling is None,
        "key": registry.key(indicator.name, params, interval),
        "yaml": _yaml(indicator, params, interval),
    }


def _read(text: str) -> tuple[str, int | float | str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"bad --param {text!r}: write NAME=VALUE, for example --param nbdevup=2.5")
    for kind in (int, float):
        try:
            return name.strip(), kind(value)
        except ValueError:
            continue
    return name.strip(), value.strip()


def _yaml(indicator: Indicator, params: JsonObject, interval: str) -> str:
    """Return the indicator as an entry of a config's list of indicators, in YAML."""
    rest = dict(params)
    parts = [f"name: {indicator.name}"]
    if indicator.main is not None:
        parts.append(f"period: {rest.pop(indicator.main)}")
    parts.append(f"interval: {interval}")
    if rest:
        parts.append("params: {" + ", ".join(f"{name}: {value}" for name, value in rest.items()) + "}")
    return "- {" + ", ".join(parts) + "}"


def _list(everything: Iterable[Indicator]) -> None:
    from openbell.cli.terminal.tables import make_table

    groups: dict[str, list[Indicator]] = {}
    for indicator in everything:
        groups.setdefault(indicator.group, []).append(indicator)
    for group, members in sorted(groups.items()):
        table = make_table("", "name <", "title", "parameters", "reads", "outputs")
        for i in members:
            parameters = " ".join(f"{p.name}={_written(p.default)}" for p in i.parameters)
            table.add_row(i.name, i.title, parameters, " ".join(i.inputs), " ".join(i.outputs()))
        show(f"\n[bold]{group}[/bold]")
        show(table)
    show("\nAll about one: openbell indicators NAME")


def _show(facts: JsonObject) -> None:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    show(f"[bold]{facts['name']}[/bold]  {escape(facts['title'])}  [dim]({facts['group']}, {facts['source']})[/dim]")
    if facts["about"]:
        show(escape(_paragraphs(facts["about"])), soft_wrap=False)
    table = make_table("", "parameter <", "value", "default", "bounds", "meaning")
    for p in facts["parameters"]:
        words = ", ".join(f"{number} {word}" for word, number in p["choices"].items())
        meaning = f"{p['meaning']}: {words}" if words else p["meaning"]
        table.add_row(p["name"], _written(facts["params"][p["name"]]), _written(p["default"]), _bounds(p), meaning)
    if facts["parameters"]:
        show(table)
    for label, text in (
        ("reads", ", ".join(facts["inputs"])),
        ("outputs", ", ".join(facts["outputs"])),
        ("lookback", _lookback(facts["lookback"])),
        ("settling", _settling(facts["settling"])),
        ("known", _known(facts)),
        *([("prices", _POSITIVE)] if facts["positive_prices"] else []),
        ("key", facts["key"]),
        ("in a config", facts["yaml"]),
    ):
        show(f"[dim]{label:<12}[/dim]{escape(text)}")


_POSITIVE = "above 0: it has no value where it reads one of 0 or below"


def _paragraphs(text: str) -> str:
    """Return a docstring with each paragraph on one line and without double backquotes."""
    return "\n\n".join(" ".join(part.split()) for part in text.replace("``", "").split("\n\n"))


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.10g}"


def _bounds(parameter: JsonObject) -> str:
    low, high = parameter["minimum"], parameter["maximum"]
    if low is None and high is None:
        return ""
    if high is None:
        return f">= {low:g}"
    return f"{low:g} to {high:.10g}" if low is not None else f"<= {high:g}"


def _lookback(lookback: dict[str, int]) -> str:
    parts = [f"{lookback['bars']} bar{'s' if lookback['bars'] > 1 else ''} for the first valid value"]
    if lookback["sessions"]:
        parts.append(f"{lookback['sessions']} complete session{'s' if lookback['sessions'] > 1 else ''} before its own")
    if lookback["minutes"]:
        parts.append(f"{lookback['minutes']} minutes of its own session")
    return ", ".join(parts)


def _known(facts: JsonObject) -> str:
    """Return a text that says from when on today's value is known."""
    if not facts["session_aware"]:
        return "at the close of each bar; before today's first bar, as at the last bar of history"
    if facts["before_first_bar"] == "known":
        return "all session, from before the open: earlier sessions make it, the last of them the one before today"
    if facts["before_first_bar"] == "stands":
        return "at any time; before today's first bar, as at the last bar of history"
    minutes = facts["lookback"]["minutes"]
    since = (
        f"the first {minutes} minutes are over"
        if minutes
        else "today's first bar has closed (of 1d bars, at the close)"
    )
    return f"once {since}; before that there is no value, whatever was loaded"


def _settling(settling: int | None) -> str:
    if settling is None:
        return "never: it is cumulative, anchored at the first bar loaded"
    return f"{settling} more bars until its beginning no longer shows" if settling else "at once: it is not recursive"
