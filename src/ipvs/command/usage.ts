/** The help text and the version line. Pure. */

/** What scripts compare with: the version of ipvsadm whose behaviour this is. */
export const versionText = 'ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n';

/** How to use the command, under the name that it was called by. */
export function usageText(program: string): string {
  return `${versionText}Usage: ${program} COMMAND [OPTIONS]

What to do (comes first; without any, the table is listed):
  -A --add-service SERVICE      -E --edit-service SERVICE     -D --delete-service SERVICE
  -a --add-server SERVICE -r SERVER                           -e --edit-server, -d --delete-server
  -L --list [SERVICE]           -Z --zero [SERVICE]           -C --clear
  -S --save                     -R --restore                  (files as ipvsadm writes them)
  --set TCP TCPFIN UDP          timeouts in seconds, 0 keeps one
  --start-daemon master|backup  --stop-daemon master|backup   connection sync
  -h --help                     -v --version

SERVICE is one of
  -t --tcp-service HOST[:PORT]  -u --udp-service HOST[:PORT]  --sctp-service HOST[:PORT]
  -f --fwmark-service MARK      then -6 --ipv6 for a mark on IPv6 packets

Settings of a service (-A, -E)
  -s --scheduler NAME           wlc unless named              -b --sched-flags FLAG[,FLAG]
  -p --persistent [SECONDS]     360 unless named              -M --netmask MASK|PREFIX-LENGTH
  --pe ENGINE                   persistence engine            -o --ops  one-packet scheduling

Settings of a server (-a, -e)
  -r --real-server HOST[:PORT]  -w --weight N
  -x --u-threshold N            -y --l-threshold N
  -g --gatewaying (default)     -i --ipip                     -m --masquerading
  --tun-type ipip|gue|gre       --tun-port PORT
  --tun-nocsum, --tun-csum, --tun-remcsum

Listings (-L)
  -n --numeric                  -X --exact                    --nosort
  --stats, --rate, --thresholds, --persistent-conn, --tun-info: other columns
  -c --connection               --timeout                     --daemon

Sync daemons
  --mcast-interface NAME        --mcast-group ADDRESS         --mcast-port PORT, --mcast-ttl TTL
  --syncid 0..255               --sync-maxlen BYTES

Beyond ipvsadm
  --json                        a listing as JSON, with 64-bit counters
  --watch[=SECONDS]             list again and again
  --force                       change what a running agent owns
  --socket PATH                 where that agent listens

Example:
  ${program} -A -t 10.0.0.1:80 -s wrr && ${program} -a -t 10.0.0.1:80 -r 10.0.0.2 -m -w 3
`;
}
