#!/bin/sh
# Buckets, the DBRP mapping that InfluxQL needs, tokens and the roll-up task for InfluxDB 2.x. Wants the `influx` command
# with an operator's token (`influx config create`). Usage: influxdb2-setup.sh ORGANIZATION
# Written from InfluxDB's documentation; no InfluxDB 2 could be run where MeterPurse is tested.
set -eu

org=${1:?usage: influxdb2-setup.sh ORGANIZATION}
here=$(dirname "$0")

influx bucket create --org "$org" --name meterpurse --retention 800d
influx bucket create --org "$org" --name meterpurse-daily --retention 0

bucket_id() { influx bucket list --org "$org" --name "$1" --hide-headers | cut -f1; }
raw=$(bucket_id meterpurse)
daily=$(bucket_id meterpurse-daily)

# Grafana asks by InfluxQL: database and retention policy are mapped to a bucket.
influx v1 dbrp create --org "$org" --db meterpurse --rp autogen --bucket-id "$raw" --default
influx v1 dbrp create --org "$org" --db meterpurse --rp daily --bucket-id "$daily"

influx task create --org "$org" --file "$here/influxdb2-daily.flux"

# A token for the head-end, which writes and (`headend influx check`) reads back, and one for Grafana, which only reads.
influx auth create --org "$org" --description meterpurse-headend --write-bucket "$raw" --read-bucket "$raw"
influx auth create --org "$org" --description meterpurse-grafana --read-bucket "$raw" --read-bucket "$daily"
