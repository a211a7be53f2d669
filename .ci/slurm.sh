#!/usr/bin/env bash
# Starts a Slurm of one node on this machine, for the tests with the marker `slurm`; stops it again.
#
#   .ci/slurm.sh start    install what is missing (Debian or Ubuntu, as root), start, wait for a node
#   .ci/slurm.sh stop     end what `start` began
#
# For machines that may be thrown away: it writes /etc/slurm/slurm.conf, unless there is one that it
# has not written, in which case it leaves everything as it is. Prints why where it cannot start.
set -euo pipefail

MARK='# written by .ci/slurm.sh of ecosim'
CONF=/etc/slurm/slurm.conf
ROOM=/run/ecosim-slurm # state, logs and process ids; gone with the machine

cannot() {
    echo "Slurm is not started: $*."
    exit 77
}

installed() {
    local name
    for name in munged slurmctld slurmd sbatch scancel; do command -v "$name" >/dev/null || return 1; done
}

answers() { timeout 5 sinfo --noheader --format=%T 2>/dev/null | grep -qE 'idle|mixed|allocated'; }

configure() {
    local name cpus
    name=$(hostname -s)
    cpus=$(nproc)
    cat >"$CONF" <<EOF
$MARK
ClusterName=ecosim
SlurmctldHost=$name(127.0.0.1)
SlurmUser=root
SlurmctldPidFile=$ROOM/slurmctld.pid
SlurmdPidFile=$ROOM/slurmd.pid
SlurmctldLogFile=$ROOM/slurmctld.log
SlurmdLogFile=$ROOM/slurmd.log
StateSaveLocation=$ROOM/state
SlurmdSpoolDir=$ROOM/spool
# No cgroups: they are often read-only in a container.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# Job slots are declared, whatever the cores.
SlurmdParameters=config_overrides
NodeName=$name NodeAddr=127.0.0.1 CPUs=$((cpus > 4 ? cpus : 4)) RealMemory=16000
PartitionName=test Nodes=ALL Default=YES State=UP MaxTime=1-0
EOF
    printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >/etc/slurm/cgroup.conf
}

begin_munge() {
    local place
    if munge --no-input >/dev/null 2>&1; then return; fi
    for place in /run/munge /var/log/munge /var/lib/munge /etc/munge; do
        install -d -o munge -g munge -m 0755 "$place"
    done
    [ -s /etc/munge/munge.key ] || head -c 1024 /dev/urandom >/etc/munge/munge.key
    chown munge:munge /etc/munge/munge.key
    chmod 0400 /etc/munge/munge.key
    runuser -u munge -- munged
    touch "$ROOM/munge"
}

start() {
    if answers; then
        echo "Slurm is running."
        return
    fi
    [ "$(id -u)" -eq 0 ] || cannot "it takes root"
    if ! installed; then
        command -v apt-get >/dev/null || cannot "installing it takes apt-get"
        (export DEBIAN_FRONTEND=noninteractive
            apt-get update -qq &&
                apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge procps
        ) >/dev/null 2>&1 || cannot "apt-get could not install it"
    fi
    if [ -e "$CONF" ] && ! grep -qF "$MARK" "$CONF"; then
        cannot "$CONF is not ours"
    fi
    rm -rf "$ROOM"
    mkdir -p "$ROOM/state" "$ROOM/spool" /etc/slurm
    configure
    begin_munge
    slurmctld
    slurmd
    for _ in $(seq 60); do
        if answers; then
            echo "Slurm runs: $(sinfo --noheader --format='%N, %c slots')."
            return
        fi
        sleep 0.5
    done
    tail -n 5 "$ROOM"/*.log >&2 || true
    stop
    cannot "no node answers within 30 s"
}

end() { # FILE: end the process whose id is in a file, and wait until it has removed the file
    [ -s "$1" ] || return 0
    kill "$(cat "$1")" 2>/dev/null || return 0
    for _ in $(seq 100); do
        [ -e "$1" ] || return 0
        sleep 0.1
    done
}

stop() {
    [ -d "$ROOM" ] || return 0
    end "$ROOM/slurmd.pid"
    end "$ROOM/slurmctld.pid"
    if [ -e "$ROOM/munge" ]; then end /run/munge/munged.pid; fi
    if grep -qsF "$MARK" "$CONF"; then rm -f "$CONF" /etc/slurm/cgroup.conf; fi
    rm -rf "$ROOM"
    echo "Slurm is stopped."
}

case "${1:-}" in
start) start ;;
stop) stop ;;
*)
    echo "usage: .ci/slurm.sh start|stop" >&2
    exit 2
    ;;
esac
