/**
 * What the probes are told: everything that is asked of a server, and what must come back. All of
 * it survives structured cloning, and two checks whose specifications are equal may share a probe.
 *
 * `Text` is what a secret or a certificate is: its text for a probe, where its file is in a
 * configuration ({@link FileReference}).
 */
import type { IpAddress } from '../wire/ipAddress.js';

/** A text that is in a file of the operator and not in the configuration. */
export interface FileReference {
  readonly kind: 'file';
  /** An absolute path. */
  readonly path: string;
  /** Whether nobody but its owner may be able to read it. */
  readonly secret: boolean;
}

/** How the packets of a probe leave. */
export interface ProbeOrigin {
  /** The source address; absent: what the routing gives. */
  readonly source?: IpAddress;
  /** The firewall mark (SO_MARK) of the packets, for policy routing. */
  readonly mark?: number;
}

interface WithOrigin {
  readonly origin?: ProbeOrigin;
}

/** An inclusive range of HTTP status codes. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** How TLS is spoken, and what is demanded of the certificate. */
export interface TlsSettings<Text = string> {
  /** Sent as SNI, and the name that the certificate must be for; absent: the server's address. */
  readonly serverName?: string;
  /** Whether the certificate must be valid, trusted and for the name. */
  readonly verify: boolean;
  /** PEM certificates of the authorities; absent: those that Node trusts. */
  readonly ca?: Text;
  /** PEM certificate chain of this side. */
  readonly certificate?: Text;
  readonly key?: Text;
  /** The certificate must be valid for so many days more. */
  readonly minDaysValid?: number;
}

/** Bytes that must be in what the server says; all that is given must hold. */
export interface BytesExpectation {
  /** Base64 of bytes that must be in it. */
  readonly containsBase64?: string;
  /** A regular expression (JavaScript, flag u) over it, read as UTF-8. */
  readonly matches?: string;
}

/** Bytes that are sent, and what must come then. */
export interface ExchangeStep {
  readonly sendBase64?: string;
  readonly expect?: BytesExpectation;
}

/** A value that a body in JSON must hold. */
export interface JsonExpectation {
  /** JSONPath (RFC 9535). Some value that it selects must be equal; without `equals`, any. */
  readonly path: string;
  readonly equals?: string | number | boolean;
}

/** The digest that a body must have. */
export interface DigestExpectation {
  readonly algorithm: 'md5' | 'sha1' | 'sha256' | 'sha512';
  /** In lower case. */
  readonly hex: string;
}

/** What the body of an HTTP answer must be. */
export interface BodyExpectation {
  /** The body must contain this text. */
  readonly bodyContains?: string;
  /** The body must match this regular expression (JavaScript, flag u). */
  readonly bodyMatches?: string;
  readonly bodyDigest?: DigestExpectation;
  readonly bodyJson?: readonly JsonExpectation[];
}

/** The methods that a probe may use. */
export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'OPTIONS';

/** One request, and what must come back. */
export interface HttpExchange extends BodyExpectation {
  readonly method: HttpMethod;
  readonly path: string;
  /** Value of the Host header; absent: the server's address and port. */
  readonly host?: string;
  /** The body of the request. */
  readonly body?: string;
  readonly expectStatus: readonly StatusRange[];
}

/** The HTTP probe: one request or several, each on a connection of its own. */
export interface HttpProbeSpec<Text = string> extends HttpExchange, WithOrigin {
  readonly type: 'http';
  /** Absent: HTTP/1.1. Version 2 is spoken without an upgrade; with TLS it is negotiated. */
  readonly version?: '1.1' | '2';
  /** Present: HTTPS. */
  readonly tls?: TlsSettings<Text>;
  /** Sent with every request, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly basicAuth?: { readonly user: string; readonly password: Text };
  /** Redirects that are followed, on the same server; absent: none. */
  readonly redirectsMax?: number;
  /** Further requests, which must all be answered as they expect. */
  readonly further?: readonly HttpExchange[];
}

/** The TCP probe: the handshake, and perhaps words. */
export interface TcpProbeSpec extends WithOrigin {
  readonly type: 'tcp';
  readonly steps?: readonly ExchangeStep[];
}

/** The TLS probe: the handshake, the certificate, and perhaps words. */
export interface TlsProbeSpec<Text = string> extends WithOrigin {
  readonly type: 'tls';
  readonly tls: TlsSettings<Text>;
  readonly steps?: readonly ExchangeStep[];
}

/** The UDP probe. */
export interface UdpProbeSpec extends WithOrigin {
  readonly type: 'udp';
  readonly payloadBase64: string;
  readonly expect?: BytesExpectation;
  /** Whether it passes when nothing comes and nobody says that the port is closed. */
  readonly silencePasses: boolean;
}

/** Kinds of records that the DNS probe asks for. */
export type DnsRecordType =
  | 'A'
  | 'AAAA'
  | 'CAA'
  | 'CNAME'
  | 'MX'
  | 'NS'
  | 'PTR'
  | 'SOA'
  | 'SRV'
  | 'TXT';

/** The DNS probe. */
export interface DnsProbeSpec extends WithOrigin {
  readonly type: 'dns';
  readonly name: string;
  readonly recordType: DnsRecordType;
  readonly transport: 'udp' | 'tcp';
  readonly recursion: boolean;
  /** The response code that must come, in upper case. */
  readonly responseCode: string;
  /** Texts of records, each of which must be among the answers. */
  readonly answers: readonly string[];
  /** So many records of the type must be among the answers. */
  readonly answersMin: number;
}

/** The echo request. */
export interface IcmpProbeSpec extends WithOrigin {
  readonly type: 'icmp';
  /** Bytes behind the header of 8 bytes. */
  readonly payloadBytes: number;
}

/** Services that greet, and that are taken leave of, in lines of text. */
export interface MailProbeSpec<Text = string> extends WithOrigin {
  readonly type: 'smtp' | 'imap' | 'pop3' | 'ftp';
  readonly encryption: 'none' | 'starttls' | 'tls';
  readonly tls?: TlsSettings<Text>;
  /** The name that SMTP says hello with. */
  readonly helloName?: string;
}

/** Redis PING. */
export interface RedisProbeSpec<Text = string> extends WithOrigin {
  readonly type: 'redis';
  readonly user?: string;
  readonly password?: Text;
  readonly tls?: TlsSettings<Text>;
  /** The role that the server must have. */
  readonly role?: 'master' | 'replica';
}

/** The handshake of MySQL and MariaDB, with a login where a user is named. */
export interface MysqlProbeSpec<Text = string> extends WithOrigin {
  readonly type: 'mysql';
  readonly user?: string;
  readonly password?: Text;
  /** Present: the login goes over to TLS. */
  readonly tls?: TlsSettings<Text>;
}

/** The start of a session of PostgreSQL, up to the demand for a password. */
export interface PostgresProbeSpec<Text = string> extends WithOrigin {
  readonly type: 'postgres';
  readonly user: string;
  readonly database: string;
  /** Present: the session begins inside of TLS. */
  readonly tls?: TlsSettings<Text>;
}

/** The health service of gRPC (grpc.health.v1.Health/Check). */
export interface GrpcProbeSpec<Text = string> extends WithOrigin {
  readonly type: 'grpc';
  /** The name of the service; empty: the server as a whole. */
  readonly service: string;
  readonly authority?: string;
  readonly tls?: TlsSettings<Text>;
}

/** A program of the operator. */
export interface ScriptProbeSpec {
  readonly type: 'script';
  /** The program by its absolute path, then its arguments, with `{address}` and `{port}`. */
  readonly command: readonly string[];
  readonly user?: string;
  /** Whether 2..102 is 0..100 % of the weight, instead of a failure. */
  readonly exitCodeIsWeight: boolean;
}

/** A number in a file of this machine. */
export interface FileProbeSpec {
  readonly type: 'file';
  /** An absolute path, with `{address}` and `{port}`. */
  readonly path: string;
  /** `weight`: 0..100 is the share of the weight. `zero-passes`: 0 passes, all else fails. */
  readonly meaning: 'weight' | 'zero-passes';
}

/** HAProxy's agent protocol. */
export interface AgentProbeSpec extends WithOrigin {
  readonly type: 'agent';
  /** Sent before the answer is read. */
  readonly sendBase64?: string;
  /** Whether an agent that cannot be asked says something of the server. */
  readonly whenSilent: 'ignore' | 'fail';
}

/** Every kind of probe. */
export type ProbeSpecWith<Text> =
  | TcpProbeSpec
  | TlsProbeSpec<Text>
  | HttpProbeSpec<Text>
  | UdpProbeSpec
  | DnsProbeSpec
  | IcmpProbeSpec
  | MailProbeSpec<Text>
  | RedisProbeSpec<Text>
  | MysqlProbeSpec<Text>
  | PostgresProbeSpec<Text>
  | GrpcProbeSpec<Text>
  | ScriptProbeSpec
  | FileProbeSpec
  | AgentProbeSpec
  | BfdProbeSpec;

/** Which BFD session of this director tells of the server. */
export interface BfdProbeSpec {
  readonly type: 'bfd';
  /** Name of the session; absent: the one whose peer is the server. */
  readonly session?: string;
}

/** What is asked of a server, and what must come back. */
export type ProbeSpec = ProbeSpecWith<string>;

/** The same before its files are read. */
export type ProbeConfig = ProbeSpecWith<FileReference>;

/** The specification of one kind. */
export type ProbeSpecOf<Type extends ProbeSpec['type']> = Extract<
  ProbeSpec,
  { readonly type: Type }
>;
