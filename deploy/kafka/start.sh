#!/bin/sh
# Starts the cluster's one Kafka broker: KRaft, SASL/SCRAM-SHA-512, ACLs by StandardAuthorizer. Runs in the apache/kafka
# image and, with KAFKA_LIBS naming the jars, as a plain process. Passwords come from files and go into files only.
set -eu

: "${KAFKA_PORT:?}" "${KAFKA_CONTROLLER_PORT:?}" "${KAFKA_LISTEN_HOST:?}" "${KAFKA_ADVERTISED:?}"
: "${KAFKA_DATA:?}" "${KAFKA_PASSWORDS:?}"
libs=${KAFKA_LIBS:-/opt/kafka/libs/*}
heap=${KAFKA_HEAP:--Xmx512m}
umask 077
work=$(mktemp -d)
settings=$work/server.properties
admin=$(cat "$KAFKA_PASSWORDS/admin")

cat >"$work/log4j2.xml" <<'XML'
<Configuration><Appenders><Console name="C"><PatternLayout pattern="%d %p %c{1} %m%n%ex"/></Console></Appenders>
<Loggers><Root level="WARN"><AppenderRef ref="C"/></Root></Loggers></Configuration>
XML

cat >"$settings" <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$KAFKA_CONTROLLER_PORT
listeners=CLIENT://$KAFKA_LISTEN_HOST:$KAFKA_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT
advertised.listeners=CLIENT://$KAFKA_ADVERTISED
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,CLIENT:SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="admin" password="$admin";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:ANONYMOUS
log.dirs=$KAFKA_DATA
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=8388608
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=500
EOF
# ANONYMOUS is the controller's own listener: plain, on loopback, and reachable from inside this container only.

java="java -XX:+UseSerialGC -Djava.awt.headless=true -Dlog4j2.configurationFile=file:$work/log4j2.xml"
if [ ! -e "$KAFKA_DATA/meta.properties" ]; then
  set --
  for file in "$KAFKA_PASSWORDS"/*; do
    set -- "$@" --add-scram "SCRAM-SHA-512=[name=$(basename "$file"),password=$(cat "$file")]"
  done
  $java -cp "$libs" kafka.tools.StorageTool format -t WarderAAAAAAAAAAAAAAAA -c "$settings" "$@" >/dev/null
fi
exec $java "$heap" -cp "$libs" kafka.Kafka "$settings"
