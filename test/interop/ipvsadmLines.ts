/** Command lines for the real ipvsadm and for ours. Each works on the table that the last left. */

/** One command line. */
export interface CommandLine {
  /** Words apart by blanks; `''` is an empty word, and `~` in a word stands for a blank. */
  readonly words: string;
  /** Standard input. */
  readonly input?: string;
}

/** The words of a line as a program gets them. */
export function wordsOfLine(line: CommandLine): readonly string[] {
  return line.words
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => (word === "''" ? '' : word.replaceAll('~', ' ')));
}

const services = `
-v
-L -v
-L -h
-L
-A -t 10.0.0.1:80 -s rr --pe sip
-A -t 10.0.0.1:80 -s rr
-A -u 10.0.0.1:5060 -s rr --pe sip -p
-A -u 10.0.0.1:5061 -s rr --pe nix -p
-A -f 4294967295 -s rr
-A -f 5 -6 -s rr -p -M 64
-A -t 10.1:81 -s rr
-A -t 10.9.1.1:80 -s rr -b flag-3,flag-1
-A -t 100.0.0.1:80 -s sh -b sh-port,flag-3
-A -t 100.0.0.2:80 -s rr -b sh-port
-A -t 100.0.0.2:80 -b flag-1 -s mh
-A -t 100.0.0.2:81 -s mh -b mh-port,mh-fallback
-A -t 100.0.0.3:80 -b bogus -s mh
-A -t 100.0.0.3:80 -b '' -s mh
-A -t 100.0.0.4:0 -s rr
-A -t 100.0.0.4:0 -s rr -p 30 -M 255.0.255.0
-A -t 100.0.0.5:0 -s rr -p 30 -M 24
-A -t 100.0.0.6:0 -s rr -p 30 -M 0.0.0.0
-A -t [2001:db8::1]:80 -s rr -p -M 255.255.255.0
-A -t [2001:db8::2]:http -s wrr -p 40 -M 48
-A -t 2001:db8::3 -s wrr -p
-A -t [2001:db8::3] -s wrr -p
-A -t [2001:db8::7]:80 -M 129
-A -t [2001:db8::7]:80 -M 12x -p
-A -t [::ffff:1.2.3.4]:80 -s rr
-A -t fe80::1%lo
-A -M 255.255.0.0 -p -t 10.0.0.79:80
-A -M 64 -p -t [2001:db8::79]:80
-A -t 1.2.3.4 -s rr
-A -t localhost:http -s rr
-A -t nix.invalid:http -s rr
-A -t 10.0.0.9:domain -s rr
-A -u 10.0.0.9:domain -s rr -o
-A -t 10.0.0.9:bogus -s rr
-A -t 10.0.0.9:70000 -s rr
-A -t 10.0.0.9:0x50 -s rr
-A -t 10.0.0.9:010 -s rr
-A -t 10.0.0.9:-1 -s rr
-A -t 0x0a.0.0.8:80 -s rr
-A -t 10.0.0.256:80 -s rr
-A --sctp-service 10.0.0.9:99 -s rr
-A --tcp-service=10.0.0.11:80 --scheduler=wlc --persistent=77 --netmask=255.255.255.128
-A --udp-service 10.0.0.11:80 --scheduler lblcr --persistent 78
-A -t 10.0.0.10:80 -u 10.0.0.10:80
-A -t 10.0.0.10:80 -s rr -s wrr
-A -t 10.0.0.10:80 -r 1.2.3.4
-A -t 10.0.0.10:80 -n
-A
-A -t
-A -t 12
-A -t 10.0.0.12: -s rr
-A -t 10.0.0.12 -p
-A -t 10.0.0.13:80 -p=50 -s=wrr
-At 10.0.0.14:80 -slc
-A -t 10.0.0.15:80 -s sed
-A -t 10.0.0.16:80 -s nq
-A -t 10.0.0.17:80 -s fo
-A -t 10.0.0.18:80 -s ovf
-A -t 10.0.0.19:80 -s lblc
-A -t 10.0.0.20:80 -s dh
-A -t 10.0.0.21:80 -s none
-A -t 10.0.0.77:80 -s verylongschedulername
-A -t 10.0.0.77:80 -s ''
-A -t 10.0.0.78:80 -s wrr -p 2678401
-A -t 10.0.0.78:80 -s wrr -p 2678400
-A -t 10.0.0.78:81 -s wrr -p 0
-A -t 10.0.0.78:81 -s wrr -p -o
-A -u 10.0.0.78:80 -s wrr -p -o
-A -f 78 -o
-A -t 10.0.0.80:80 -M 255.255.0.0
-A -6 -f 9
-A -f 9 -6 -6
-A -f 0
-A -f 0x10
-A -f ~17 -s rr
-A -f 99999999999
-A -f -5
-A -f 4294967290 -s wlc
-E -t 10.0.0.1:80
-E -t 10.0.0.1:80 -s wrr -p 60 -M 255.255.255.0
-E -t 10.0.0.99:80 -s rr
-E -f 78 -s rr
-E -f 5 -6 -s wlc
-E -t 100.0.0.1:80 -s mh -b mh-port
-D -t 10.0.0.80:80 -n
-D -t 10.0.0.80
-D -t 10.0.0.80:80
-D -t 10.0.0.80:80
-D -f 17
-D
`;

const servers = `
-a -t 10.0.0.13:80 -r 10.2.0.1 -m -w=5
-a -t 10.0.0.13:80 -r 10.2.0.1 -m
-a -r 10.2.0.2 -t 10.0.0.13:80 -m
-a -r 10.2.0.3:http -t 10.0.0.13:80 -m
-a -t 10.0.0.13:80 -r 10.2.0.3:http-alt -m
-a -t 10.0.0.13:80 -r 10.2.0.4:81 -g
-a -t 10.0.0.13:80 -r [2001:db8::5]:80 -i
-a -t 10.0.0.13:80 -r [2001:db8::6]:80 -m
-a -t 10.0.0.13:80 -r 10.2.0.5 -i --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 10.0.0.13:80 -r 10.2.0.15 -i --tun-type gue --tun-port 6081 --tun-csum
-a -t 10.0.0.13:80 -r 10.2.0.16 -i --tun-type gue --tun-port 6081
-a -t 10.0.0.13:80 -r 10.2.0.6 -i --tun-type gre --tun-remcsum
-a -t 10.0.0.13:80 -r 10.2.0.6 -i --tun-type gre --tun-csum --tun-nocsum
-a -t 10.0.0.13:80 -r 10.2.0.6 -i --tun-type gre --tun-csum
-a -t 10.0.0.13:80 -r 10.2.0.17 -i --tun-type gre
-a -t 10.0.0.13:80 -r 10.2.0.7 -i --tun-type gue
-a -t 10.0.0.13:80 -r 10.2.0.7 -i --tun-type gue --tun-port 0
-a -t 10.0.0.13:80 -r 10.2.0.7 -i --tun-type foo
-a -t 10.0.0.13:80 -r 10.2.0.7 -i --tun-type ipip --tun-csum
-a -t 10.0.0.13:80 -r 10.2.0.7 -i --tun-remcsum
-a -t 10.0.0.13:80 -r 10.2.0.7 -i --tun-port 5
-a -t 10.0.0.13:80 -r 10.2.0.7 -m --tun-port 5
-a -t 10.0.0.13:80 -r 10.2.0.7 -m --tun-type ipip
-a -t 10.0.0.13:80 -r 10.2.0.7 -m --tun-remcsum
-a -t 10.0.0.13:80 -r 10.2.0.7 -m -g
-a -t 10.0.0.13:80 -r 10.2.0.7 -x 5 -y 9
-a -t 10.0.0.13:80 -r 10.2.0.7 -x 9 -y 5 -w 0
-a -t 10.0.0.13:80 -r 10.2.0.8 -w -1
-a -t 10.0.0.13:80 -r 10.2.0.8 -w 2147483647
-a -t 10.0.0.13:80 -r 10.2.0.9 -w 2147483648
-a -t 10.0.0.13:80 -r 10.2.0.9 -w 1x
-a -t 10.0.0.13:80 -r 10.2.0.9 -x -1
-a -t 10.0.0.13:80 -r 10.2.0.9 -y 2147483648
-a -t 10.0.0.13:80 -r 224.0.0.1
-a -t 10.0.0.13:80 -r 0.0.0.0
-a -t 10.0.0.13:80 -r 80
-a -t 10.0.0.98:80 -r 10.2.0.1
-a -f 5 -6 -r [2001:db8::9]
-a -f 5 -6 -r 2001:db8::9
-a -f 5 -6 -r [2001:db8::a]:80 -m
-a -f 5 -6 -r fe80::1
-a -f 5 -6 -r 10.0.0.7 -i
-a -f 5 -6 -r 10.0.0.8 -m
-a -f 4294967295 -r 10.3.0.1
-a -f 4294967295 -r 10.3.0.1:99 -m
-a -f 4294967295 -r 10.3.0.2:514 -m
-a -f 4294967295 -r 240.0.0.1:99 -m
-a -t 10.0.0.1:80 -r 127.0.0.1 -m
-a -t 10.0.0.1:80 -r localhost:8080 -m
-a -t 10.0.0.1:80 -r 192.0.2.1 -m
-a -t 10.0.0.1:80 -r 100.64.0.1 -m
-a -t [2001:db8::2]:80 -r [2001:db8::22]:8080 -m -w 3
-a -t [2001:db8::2]:80 -r [fd00::22]:8080 -m -w 3
-e -t 10.0.0.13:80 -r 10.2.0.1 -m
-e -t 10.0.0.13:80 -r 10.2.0.1 -i
-e -t 10.0.0.13:80 -r 10.2.0.99
-e -t 10.0.0.97:80 -r 10.2.0.99
-e -t 10.0.0.13:80 -r 10.2.0.6 -i --tun-type gue --tun-port 99 --tun-nocsum
-e -t 10.0.0.13:80
-d -t 10.0.0.13:80 -r 10.2.0.99
-d -t 10.0.0.13:80 -r 10.2.0.1 -w 1
-d -t 10.0.0.13:80 -r 10.2.0.2
-d -t 10.0.0.13:80 -r 10.2.0.2:0
-d -t 10.0.0.13:80
-d -t 10.0.0.97:80 -r 10.2.0.1
`;

const listings = `
-L
-l
-Ln
-L -n -X --rate
-Ln --stats --rate
-Ln --thresholds --persistent-conn --tun-info
-Ln --persistent-conn --tun-info
-L -n -t 10.0.0.13:80
-Ln -t 10.0.0.13:80 --tun-info
-Ln -t 10.0.0.13:80 --stats -X
-L -n -f 5 -6
-L -n -f 5
-L -n -t 10.9.9.9:80
-L -t localhost:http
-L -c
-L -c --persistent-conn
-L -c -X
-L -c --stats
-L -c --tun-info
-L --timeout
-L --timeout --persistent-conn
-L --daemon --rate
-L -c -t 10.0.0.13:80
-L --timeout --daemon
-L --syncid 7
-L -x 5
-L --sort
-L --sort --sort
-L --numeric --exact --stats
-L foo
foo -L
foo
- -L
-L -
-L -- foo
-L --bogus
-L -Q
-Q
--bogus
-L -s
-L --stats=1
-L --stat
-L -n=1
-Lnn
-L -A
-nL
-L -6
-L -f 5 -6 -6 -n
-S
-S -n
-Sn
-S -c
-S --stats
-Z
-Z -t 10.0.0.13:80
-Z -t 10.9.9.9:80
-Z -r 1.2.3.4
-R -n
-C -n
--list
--list --numeric
--save
--zero
`;

const others = `
--set 100 0 0
--set 0 50 60
--set 1 2
--set 1 2 3 4
--set 2678401 0 0
--set -1 0 0
--set a 0 0
--set 900 120 300 -n
-L --timeout -n
--start-daemon
--start-daemon foo
--start-daemon master --mcast-interface lo --syncid 300
--start-daemon master --mcast-group 1.2.3.4
--start-daemon master --mcast-group ::1
--start-daemon master --mcast-port 0
--start-daemon master --mcast-ttl 256
--start-daemon master --sync-maxlen 65508
--start-daemon master --mcast-interface lo
-d -t 10.0.0.13:80 -r [2001:db8::5]:80
-d -f 5 -6 -r 10.0.0.7
--start-daemon master
--start-daemon master --mcast-interface lo --syncid 3 --sync-maxlen 44 --mcast-group 239.1.1.1
--stop-daemon master
--start-daemon master --mcast-interface lo --mcast-port 9000 --mcast-ttl 3
--start-daemon master --mcast-interface lo
--start-daemon=backup --mcast-interface=nix0
--start-daemon backup --mcast-interface dummy0 --mcast-group ff02::81
-a -t 10.0.0.13:80 -r [2001:db8::5]:80 -i
--stop-daemon foo
--stop-daemon
--stop-daemon master --mcast-interface lo
--stop-daemon backup --syncid 7
--stop-daemon backup
--stop-daemon master
--stop-daemon master
-C
-C
-L
`;

const saved = `-A -t 10.5.0.1:80 -s rr

ipvsadm -a -t 10.5.0.1:80 -r 10.6.0.1:80 -m -w 3
-a -t 10.5.0.1:80 -r 10.6.0.2:80 -m -w 4
-A -f 7 -s wrr -p 60 -M 255.255.255.0
-a -f 7 -r 10.6.0.3:0 -g -w 1
-A -t [2001:db8::1]:80 -s mh -b mh-port
-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -i -w 1 --tun-type gre --tun-csum
`;

/** All of them, in order. */
export const commandLines: readonly CommandLine[] = [
  ...[services, servers, listings, others]
    .flatMap((block) => block.split('\n'))
    .filter((words) => words !== '')
    .map((words) => ({ words })),
  { words: '-R', input: saved },
  { words: '-R', input: '' },
  { words: '-R', input: '-R\n' },
  { words: '-R', input: '-A -t 10.5.0.9:80 -r 1.2.3.4\n' },
  { words: '-R', input: '-a -t 10.5.0.8:80 -r 1.2.3.4\n' },
  { words: '-R', input: '-C\n-A -t 10.5.0.7:80\n-L -n\n--set 10 20 30\n' },
];
