#!/bin/sh
# Boots systemd as process 1 of new namespaces, with a copy in memory of this machine's files, so that nothing on it
# changes, and starts deploy/soku.service. Then runs COMMANDS, and writes their output to FOLDER/report. Needs root.
#
#   boot-systemd.sh FOLDER INSTALLATION UNIT PORT COMMANDS
set -eu
work=$1 installation=$2 unit=$3 port=$4 commands=$5
if [ "${6:-}" != inside ]; then
  exec unshare --mount --pid --fork --kill-child=SIGKILL --uts --ipc --cgroup --propagation private sh "$0" "$@" inside
fi

mkdir "$work/memory"
mount -t tmpfs tmpfs "$work/memory"
mkdir "$work/memory/upper" "$work/memory/work" "$work/memory/root"
mount -t overlay overlay "$work/memory/root" \
  -o "lowerdir=/,upperdir=$work/memory/upper,workdir=$work/memory/work"
cd "$work/memory/root"
mount -t proc proc proc
# The services of the machine that start as well must not change its kernel.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
# Without it, systemd asks questions.
echo 0123456789abcdef0123456789abcdef > etc/machine-id
mkdir -p opt etc/soku etc/systemd/system
rm -rf opt/soku etc/systemd/system/*.wants
cp -r "$installation" opt/soku
cp "$unit" etc/systemd/system/soku.service
printf 'PORT=%s\n' "$port" > etc/soku/soku.env
chmod 600 etc/soku/soku.env
printf '%s\n' "$commands" > commands
cat > etc/systemd/system/report.service <<'UNIT'
[Unit]
Wants=soku.service dbus.socket
After=soku.service dbus.socket
[Service]
Type=oneshot
ExecStart=sh /commands
ExecStopPost=mv /report /old/report
StandardOutput=file:/report
StandardError=file:/report
UNIT
# The folder, at which the report arrives when it is complete.
mkdir old
mount --bind "$work" old
mkdir former
pivot_root . former
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=report.service --log-target=console
