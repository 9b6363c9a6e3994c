# SPDX-License-Identifier: Apache-2.0
# A Slurm of one node on loopback, for tests: `start_slurm` (sets SLURM_CONF), `stop_slurm`. Everything it writes is in a
# temporary folder, its ports are its own, and it knows only this user.
slurm_missing() {
  local program
  for program in munged slurmctld slurmd sbatch; do
    command -v "$program" >/dev/null || { echo "$program is not installed (packages slurm-wlm, munge)"; return; }
  done
}

free_port() {
  local port
  for ((port = 20000 + RANDOM % 20000; ; ++port)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

start_slurm() {
  slurm=$(mktemp -d)
  mkdir "$slurm/state" "$slurm/spool"
  chmod 755 "$slurm"  # munged wants its socket where all may reach it
  head -c 1024 /dev/urandom >"$slurm/munge.key"
  chmod 400 "$slurm/munge.key"
  munged --key-file="$slurm/munge.key" --socket="$slurm/munge.socket" --pid-file="$slurm/munged.pid" \
    --log-file="$slurm/munged.log" --seed-file="$slurm/munged.seed"
  local node user memory
  memory=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
  node=$(hostname -s)
  user=$(id -un)
  cat >"$slurm/slurm.conf" <<CONF
ClusterName=momap_test
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$slurm/munge.socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
KillWait=2
JobRequeue=1
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd.log
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool
NodeName=$node NodeAddr=127.0.0.1 CPUs=2 RealMemory=$memory State=UNKNOWN
PartitionName=test Nodes=$node Default=YES State=UP
CONF
  export SLURM_CONF=$slurm/slurm.conf
  slurmctld -i
  slurmd
  local tries
  for ((tries = 0; tries < 100; ++tries)); do
    [[ $(sinfo -h -o %T 2>/dev/null) == idle ]] && return
    sleep 0.2
  done
  tail -n 20 "$slurm"/*.log >&2
  return 1
}

stop_slurm() {
  [[ -n ${slurm:-} ]] || return 0
  scancel -u "$(id -un)" 2>/dev/null || true
  local daemon
  for daemon in slurmd slurmctld munged; do
    [[ ! -e $slurm/$daemon.pid ]] || kill "$(cat "$slurm/$daemon.pid")" 2>/dev/null || true
  done
  local tries
  for ((tries = 0; tries < 50; ++tries)); do
    [[ -e $slurm/slurmd.pid || -e $slurm/slurmctld.pid || -e $slurm/munged.pid ]] || break
    sleep 0.1
  done
  rm -rf "$slurm"
}
