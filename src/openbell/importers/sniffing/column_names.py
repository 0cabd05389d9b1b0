"""Names of columns in files of many vendors and languages, by role."""

from __future__ import annotations

import re
import unicodedata

__all__ = [
    "ADJUSTED", "CLOCK_NAMES", "DATE_NAMES", "DOWN_NAMES", "END_NAMES", "NAMES", "START_NAMES", "TICK_VOLUMES",
    "TURNOVER_NAMES", "UP_NAMES", "plain_name", "role_of",
]  # fmt: skip

NAMES: dict[str, tuple[str, ...]] = {
    "time": (
        *("timestamp", "time", "datetime", "date_time", "date", "ts", "ts_event", "t", "d", "dt", "bar_time"),
        *("open_time", "opentime", "start_time", "starttime", "start", "begin", "begins_at", "gmt_time", "local_time"),
        *("utc_time", "time_utc", "utc", "unix", "unix_time", "unix_timestamp", "timestamp_ms", "epoch", "dtyyyymmdd"),
        *("trade_date", "tradedate", "trading_date", "date1", "day", "session", "time_period_start", "bar_start"),
        *("candle_date_time_utc", "period", "candle", "windowstart", "window_start", "minute"),
        *(
            "datum",
            "zeit",
            "zeitstempel",
            "fecha",
            "fecha_hora",
            "data",
            "data_ora",
            "data_hora",
            "date_heure",
            "tarih",
        ),
        *("日期", "时间", "日期时间", "交易日期", "交易时间", "日付", "日時", "年月日", "날짜", "일자", "일시", "시간"),
        *("дата", "время", "close_time", "closetime", "end_time", "endtime", "end", "index_level_0", "index"),
    ),
    "open": (
        *("open", "o", "open_price", "openprice", "opening_price", "price_open", "px_open", "first", "opn", "opening"),
        *("erster", "eroffnung", "eroffnungskurs", "abertura", "apertura", "ouverture", "ouv", "premier", "acilis"),
        *("opening_koers", "開盤", "開盤價", "开盘", "开盘价", "今开", "始値", "시가", "открытие", "mo"),
    ),
    "high": (
        *("high", "h", "high_price", "highprice", "price_high", "px_high", "max", "hi", "maximum", "day_high"),
        *("hoch", "hochst", "tageshoch", "maximo", "massimo", "plus_haut", "haut", "le_plus_haut", "yuksek", "hoog"),
        *("最高", "最高价", "最高價", "高値", "고가", "최고가", "максимум", "макс"),
    ),
    "low": (
        *("low", "l", "low_price", "lowprice", "price_low", "px_low", "min", "lo", "minimum", "day_low"),
        *("tief", "tiefst", "tagestief", "minimo", "plus_bas", "bas", "le_plus_bas", "dusuk", "laag"),
        *("最低", "最低价", "最低價", "安値", "저가", "최저가", "минимум", "мин"),
    ),
    "close": (
        *("close", "c", "last", "close_last", "close_price", "closeprice", "closing_price", "price_close", "px_close"),
        *("px_last", "last_price", "ltp", "closing", "latest", "price", "settle", "settlement"),
        *("schlusskurs", "schluss", "letzter", "fechamento", "cierre", "chiusura", "cloture", "dernier", "ultimo"),
        *("kapanis", "slot", "slotkoers", "收盘", "收盘价", "收盤", "收盤價", "終値", "종가", "закрытие"),
        *("adj_close", "adjusted_close", "adjclose", "close_adj"),
    ),
    "volume": (
        *(
            "volume",
            "v",
            "vol",
            "qty",
            "quantity",
            "shares",
            "size",
            "tottrdqty",
            "ttl_trd_qnty",
            "total_traded_quantity",
        ),
        *("traded_qty", "traded_quantity", "totaltradedquantity", "no_of_shares", "number_of_shares", "shares_traded"),
        *("base_volume", "volume_base", "basevolume", "total_volume", "totalvolume", "volumefrom", "volume_traded"),
        *("volumen", "stuck", "quantidade", "qtd", "cantidad", "quantite", "quantita", "volumi", "hacim", "miktar"),
        *("成交量", "成交股数", "成交股數", "出来高", "売買高", "거래량", "объем", "объём", "tickvol", "tick_volume"),
    ),
    "symbol": (
        *("symbol", "ticker", "sym", "act_symbol", "instrument", "ric", "contract", "pair", "code", "tckrsymb"),
        *(
            "stock",
            "stock_code",
            "ts_code",
            "security",
            "kurzel",
            "codigo",
            "cod_negociacao",
            "代码",
            "股票代码",
            "証券コード",
        ),
        *("종목코드", "тикер", "product", "market", "isin"),
    ),
}
"""The names of the columns of each role, the most certain first."""

TURNOVER_NAMES = frozenset(
    {
        "turnover", "amount", "value", "money", "traded_value", "dollar_volume", "quote_volume", "quote_asset_volume",
        "quotevolume", "volumeto", "volume_quote", "tottrdval", "turnover_lacs", "total_traded_value", "umsatz",
        "financeiro", "volume_financeiro", "efectivo",
        "controvalore", "capitaux", "成交额", "成交額", "売買代金", "거래대금", "оборот",
    }
)  # fmt: skip
"""Names of turnover, the money that changed hands, which is not a volume."""

UP_NAMES = frozenset({"up", "up_volume", "upvol", "up_vol", "buy_volume", "ask_volume", "askvolume", "buyvolume"})
DOWN_NAMES = frozenset(
    {"down", "down_volume", "downvol", "down_vol", "sell_volume", "bid_volume", "bidvolume", "sellvolume"}
)
"""Names of the second part of a volume, whose first part has one of `UP_NAMES`."""

TICK_VOLUMES = frozenset({"tickvol", "tick_volume"})
DATE_NAMES = frozenset(
    {"date", "day", "trade_date", "dtyyyymmdd", "datum", "d", "data", "fecha", "日期", "날짜", "일자", "дата", "日付"}
)
CLOCK_NAMES = frozenset(
    {
        "time",
        "clock",
        "hour",
        "zeit",
        "time_of_day",
        "t",
        "timestamp",
        "hora",
        "uhrzeit",
        "heure",
        "ora",
        "tijd",
        "saat",
    }
    | {"时间", "時刻", "시간", "время", "hh_mm", "hhmm", "hhmmss"}
)
START_NAMES = frozenset(
    {"open_time", "opentime", "start_time", "starttime", "start", "begin", "bar_start", "begins_at"}
)
START_NAMES |= {"time_period_start", "windowstart", "window_start", "timebarstart", "start_timestamp"}
END_NAMES = frozenset(
    {"close_time", "closetime", "end_time", "endtime", "end", "bar_end", "time_period_end", "timebarend"}
)
"""Names of times that are the ends of bars, as those in `START_NAMES` are the starts."""

ADJUSTED = ("adj", "adjusted")
_ROLES = {name: role for role, names in reversed(NAMES.items()) for name in names}


def plain_name(name: str) -> str:
    """Return a column's name in a plain form for comparison.

    It is in lower case, without accents and leading numbers, with ``_`` for signs and blanks.
    """
    name = re.sub(r"^\d+[.)]\s*", "", name.strip().casefold())
    name = "".join(c for c in unicodedata.normalize("NFKD", name) if not "\u0300" <= c <= "\u036f")
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFC", name)).strip("_")


def role_of(name: str) -> str | None:
    """Return the role of columns with this name, or None if unknown."""
    return _ROLES.get(plain_name(name))
