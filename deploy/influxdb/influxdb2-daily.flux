// Daily roll-up of the purse journal for InfluxDB 2.x: the same figures as the continuous query of influxdb1.iql.
// The last 35 days are made again every hour, so that entries collected late are in them.
// Written from InfluxDB's documentation; no InfluxDB 2 could be run where MeterPurse is tested.
option task = {name: "meterpurse purse_entry daily", every: 1h}

import "date"

entries =
    from(bucket: "meterpurse")
        |> range(start: date.truncate(t: -35d, unit: 1d))
        |> filter(fn: (r) => r._measurement == "purse_entry")

amounts = entries |> filter(fn: (r) => r._field == "amount_minor")

amounts
    |> aggregateWindow(every: 1d, fn: sum, createEmpty: false, timeSrc: "_start")
    |> to(bucket: "meterpurse-daily")

amounts
    |> aggregateWindow(every: 1d, fn: count, createEmpty: false, timeSrc: "_start")
    |> set(key: "_field", value: "entries")
    |> to(bucket: "meterpurse-daily")

entries
    |> filter(fn: (r) => r._field == "balance_minor")
    |> aggregateWindow(every: 1d, fn: last, createEmpty: false, timeSrc: "_start")
    |> to(bucket: "meterpurse-daily")
