#!/bin/bash
# Run by `cargo xtask deb --check` in a clean Debian 12 whose process 1 is systemd: the packages in $1 are installed, run,
# changed, upgraded and purged. Says what it sees; fails at the first thing that isn't as it must be.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
debs=$1
# systemd-analyze's figure for a unit: 10 may do anything, below 2 it says "OK".
exposure_max=2.0

fail() {
    echo "FAILED: $*" >&2
    journalctl --no-pager -n 40 -u yumen -u yumen-hub >&2 || true
    exit 1
}
# What an installation leaves that isn't the packages' own: the books of apt, dpkg and systemd.
snapshot() {
    find / -xdev \( -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /var/log \
        -o -path /var/tmp -o -path /root/debs -o -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp \) -prune \
        -o -print | grep -v -x -e '/etc/\(passwd\|group\|shadow\|gshadow\|subuid\|subgid\)-' -e '/etc/.pwd.lock' |
        grep -v -e __pycache__ | sort
    sort /etc/passwd /etc/group
}
get() { # PORT PATH: the status line and the body
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
    cat <&3
    exec 3>&-
}
eventually() { # WHAT COMMAND...
    local what=$1
    shift
    for _ in $(seq 90); do
        if "$@" >/tmp/last 2>&1; then return 0; fi
        sleep 0.5
    done
    cat /tmp/last >&2
    fail "$what"
}
ready() { get "$1" /readyz | head -1 | grep -q ' 200 '; }
connected() { get 9464 /metrics | grep -q '^yumen_hub_connected 1'; }
apt() { apt-get -y -q -o Dpkg::Use-Pty=0 "$@" >/tmp/apt.log 2>&1 || { cat /tmp/apt.log >&2; fail "apt-get $*"; }; }
both_ready() {
    eventually "the gateway isn't ready" ready 9464
    eventually "the hub isn't ready" ready 8470
}

snapshot >/tmp/before
apt install --no-install-recommends "$debs"/yumen_*.deb "$debs"/yumen-hub_*.deb
apt install "$debs"/yumen-rules_*.deb

for unit in yumen yumen-hub; do
    systemd-analyze verify --man=no "/lib/systemd/system/$unit.service" || fail "$unit.service isn't right"
    [ "$(systemctl is-enabled $unit)" = enabled ] || fail "$unit doesn't start with the machine"
    exposure=$(systemd-analyze security --no-pager "$unit.service" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
    echo "$unit: exposure $exposure"
    awk -v is="$exposure" -v max=$exposure_max 'BEGIN { exit !(is != "" && is < max) }' || fail "$unit is too exposed"
done
both_ready
for unit in yumen yumen-hub; do
    pid=$(systemctl show -p MainPID --value $unit)
    [ "$(stat -c %U /proc/$pid)" = $unit ] || fail "$unit runs as $(stat -c %U /proc/$pid)"
    [ "$(stat -c '%U %a' /var/lib/$unit)" = "$unit 750" ] || fail "/var/lib/$unit: $(stat -c '%U %a' /var/lib/$unit)"
done
yumen --version && yumen-hub --version
echo 'both are ready: the gateway with its pack, the hub with its database and broker'

# An administrator is made while the hub runs, by the command that the configuration names.
setpriv --reuid yumen-hub --regid yumen-hub --clear-groups \
    yumen-hub user add trial --role administrator --config /etc/yumen-hub/hub.toml >/tmp/user.log 2>&1 ||
    { cat /tmp/user.log >&2; fail 'no administrator could be made'; }

# The gateway is told where the hub is; its sandbox must let it.
cat >>/etc/yumen/agent.toml <<'TOML'

[mqtt]
host = "127.0.0.1"
port = 1883
TOML
yumen config check /etc/yumen/agent.toml
systemctl restart yumen
eventually 'the gateway reaches the hub' connected
pid=$(systemctl show -p MainPID --value yumen)
systemctl reload yumen
sleep 1
[ "$(systemctl show -p MainPID --value yumen)" = "$pid" ] || fail 'a reload restarts the gateway'
both_ready
echo 'the gateway reports to the hub, and reloads'

# An upgrade keeps what was changed, and restarts both.
apt install --reinstall "$debs"/yumen_*.deb "$debs"/yumen-hub_*.deb
grep -q 'host = "127.0.0.1"' /etc/yumen/agent.toml || fail 'an upgrade loses the configuration'
both_ready
eventually 'the gateway reaches the hub after the upgrade' connected
[ "$(systemctl show -p MainPID --value yumen)" != "$pid" ] || fail 'the upgrade leaves the old program running'
echo 'upgraded: the configuration is kept, the new programs run'

apt remove yumen yumen-hub
for unit in yumen yumen-hub; do
    systemctl is-active --quiet $unit && fail "$unit runs after it was removed"
    [ -d /var/lib/$unit ] || fail "removing, without purging, deletes /var/lib/$unit"
done
apt purge yumen yumen-hub yumen-rules
apt autoremove --purge
snapshot >/tmp/after
diff -u /tmp/before /tmp/after || fail 'not as it was before'
echo 'purged: nothing is left behind'
