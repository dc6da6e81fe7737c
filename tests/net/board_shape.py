# SPDX-License-Identifier: GPL-2.0-or-later
"""The shape of a Grafana dashboard, where there is no Grafana to load it.

After Grafana's own schema of dashboards (kinds/dashboard/dashboard_kind.cue, schema version 36 and later), of its
panels (panelcfg.cue of timeseries, stat and table), and its list of units (valueFormats/categories.ts): of these only
what our dashboard may use. What is not known here is told, for a misspelt option is ignored by Grafana without a word.
"""

UNITS = {"short", "none", "s", "ms", "percentunit", "bytes", "Bps", "bps", "pps", "reqps", "ops", "dateTimeFromNow",
         "dateTimeAsIso"}
CALCS = {"lastNotNull", "last", "max", "min", "mean", "sum"}
COLORS = {"green", "yellow", "orange", "red", "blue", "purple", "text", "transparent"}
# A tuple: one of these. A type: any of it. A set: a list of some of these. A dict: an object of these.
THRESHOLDS = {"mode": ("absolute", "percentage"), "steps": list}
CUSTOM = {
    "timeseries": {"drawStyle": ("line", "bars", "points"), "lineWidth": int, "fillOpacity": int,
                   "showPoints": ("auto", "never", "always"), "stacking": {"mode": ("none", "normal", "percent"),
                                                                           "group": str}},
    "table": {"align": ("auto", "left", "right", "center"), "width": int},
    "stat": {},
}
OPTIONS = {
    "timeseries": {"legend": {"displayMode": ("list", "table", "hidden"), "placement": ("bottom", "right"),
                              "showLegend": bool, "calcs": CALCS},
                   "tooltip": {"mode": ("single", "multi", "none"), "sort": ("none", "asc", "desc")}},
    "stat": {"graphMode": ("none", "line", "area"), "colorMode": ("none", "value", "background"),
             "justifyMode": ("auto", "center"), "textMode": ("auto", "value", "value_and_name", "name"),
             "reduceOptions": {"calcs": CALCS, "fields": str, "values": bool}},
    "table": {"showHeader": bool, "sortBy": list},
}
SOURCE = {"type": ("prometheus",), "uid": ("${datasource}",)}
TARGET = {"datasource": SOURCE, "expr": str, "legendFormat": str, "refId": str, "instant": bool, "range": bool,
          "format": ("time_series", "table", "heatmap"), "interval": str}
ROW = {"id": int, "type": ("row",), "title": str, "gridPos": dict, "collapsed": bool, "panels": list}
PANEL = {"id": int, "type": ("timeseries", "stat", "table"), "title": str, "description": str, "datasource": SOURCE,
         "gridPos": {"x": int, "y": int, "w": int, "h": int}, "targets": list, "fieldConfig": dict, "options": dict,
         "transformations": list}
VARIABLE = {"name": str, "label": str, "type": ("query", "datasource", "custom", "interval"), "datasource": SOURCE,
            "query": object, "definition": str, "refresh": (0, 1, 2), "sort": (0, 1, 2, 3, 4, 5, 6), "multi": bool,
            "includeAll": bool, "allValue": str, "current": dict, "hide": (0, 1, 2)}
BOARD = {"uid": str, "title": str, "tags": list, "schemaVersion": int, "version": int, "editable": bool,
         "timezone": ("", "browser", "utc"), "refresh": str, "time": {"from": str, "to": str}, "description": str,
         "templating": {"list": list}, "annotations": {"list": list}, "links": list, "panels": list}


def misfit(value, shape, where):
    """What is wrong with a value, or ""."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return f"{where} is no object"
        unknown = sorted(set(value) - set(shape))
        if unknown:
            return f"{where} has the unknown {', '.join(unknown)}"
        return next(filter(None, (misfit(v, shape[k], f"{where}.{k}") for k, v in value.items())), "")
    if isinstance(shape, set):
        return "" if isinstance(value, list) and set(value) <= shape else f"{where} is {value}"
    if isinstance(shape, tuple):
        return "" if value in shape else f"{where} is {value!r}, not one of {shape}"
    if shape is int and isinstance(value, bool) or not isinstance(value, shape):
        return f"{where} is {value!r}"
    return ""


def thresholds_misfit(thresholds, where):
    """The first step has no lower end, the others ascend."""
    bad = misfit(thresholds, THRESHOLDS, where)
    steps = thresholds.get("steps", [])
    values = [s.get("value") for s in steps]
    if bad or not steps or values[0] is not None or values[1:] != sorted(values[1:]):
        return bad or f"{where} does not ascend: {values}"
    odd = [s["color"] for s in steps if s["color"] not in COLORS]
    return f"{where} has the colour {odd[0]}" if odd else ""


def panel_misfit(panel):
    where = f"panel {panel.get('title')}"
    if panel.get("type") == "row":
        return misfit(panel, ROW, where)
    kind = panel.get("type")
    bad = misfit(panel, PANEL, where)
    if bad:
        return bad
    fields = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    if set(fields) != {"defaults", "overrides"}:
        return f"{where}: fieldConfig has {sorted(fields)}"
    bad = misfit(fields["defaults"], {"unit": str, "min": (0,), "max": object, "decimals": int, "custom": CUSTOM[kind],
                                      "thresholds": dict, "mappings": list, "color": dict}, where + ".fieldConfig")
    if not bad and fields["defaults"].get("unit", "none") not in UNITS:
        bad = f"{where}: unknown unit {fields['defaults']['unit']}"
    if not bad and "thresholds" in fields["defaults"]:
        bad = thresholds_misfit(fields["defaults"]["thresholds"], where + ".thresholds")
    refs = [t.get("refId") for t in panel["targets"]]
    if not bad and (not refs or len(set(refs)) != len(refs)):
        bad = f"{where}: its targets are {refs}"
    return (bad or misfit(panel.get("options", {}), OPTIONS[kind], where + ".options") or
            next(filter(None, (misfit(t, TARGET, f"{where} {t.get('refId')}") for t in panel["targets"])), ""))


def problem_of(board):
    """"" if Grafana would take all of it as it is meant."""
    bad = misfit(board, BOARD, "dashboard")
    if bad or board["schemaVersion"] < 36:
        return bad or "schemaVersion is too old"
    parts = [misfit(v, VARIABLE, f"variable {v.get('name')}") for v in board["templating"]["list"]]
    parts += [panel_misfit(p) for p in board["panels"]]
    for panel in board["panels"]:
        missing = [k for k in ("id", "type", "title", "gridPos") if k not in panel]
        parts.append(f"panel {panel.get('title')} has no {missing[0]}" if missing else "")
    return next(filter(None, parts), "")
